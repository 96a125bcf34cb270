"""Every kind of source, and everything that is none."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from medsdk.core.analyzer import Analyzer
from medsdk.core.errors import MedsdkError, SourceError
from medsdk.core.images import Pixels
from medsdk.core.prediction import Prediction
from medsdk.testing import pictures
from medsdk.testing.subject import ContractError, Subject


def sources(subject: Subject) -> None:
    """A path, bytes, a file object, an array and a PIL image of one picture get one answer."""
    pixels = pictures.landscape()
    wanted: Prediction | None = None
    with tempfile.TemporaryDirectory(prefix="medsdk-sources-") as folder:
        path = Path(folder) / "landscape.png"
        path.write_bytes(_png(pixels))
        for name, source in _same_picture(path, pixels):
            try:
                got = replace(subject.lenient.predict(source), source="")
            except Exception as error:
                raise ContractError(f"As {name}, the picture fails: {type(error).__name__}: {error}") from error
            wanted = wanted or got
            if got != wanted:
                raise ContractError(f"As {name}, the picture gets another answer than as a path.")


def bad_sources(subject: Subject) -> None:
    """What is no picture is a SourceError with a remedy; a strange picture is judged or refused, and ends nothing."""
    with tempfile.TemporaryDirectory(prefix="medsdk-sources-") as folder:
        for name, source in _no_pictures(Path(folder)):
            _expect_refusal(subject.lenient, name, source)
    for name, pixels in _strange_pictures().items():
        try:
            prediction = subject.lenient.predict(pixels)
            _ = prediction.attention
        except MedsdkError:
            continue
        except Exception as error:
            raise ContractError(
                f"The strange picture {name!r} {pixels.shape} fails with {type(error).__name__}: {error}. "
                "Judge it, return a prediction 'rejected', or raise a MedsdkError."
            ) from error
    many = list(subject.lenient.predict_many([pictures.landscape(), b"", pictures.landscape()]))
    if [prediction.error is not None for prediction in many] != [False, True, False]:
        raise ContractError("Of many pictures, one that cannot be read stops or changes the others.")


def _expect_refusal(analyzer: Analyzer, name: str, source: Any) -> None:
    try:
        prediction = analyzer.predict(source)
    except SourceError as error:
        if not error.remedy:
            raise ContractError(f"The error for {name} has no remedy: {error}") from error
    except Exception as error:
        raise ContractError(f"For {name}, it raises {type(error).__name__}, not a SourceError: {error}") from error
    else:
        raise ContractError(f"{name} is no picture, and gets the answer {prediction.verdict!r}.")


def _same_picture(path: Path, pixels: Pixels) -> Iterator[tuple[str, Any]]:
    content = path.read_bytes()
    yield "a path", path
    yield "a path as text", str(path)
    yield "bytes", content
    yield "a file object without a name", io.BytesIO(content)
    with path.open("rb") as file:
        yield "an open file", file
    yield "an array", pixels
    yield "an array that is not contiguous", np.asfortranarray(pixels)
    if find_spec("PIL") is not None:
        from PIL import Image

        yield "a PIL image", Image.fromarray(pixels)


def _no_pictures(folder: Path) -> Iterator[tuple[str, Any]]:
    whole = _png(pictures.landscape())
    text = folder / "notes.png"
    text.write_text("This is not a picture.")
    yield "a path to nothing", folder / "nothing.png"
    yield "a folder", folder
    yield "text in a file named .png", text
    yield "no bytes", b""
    yield "half a PNG", whole[: len(whole) // 2]
    yield "an array of floats", np.zeros((32, 32, 3), np.float32)
    yield "an array without colours", np.zeros((32, 32), np.uint8)
    yield "an array without pixels", np.zeros((0, 32, 3), np.uint8)
    yield "a number", 7


def _strange_pictures() -> dict[str, Pixels]:
    return {
        "one pixel": np.full((1, 1, 3), 90, np.uint8),
        "one row": pictures.gradient(1, 600),
        "one column": np.ascontiguousarray(pictures.gradient(1, 600).transpose(1, 0, 2)),
        "three pixels": pictures.noise(1, 3),
        "black": pictures.blank(0),
        "white": pictures.blank(255, 37, 411),
        "large": pictures.noise(1500, 2000),
    }


def _png(pixels: Pixels) -> bytes:
    _, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()
