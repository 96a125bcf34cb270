"""The plugin keeps the contract, and real pictures of its test split are judged as its card says."""

from __future__ import annotations

import pytest

from medsdk.testing import Conformance
from medsdk.testing.labelled import LabelledPictures


class TestCovid(Conformance):
    disease = "covid"


@pytest.mark.data
class TestCovidOnRealPictures(LabelledPictures):
    disease = "covid"
    pack = "chest"
    ill = frozenset({"covid"})
