"""Many pictures into one file of results, which can be interrupted and taken up again."""

from medsdk.batch.pictures import find_pictures
from medsdk.batch.results import Results
from medsdk.batch.run import Progress, run

__all__ = ["Progress", "Results", "find_pictures", "run"]
