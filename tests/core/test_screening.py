from __future__ import annotations

import numpy as np

from medsdk.core import screening


def test_distance_is_about_one_inside_and_large_outside() -> None:
    random = np.random.default_rng(0)
    basis = random.normal(size=(8, 40)).astype(np.float32)
    inside = (random.normal(size=(600, 8)) @ basis + random.normal(size=(600, 40)) * 0.1).astype(np.float32)
    reference = screening.fit(inside[:500], 8)
    assert 0.7 < float(np.median(reference.distances(inside[500:]))) < 1.3
    outside = random.normal(size=(50, 40)).astype(np.float32) * 3
    assert float(reference.distances(outside).min()) > 10


def test_a_feature_map_is_judged_by_its_mean() -> None:
    random = np.random.default_rng(0)
    pooled = random.normal(size=(100, 6)).astype(np.float32)
    reference = screening.fit(pooled, 3)
    features = np.broadcast_to(pooled[0], (5, 4, 6)).astype(np.float32)
    assert np.allclose(screening.pool(features), pooled[0], atol=1e-6)
    assert reference.distance(pooled[0]) == reference.distances(pooled[:1])[0]


def test_blank_pictures_are_known() -> None:
    assert screening.is_blank(np.zeros((50, 50, 3), np.uint8))
    assert screening.is_blank(np.full((5, 500, 3), 255, np.uint8))
    gradient = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 100, axis=1).repeat(3, axis=2)
    assert not screening.is_blank(gradient)
