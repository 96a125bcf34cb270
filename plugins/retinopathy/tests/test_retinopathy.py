"""The plugin keeps the contract, and real pictures of its test split are judged as its card says."""

from __future__ import annotations

import pytest

from medsdk.testing import Conformance
from medsdk.testing.labelled import LabelledPictures


class TestRetinopathy(Conformance):
    disease = "retinopathy"


@pytest.mark.data
class TestRetinopathyOnRealPictures(LabelledPictures):
    disease = "retinopathy"
    pack = "retina"
    ill = frozenset({"2", "3", "4"})
