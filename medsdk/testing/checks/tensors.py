"""What the plugin makes of pixels before the model sees them."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core.files import write_beside
from medsdk.core.images import Pixels
from medsdk.core.preprocessing import Tensor
from medsdk.testing import pictures
from medsdk.testing.subject import ContractError, NotApplicableError, Subject

_GRID = 4
# OpenCV's versions round differently; another resize, colour order or range is far more than this.
_TOLERANCE = 2.0


def preprocessing(subject: Subject) -> None:
    """The model's shape, type and range for pictures of any shape; the picture itself is left as it was."""
    spec = subject.card.input
    expected = (1, spec.height, spec.width, spec.channels)
    low, high = (0.0, 255.0) if spec.dtype == "uint8" else spec.value_range
    for name, pixels in _pictures().items():
        given = pixels.copy()
        tensor = np.asarray(subject.plugin.preprocess(given))
        if tensor.shape != expected or str(tensor.dtype) != spec.dtype:
            raise ContractError(
                f"preprocess makes {tensor.dtype} {tensor.shape} of the picture {name!r} {pixels.shape}; "
                f"the card says {spec.dtype} {expected}."
            )
        if tensor.min() < low - 1e-3 or tensor.max() > high + 1e-3:
            raise ContractError(
                f"preprocess makes values from {tensor.min()} to {tensor.max()} of {name!r}; the card says {low} to {high}."
            )
        if not np.array_equal(given, pixels):
            raise ContractError("preprocess changes the array that it was given: it belongs to the caller. Copy it first.")
        if not np.array_equal(tensor, np.asarray(subject.plugin.preprocess(given))):
            raise ContractError(f"preprocess makes two things of the same picture {name!r}.")


def preprocessing_golden(subject: Subject) -> None:
    """The same tensors as when the golden file was written: a change here makes a trained model worse in silence."""
    if subject.golden is None:
        raise NotApplicableError("The golden file of preprocessing belongs to the plugin's own tests.")
    found = {name: _fingerprint(subject, pixels) for name, pixels in _pictures().items()}
    if subject.write_golden:
        text = ",\n".join(f"{json.dumps(name)}: {json.dumps(print_)}" for name, print_ in found.items())
        write_beside(subject.golden, f"{{\n{text}\n}}\n".encode())
        return
    if not subject.golden.is_file():
        raise ContractError(
            f"There is no {subject.golden.name} beside the tests. Write it once (pytest --medsdk-golden) and commit it."
        )
    golden = json.loads(subject.golden.read_bytes())
    differing = [name for name in found if name not in golden or _differ(found[name], golden[name])]
    if differing:
        raise ContractError(
            f"preprocess makes other tensors than {subject.golden.name} remembers ({', '.join(differing)}). If that is "
            "meant, train the model again, then write the file anew: pytest --medsdk-golden"
        )


def _pictures() -> dict[str, Pixels]:
    return {
        "landscape": pictures.landscape(),
        "noise": pictures.noise(),
        "upright": pictures.letter(),
        "gradient": pictures.gradient(61, 403),
        "small": pictures.noise(9, 7),
    }


def _fingerprint(subject: Subject, pixels: Pixels) -> dict[str, Any]:
    """Means of 4 × 4 blocks, and the contrast inside them, which tells one interpolation from another; in grey levels."""
    made = subject.plugin.preprocess(pixels)
    tensor = np.asarray(made)
    spec = subject.card.input
    low, high = (0.0, 255.0) if spec.dtype == "uint8" else spec.value_range
    grey = (tensor[0].astype(np.float32) - low) * (255 / (high - low))
    means = _blocks(grey)
    contrast = np.sqrt(np.maximum(_blocks(grey**2) - means**2, 0)).mean(axis=(0, 1))
    view = made.view if isinstance(made, Tensor) else None
    return {
        "shape": list(tensor.shape),
        "view": [view.left, view.top, view.width, view.height] if view else None,
        "contrast": contrast.round(1).tolist(),
        "means": means.round(1).tolist(),
    }


def _blocks(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.resize(values, (_GRID, _GRID), interpolation=cv2.INTER_AREA), np.float32)


def _differ(found: dict[str, Any], golden: dict[str, Any]) -> bool:
    if found["shape"] != golden["shape"] or (found["view"] is None) != (golden["view"] is None):
        return True
    if found["view"] is not None and not np.allclose(found["view"], golden["view"], atol=_TOLERANCE):
        return True
    return any(not np.allclose(found[key], golden[key], atol=_TOLERANCE) for key in ("contrast", "means"))
