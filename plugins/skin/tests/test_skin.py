"""The plugin keeps the contract, and real pictures of its test split are judged as its card says."""

from __future__ import annotations

import pytest

from medsdk.testing import Conformance
from medsdk.testing.labelled import LabelledPictures


class TestSkin(Conformance):
    disease = "skin"


@pytest.mark.data
class TestSkinOnRealPictures(LabelledPictures):
    disease = "skin"
    pack = "skin"
    ill = frozenset({"malignant"})
