"""The plugin keeps the contract, and real pictures of its test split are judged as its card says."""

from __future__ import annotations

import pytest

from medsdk.testing import Conformance
from medsdk.testing.labelled import LabelledPictures


class TestTuberculosis(Conformance):
    disease = "tuberculosis"


@pytest.mark.data
class TestTuberculosisOnRealPictures(LabelledPictures):
    disease = "tuberculosis"
    pack = "chest"
    ill = frozenset({"tuberculosis"})
