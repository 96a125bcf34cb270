"""The folder beside a plugin's code: card.json, model.tflite, reference.npz. Nothing is opened before its sha256 fits."""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medsdk.core.card import Card, File, read_card
from medsdk.core.errors import CardError, ModelDamagedError

CARD = "card.json"


class Bundle:
    """A card and the files it speaks of. `card` stands in for the folder's card.json where it is given."""

    def __init__(self, folder: str | Path, card: Card | None = None) -> None:
        self.folder = Path(folder)
        self._card = card

    @classmethod
    def beside(cls, module_file: str) -> Bundle:
        """The bundle in the folder of a module: `Bundle.beside(__file__)`."""
        return cls(Path(module_file).parent)

    @cached_property
    def card(self) -> Card:
        """Raises CardError."""
        return self._card or read_card(self.folder / CARD)

    @cached_property
    def reference(self) -> dict[str, npt.NDArray[np.float32]]:
        """The numbers behind rejection and attention; empty where the card names none. Raises ModelDamagedError."""
        if self.card.reference is None:
            return {}
        with np.load(io.BytesIO(self._checked(self.card.reference)), allow_pickle=False) as arrays:
            return {name: arrays[name].astype(np.float32) for name in arrays.files}

    def model(self) -> bytes:
        """The model's content, equal to what the card says. Raises ModelDamagedError."""
        return self._checked(self.card.model)

    def read(self, name: str) -> bytes:
        """One of the card's `files`, by name, equal to what the card says of it. Raises CardError, ModelDamagedError."""
        expected = next((file for file in self.card.files if file.file == name), None)
        if expected is None:
            raise CardError(str(self.folder / CARD), f"files: it names no {name!r}.", "Reinstall the plugin.")
        return self._checked(expected)

    def _checked(self, expected: File) -> bytes:
        return read_checked(self.folder, expected, "Reinstall the plugin.")


def read_checked(folder: Path, expected: File, remedy: str) -> bytes:
    """A file's content, equal to what a card says of it. Raises ModelDamagedError, which ends with the remedy."""
    path = folder / expected.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelDamagedError(str(path), f"it cannot be read ({error}).", remedy) from None
    if len(content) != expected.bytes:
        raise ModelDamagedError(str(path), f"it has {len(content)} bytes, the card says {expected.bytes}.", remedy)
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise ModelDamagedError(str(path), "its sha256 is not the one in the card.", remedy)
    return content
