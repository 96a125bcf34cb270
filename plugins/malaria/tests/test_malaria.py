"""The plugin keeps the contract, and real pictures of its test split are judged as its card says."""

from __future__ import annotations

import pytest

from medsdk.testing import Conformance
from medsdk.testing.labelled import LabelledPictures


class TestMalaria(Conformance):
    disease = "malaria"


@pytest.mark.data
class TestMalariaOnRealPictures(LabelledPictures):
    disease = "malaria"
    pack = "malaria_cells"
    ill = frozenset({"parasitized"})
