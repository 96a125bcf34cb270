"""How good is it here? Figures, curves and a report for an installed disease on labelled pictures."""

from medsdk.evaluation.bootstrap import wilson
from medsdk.evaluation.data import (
    DataError,
    LabelledPicture,
    check_unreadable,
    in_split,
    parse_label_map,
    read_labelled,
    with_truth,
)
from medsdk.evaluation.metrics import calibration_error, figures
from medsdk.evaluation.operating import OperatingPoint, fit_temperature, inconclusive_band, operating_point, parse_rule

__all__ = [
    "DataError",
    "LabelledPicture",
    "OperatingPoint",
    "calibration_error",
    "check_unreadable",
    "figures",
    "fit_temperature",
    "in_split",
    "inconclusive_band",
    "operating_point",
    "parse_label_map",
    "parse_rule",
    "read_labelled",
    "wilson",
    "with_truth",
]
