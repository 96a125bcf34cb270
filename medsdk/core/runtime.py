"""The TFLite runtime adapter: ai-edge-litert, else tflite-runtime, else TensorFlow.

`MEDSDK_RUNTIME` chooses one by its package name. One `Model` serves one thread at a time. XNNPACK is every runtime's own
default; another delegate, such as the Coral Edge TPU's, is a library that is loaded by its name.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from medsdk.core.errors import RuntimeUnavailableError

FORCE = "MEDSDK_RUNTIME"
DELEGATE = "MEDSDK_DELEGATE"


Speed: TypeAlias = Literal["fast", "slow"]

# Names that may be given in place of a library's path.
_EDGE_TPU = {"linux": "libedgetpu.so.1", "darwin": "libedgetpu.1.dylib", "win32": "edgetpu.dll"}
EDGE_TPU = "edgetpu"
_EDGE_TPU_REMEDY = (
    "Install Coral's Edge TPU runtime (Debian: libedgetpu1-std) and plug the device in, or leave the delegate out. "
    "A model must have been compiled for it (edgetpu_compiler); another runs as without."
)
_LIBRARY_REMEDY = "Check the path, and that the library is a TFLite delegate for this machine, or leave the delegate out."


@dataclass(frozen=True)
class Candidate:
    """A package that brings an Interpreter, where it is, its speed class for int8 models, and what to know of it."""

    package: str
    module: str
    speed: Speed
    remark: str
    faster: str | None = None


_LITERT = (
    "ai-edge-litert is many times faster, where its wheels run: 64-bit, Python 3.10 or newer (pip install ai-edge-litert)"
)

CANDIDATES = (
    Candidate("ai-edge-litert", "ai_edge_litert.interpreter", "fast", "int8 and float32 through XNNPACK"),
    Candidate("tflite-runtime", "tflite_runtime.interpreter", "slow", "int8 without XNNPACK", _LITERT),
    Candidate(
        "tensorflow",
        # Not tensorflow.lite: that has no Interpreter unless the whole of TensorFlow was imported before.
        "tensorflow.lite.python.interpreter",
        "fast",
        "int8 and float32 through XNNPACK, but seconds to import and hundreds of megabytes",
        "ai-edge-litert is as fast and imports in a tenth of a second (pip install ai-edge-litert)",
    ),
)


@dataclass(frozen=True)
class Runtime:
    """The runtime in use. `interpreter` is its Interpreter class, `load_delegate` its function of that name."""

    name: str
    version: str
    reason: str
    speed: Speed
    remark: str
    faster: str | None
    interpreter: Any
    load_delegate: Any

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
            version = str(sys.modules[candidate.module.partition(".")[0]].__version__)
        except Exception as error:  # a runtime built for another CPU or NumPy fails in its own ways
            failures.append(f"{candidate.package} ({type(error).__name__}: {error})")
            continue
        reason = f"{FORCE} names it" if forced else "the first that can be imported"
        return Runtime(
            candidate.package,
            version,
            reason,
            candidate.speed,
            candidate.remark,
            candidate.faster,
            module.Interpreter,
            module.load_delegate,
        )
    names = ", ".join(candidate.package for candidate in CANDIDATES)
    raise RuntimeUnavailableError(
        f"No TFLite runtime can be used: {'; '.join(failures) or f'{FORCE}={forced} is none of {names}'}.",
        "Install one: pip install ai-edge-litert",
    )


class Model:
    """An opened model. Not thread-safe; outputs are copies, float32, without the batch axis.

    `threads` is how many work on one picture; `delegate` is "edgetpu" or the path of a delegate's library.
    """

    def __init__(self, content: bytes, name: str, threads: int = 1, delegate: str | None = None) -> None:
        delegates = [_delegate(delegate)] if delegate else None
        try:
            self._interpreter = runtime().interpreter(
                model_content=content, num_threads=threads, experimental_delegates=delegates
            )
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


def _delegate(name: str) -> Any:
    """The delegate of a library. Raises RuntimeUnavailableError, with where it comes from."""
    library = _EDGE_TPU.get(sys.platform, name) if name == EDGE_TPU else name
    try:
        # Looked at here first: where that fails, the runtimes' own way leaves a traceback of its clearing up behind.
        _ = ctypes.CDLL(library).tflite_plugin_create_delegate
        return runtime().load_delegate(library)
    except (OSError, ValueError, AttributeError) as error:
        cause = str(error).strip().rstrip(".") or "it says no more"
        raise RuntimeUnavailableError(
            f"The delegate {library} cannot be loaded by {runtime()}: {cause}.",
            _EDGE_TPU_REMEDY if name == EDGE_TPU else _LIBRARY_REMEDY,
        ) from None
