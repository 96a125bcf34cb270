"""A whole thin-smear field under the microscope: its red cells, one by one, and whether it can be counted."""

from .cell import Cell
from .cutout import cutout
from .quality import FieldReading, Quality, Reason, judge_field, looks_like_field, read_field
from .segmentation import segment

__all__ = [
    "Cell",
    "FieldReading",
    "Quality",
    "Reason",
    "cutout",
    "judge_field",
    "looks_like_field",
    "read_field",
    "segment",
]
