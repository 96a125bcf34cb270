"""Rejection: is this the kind of picture that the model was trained on?

The averaged features of the training pictures, of several blocks of the network or else of the last, are described by
their mean, their leading principal components and the variance that is left. A picture's distance is the Mahalanobis
distance in that description (Lee et al. 2018, with probabilistic PCA, Tipping & Bishop 1999, for the rest), divided by
the number of dimensions: about 1 for a picture like the training pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core.images import Pixels
from medsdk.core.percentiles import percentiles

Floats = npt.NDArray[np.float32]

# A picture whose darkest and brightest hundredth differ by less than this shows nothing at all.
BLANK_CONTRAST = 8

# Standard deviation of 8-bit values. Where BLANK_CONTRAST is not reached it is at most 26 (a hundredth at the far end of
# the range, the rest together), and it takes a tenth of the time that the percentiles take.
_SURELY_CONTRAST = 32

# So many pixels a side, evenly spread, tell whether there is contrast.
_SAMPLED_SIDE = 64


@dataclass(frozen=True)
class Reference:
    """mean (c,), components (k, c) orthonormal, variances (k,), and the variance of each dimension left over."""

    mean: Floats
    components: Floats
    variances: Floats
    rest_variance: Floats

    def distance(self, averaged: Floats) -> float:
        """Distance of one picture's averaged features (c,) to the training pictures; 0 is their mean."""
        return float(self.distances(averaged[np.newaxis])[0])

    def distances(self, pooled: Floats) -> Floats:
        """The same for many pooled features (n, c) at once."""
        centred = pooled - self.mean
        projected = centred @ self.components.T
        inside = (projected**2 / self.variances).sum(axis=1)
        rest = np.maximum((centred**2).sum(axis=1) - (projected**2).sum(axis=1), 0)
        # Each part by its own dimensions, so that neither drowns the other.
        rest_dimensions = centred.shape[1] - projected.shape[1]
        distance = inside / projected.shape[1] + rest / (self.rest_variance * rest_dimensions)
        return (distance / 2).astype(np.float32)


def pool(features: Floats) -> Floats:
    """Global average (fh, fw, c) -> (c,)."""
    return features.mean(axis=(0, 1), dtype=np.float32)


def fit(pooled: Floats, dimensions: int) -> Reference:
    """Describe the pooled training features (n, c); n must exceed `dimensions`."""
    mean = pooled.mean(axis=0)
    _, singular, components = np.linalg.svd(pooled - mean, full_matrices=False)
    variances = singular**2 / (len(pooled) - 1)
    rest = variances[dimensions:].sum() / (pooled.shape[1] - dimensions)
    floor = np.float32(1e-6)
    return Reference(
        mean.astype(np.float32),
        components[:dimensions].astype(np.float32),
        np.maximum(variances[:dimensions], floor).astype(np.float32),
        np.maximum(np.float32(rest), floor),
    )


def is_blank(image: Pixels) -> bool:
    """True if the picture has no contrast that anything could be seen by."""
    height, width = (min(side, _SAMPLED_SIDE) for side in image.shape[:2])
    # NumPy takes ten times as long to gather pixels that lie apart.
    sampled = cast(Pixels, cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST))
    values = sampled.reshape(-1, 1)
    if cv2.meanStdDev(values)[1] > _SURELY_CONTRAST:
        return False
    low, high = percentiles(values, 1, 99)
    return high - low < BLANK_CONTRAST
