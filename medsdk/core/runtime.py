"""The TFLite runtime adapter: ai-edge-litert, else tflite-runtime, else TensorFlow.

`MEDSDK_RUNTIME` chooses one by its package name. One `Model` serves one thread at a time.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.core.errors import RuntimeUnavailableError

FORCE = "MEDSDK_RUNTIME"


@dataclass(frozen=True)
class Candidate:
    """A package that brings an Interpreter, where it is, and what to know of it."""

    package: str
    module: str
    remark: str


CANDIDATES = (
    Candidate("ai-edge-litert", "ai_edge_litert.interpreter", "int8 and float32 through XNNPACK"),
    Candidate("tflite-runtime", "tflite_runtime.interpreter", "int8 without XNNPACK: many times slower"),
    Candidate("tensorflow", "tensorflow.lite", "slow to import, large"),
)


@dataclass(frozen=True)
class Runtime:
    """The runtime in use. `interpreter` is its Interpreter class."""

    name: str
    version: str
    reason: str
    remark: str
    interpreter: Any

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """The first candidate that imports, or the one that MEDSDK_RUNTIME names. Raises RuntimeUnavailableError."""
    forced = os.environ.get(FORCE)
    candidates = [c for c in CANDIDATES if c.package == forced] if forced else list(CANDIDATES)
    failures = []
    for candidate in candidates:
        try:
            module = importlib.import_module(candidate.module)
            version = metadata.version(candidate.package)
        except Exception as error:  # a runtime built for another CPU or NumPy fails in its own ways
            failures.append(f"{candidate.package} ({type(error).__name__}: {error})")
            continue
        reason = f"{FORCE} names it" if forced else "the first that can be imported"
        return Runtime(candidate.package, version, reason, candidate.remark, module.Interpreter)
    names = ", ".join(candidate.package for candidate in CANDIDATES)
    raise RuntimeUnavailableError(
        f"No TFLite runtime can be used: {'; '.join(failures) or f'{FORCE}={forced} is none of {names}'}.",
        "Install one: pip install ai-edge-litert",
    )


class Model:
    """An opened model. Not thread-safe; outputs are copies, float32, without the batch axis."""

    def __init__(self, content: bytes, name: str, threads: int = 1) -> None:
        try:
            self._interpreter = runtime().interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            signature = self._interpreter.get_signature_runner()
            self._outputs: dict[str, dict[str, Any]] = signature.get_output_details()
            (self._input,) = signature.get_input_details().values()
        except (ValueError, RuntimeError) as error:
            raise RuntimeUnavailableError(
                f"{name}: {runtime()} cannot open the model ({error}).", "Update the runtime, or the plugin."
            ) from None

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self._input["shape"])

    @property
    def input_dtype(self) -> str:
        return str(np.dtype(self._input["dtype"]))

    @property
    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(int(n) for n in details["shape"]) for name, details in self._outputs.items()}

    def run(self, values: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.float32]]:
        """One picture (1, h, w, 3) in, every output by name."""
        self._interpreter.set_tensor(self._input["index"], values)
        self._interpreter.invoke()
        return {name: self._read(details) for name, details in self._outputs.items()}

    def close(self) -> None:
        self._interpreter = None

    def __enter__(self) -> Model:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _read(self, details: dict[str, Any]) -> npt.NDArray[np.float32]:
        values: npt.NDArray[Any] = self._interpreter.get_tensor(details["index"])[0]
        scale, zero_point = details["quantization"]
        if scale and values.dtype != np.float32:
            # int64, because uint8 minus a zero point wraps round.
            return ((values.astype(np.int64) - zero_point) * scale).astype(np.float32)
        return values.astype(np.float32, copy=False)
