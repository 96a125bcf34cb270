from __future__ import annotations

import numpy as np
import pytest

from medsdk.core import percentiles


@pytest.mark.parametrize("seed", range(20))
def test_percentiles_are_numpys_to_the_last_bit(seed: int) -> None:
    random = np.random.default_rng(seed)
    spread = random.normal(random.integers(255), 30, random.integers(1, 5000))
    values = np.clip(spread, 0, 255).astype(np.uint8)
    for low, high in ((0, 100), (1, 99), (0.5, 99.5), (33.3, 66.6)):
        assert percentiles.percentiles(values, low, high) == tuple(np.percentile(values, (low, high)))


def test_any_shape_and_stride_will_do(drawn: np.ndarray) -> None:
    for values in (drawn, drawn[::3, ::2], drawn[..., 1], drawn[:1, :1, :1]):
        assert percentiles.percentiles(values, 1, 99) == tuple(np.percentile(values, (1, 99)))


def test_more_values_than_float32_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 256, 1000).astype(np.uint8)
    monkeypatch.setattr(percentiles, "_PIECE", 64)
    assert percentiles.percentiles(values, 1, 99) == tuple(np.percentile(values, (1, 99)))
