"""How fast a disease is judged on this machine: `medsdk bench`."""

from medsdk.bench.compare import compare
from medsdk.bench.machine import describe, warnings_now
from medsdk.bench.measure import Bench, Plan, measure

__all__ = ["Bench", "Plan", "compare", "describe", "measure", "warnings_now"]
