"""The plugin keeps the contract, and real pictures of its test split are judged as its card says."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from medsdk.testing import Conformance
from medsdk.testing.labelled import LabelledPictures


class TestPneumonia(Conformance):
    disease = "pneumonia"


@pytest.mark.data
class TestPneumoniaOnRealPictures(LabelledPictures):
    disease = "pneumonia"
    pack = "pneumonia"
    ill = frozenset({"pneumonia"})
    columns = MappingProxyType({"source": "kermany"})
