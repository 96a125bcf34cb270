"""What real pictures are held against; the pictures themselves are not needed for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from medsdk.testing import ContractError
from medsdk.testing.labelled import check, locate

ILL = [False] * 20 + [True] * 20
RISING: list[float | None] = [i / 40 for i in range(40)]


def test_pictures_in_the_right_order_are_as_promised() -> None:
    check(ILL, RISING, promised=1.0)


def test_pictures_in_the_wrong_order_are_not() -> None:
    with pytest.raises(ContractError, match=r"AUC 0\.000"):
        check(ILL, RISING[::-1], promised=0.9)


def test_a_model_that_rejects_its_own_pictures_is_found() -> None:
    with pytest.raises(ContractError, match="10% of the model's own"):
        check(ILL, [None, None, *RISING[2:38], None, None], promised=0.5)


def test_without_the_pictures_a_test_says_what_it_wants(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MEDSDK_DATA", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"MEDSDK_DATA to the folder that holds cells\.tar"):
        locate("cells")
    monkeypatch.setenv("MEDSDK_DATA", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="cells is not in the folder"):
        locate("cells")
    (tmp_path / "cells").mkdir()
    assert locate("cells") == tmp_path / "cells"
