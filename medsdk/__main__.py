"""`python -m medsdk` is the program `medsdk`."""

from medsdk.cli import main

main(prog_name="medsdk")
