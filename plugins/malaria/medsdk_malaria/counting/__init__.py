"""From judged red cells to a finding: which are called infected, how many of how many, and what that is worth."""

from .counts import Count, Mistakes, Tally, wilson
from .finding import FieldNotes, fold, sum_up
from .first_look import Chosen, FirstLook
from .head import CalledCells, FieldHead

__all__ = [
    "CalledCells",
    "Chosen",
    "Count",
    "FieldHead",
    "FieldNotes",
    "FirstLook",
    "Mistakes",
    "Tally",
    "fold",
    "sum_up",
    "wilson",
]
