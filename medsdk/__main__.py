"""`python -m medsdk` is the program `medsdk`."""

from medsdk.cli.program import program

program()
