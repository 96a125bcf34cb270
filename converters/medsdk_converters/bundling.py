"""Card, model and reference into a folder, so that a reader sees the old bundle or the new one."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from medsdk.checking import golden
from medsdk.core.card import Card, File, encode_card
from medsdk.core.files import write_beside
from medsdk.core.screening import Reference

MODEL = "model.tflite"
REFERENCE = "reference.npz"
MOBILE = "mobile.tflite"
README = "README.md"
DIAGRAM = "calibration.svg"
# What may stand beside the card without being named in it.
SIBLINGS = (MOBILE, README, DIAGRAM)
WRITTEN = (MODEL, REFERENCE, *SIBLINGS)


@dataclass(frozen=True)
class Parts:
    """A bundle in memory. `siblings` are files that the card does not name, by their names in SIBLINGS; `files` are the
    card's `files`."""

    card: Card
    model: bytes
    reference: bytes
    siblings: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def with_files(self, files: dict[str, bytes]) -> Parts:
        """The same with further files, which the plugin's own code reads; the card names them."""
        named = tuple(described(name, content) for name, content in files.items())
        return replace(self, card=msgspec.structs.replace(self.card, files=named), files=files)


def described(name: str, content: bytes) -> File:
    """What the card says of a file."""
    return File(name, len(content), hashlib.sha256(content).hexdigest())


def pack_reference(
    reference: Reference | None,
    head_weights: npt.NDArray[np.float32] | None,
    golden_samples: npt.NDArray[np.uint8] | None = None,
) -> bytes:
    """The arrays as .npz bytes; float16 where half the digits are enough."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    if reference is not None:
        arrays["mean"] = reference.mean
        arrays["components"] = reference.components.astype(np.float16)
        arrays["variances"] = reference.variances
        arrays["rest_variance"] = np.asarray(reference.rest_variance)
    if head_weights is not None:
        arrays["head_weights"] = head_weights.astype(np.float32)
    if golden_samples is not None:
        arrays[golden.KEY] = golden_samples
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # its stub takes the first names for options
    return buffer.getvalue()


def write(parts: Parts, out: Path) -> None:
    """Into `out`, made if it is not there.

    A new folder appears whole, by one rename. In an old one each file is replaced by a rename, the card last: who
    reads in between is told by the sha256 that the files do not belong together, and never gets a wrong answer.
    """
    if out.exists():
        _write_files(parts, out)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.new")
    beside.mkdir(exist_ok=True)
    _write_files(parts, beside)
    beside.rename(out)


def _write_files(parts: Parts, folder: Path) -> None:
    for name in SIBLINGS:
        # One of an older model would be taken for this one's.
        if name not in parts.siblings:
            (folder / name).unlink(missing_ok=True)
    for name, content in (*parts.siblings.items(), *parts.files.items()):
        write_beside(folder / name, content)
    write_beside(folder / MODEL, parts.model)
    write_beside(folder / REFERENCE, parts.reference)
    write_beside(folder / "card.json", encode_card(parts.card))
