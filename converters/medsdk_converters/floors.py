"""The shortcut floors: how well can the classes be told apart without looking at the disease?

A figure of a model means little if the picture's border, or its mean colour, says nearly as much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_BORDER = 2


def border(thumbnails: npt.NDArray[np.uint8]) -> Floats:
    """The outermost pixels of (n, 32, 32, 3), as rows."""
    mask = np.ones(thumbnails.shape[1:3], bool)
    mask[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    return thumbnails[:, mask].reshape(len(thumbnails), -1) / 255.0


def colour(thumbnails: npt.NDArray[np.uint8]) -> Floats:
    """Mean and standard deviation of each channel: six numbers a picture."""
    pixels = thumbnails.reshape(len(thumbnails), -1, 3) / 255.0
    return np.concatenate([pixels.mean(axis=1), pixels.std(axis=1)], axis=1)


FLOORS = {"floor_border_auc": border, "floor_colour_auc": colour}


def scores(features: Floats, positive: npt.NDArray[np.bool_], train: Sequence[int] | npt.NDArray[np.int64]) -> Floats:
    """Logistic regression on the training rows; the chance of 'positive' for every row (n,)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=0.01, class_weight="balanced"))
    model.fit(features[train], positive[train])
    return np.asarray(model.predict_proba(features)[:, 1])
