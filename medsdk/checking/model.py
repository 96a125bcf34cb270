"""What a model's file alone tells: its signature, its size, and in how many pieces the runtime runs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from medsdk.core.card import Card
from medsdk.core.runtime import Model, runtime

# The model of a small device; float weights are two or four times as large.
MAX_BYTES = {"int8": 8_000_000, "dynamic": 8_000_000, "float16": 16_000_000, "float32": 32_000_000}
# The one runtime that hands int8 networks to XNNPACK as a whole.
_DELEGATING = "ai-edge-litert"


@dataclass(frozen=True)
class Check:
    """One question and its answer; `passed` is None where it could not be asked here, and the message says why."""

    name: str
    passed: bool | None
    message: str

    @property
    def word(self) -> str:
        """The answer as a column of a table."""
        return {True: "ok", False: "FAIL", None: "-"}[self.passed]


def all_passed(checks: Iterable[Check]) -> bool:
    """Whether none failed; what could not be asked does not count."""
    return all(check.passed is not False for check in checks)


def of_model(content: bytes, card: Card) -> Iterator[Check]:
    """Signature, delegates, size. Raises RuntimeUnavailableError where the runtime cannot open the file."""
    with Model(content, card.disease) as model:
        yield _signature(model, card)
    precision = precision_of(content)
    yield _delegates(content, precision)
    most = MAX_BYTES[precision]
    yield Check("size", len(content) <= most, f"{len(content):,} bytes of {precision}, allowed {most:,}")


def precision_of(content: bytes) -> str:
    """int8, dynamic, float16 or float32, by the types of the model's tensors."""
    interpreter = _interpreter(content)
    (given,) = interpreter.get_input_details()
    if given["dtype"] is np.uint8:
        return "int8"
    types = {details["dtype"] for details in interpreter.get_tensor_details()}
    if np.int8 in types:
        return "dynamic"
    return "float16" if np.float16 in types else "float32"


def count_delegates(content: bytes) -> int:
    """How many delegate nodes the runtime cuts the model into."""
    interpreter = _interpreter(content)
    interpreter.allocate_tensors()
    # There is no public call that tells this; the test of every shipped model would notice if it went away.
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())


def _delegates(content: bytes, precision: str) -> Check:
    if runtime().name != _DELEGATING:
        return Check("delegate", None, f"{runtime()} has no XNNPACK delegate for int8: ask with {_DELEGATING}")
    found = count_delegates(content)
    if precision == "dynamic":
        # XNNPACK takes no depthwise convolution of this precision; who asked for it wants small, not fast.
        return Check("delegate", True, f"{found} XNNPACK delegate nodes: dynamic range is not wholly taken")
    return Check("delegate", found == 1, f"{found} XNNPACK delegate nodes, wanted 1")


def _signature(model: Model, card: Card) -> Check:
    shape = (1, card.input.height, card.input.width, 3)
    outputs = model.output_shapes
    fits = (
        model.input_shape == shape
        and model.input_dtype == card.input.dtype
        and outputs.get(card.outputs.logits) == (1, card.logits)
        and (card.outputs.features is None or len(outputs.get(card.outputs.features, ())) == 4)
        and all(len(outputs.get(name, ())) == 2 for name in card.outputs.context)
    )
    return Check("signature", fits, f"input {model.input_shape} {model.input_dtype}, outputs {outputs}")


def _interpreter(content: bytes) -> Any:
    return runtime().interpreter(model_content=content)
