"""Finds the lungs of a frontal chest film, so that a model sees lungs and not hospitals.

It brings the preprocessing step `lung_crop`, which a card may name.
"""

from __future__ import annotations

from medsdk_lungs.finder import Lungs, find, lung_crop

__all__ = ["Lungs", "find", "lung_crop"]
