"""From judged red cells to a finding: which are called infected, how many of how many, and what that is worth."""

from .counts import Count, Mistakes, Tally, wilson
from .finding import fold, sum_up
from .head import CalledCells, FieldHead

__all__ = ["CalledCells", "Count", "FieldHead", "Mistakes", "Tally", "fold", "sum_up", "wilson"]
