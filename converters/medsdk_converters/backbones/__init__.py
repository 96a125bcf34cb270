"""Keras 3 networks for pictures, each ending in logits and the feature map that attention and rejection are made from."""

from medsdk_converters.backbones.cutting import cut_points, split
from medsdk_converters.backbones.errors import BackboneError
from medsdk_converters.backbones.factory import BACKBONES, build
from medsdk_converters.backbones.folding import fold
from medsdk_converters.backbones.report import REPORT_HEADS

__all__ = ["BACKBONES", "REPORT_HEADS", "BackboneError", "build", "cut_points", "fold", "split"]
