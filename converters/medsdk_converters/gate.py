"""What a bundle must pass before it leaves the converter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medsdk.core import decision
from medsdk.core.card import Card
from medsdk.core.runtime import Model
from medsdk_converters.errors import GateError

# The checks that quantisation can fail.
AGAINST_FLOAT = ("AUC", "agreement")
MAX_AUC_LOSS = 0.005
MIN_AGREEMENT = 0.99
# The model of a small device; float weights are two or four times as large.
MAX_BYTES = {"int8": 8_000_000, "dynamic": 8_000_000, "float16": 16_000_000, "float32": 32_000_000}


@dataclass(frozen=True)
class Check:
    """One question of the gate and its answer."""

    name: str
    passed: bool
    message: str


def against_float(
    card: Card, exact: npt.NDArray[np.float32], quantised: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]
) -> list[Check]:
    """The file's logits against the float model's (n, k) on val: AUC and agreement at the operating point."""
    from sklearn.metrics import roc_auc_score

    before, after = (
        decision.positive_probability(decision.probabilities(logits, card), card) for logits in (exact, quantised)
    )
    loss = abs(float(roc_auc_score(positive, before)) - float(roc_auc_score(positive, after)))
    threshold = card.decision.threshold
    agreement = float(((before >= threshold) == (after >= threshold)).mean())
    return [
        Check("AUC", loss <= MAX_AUC_LOSS, f"the file and the float model differ by {loss:.4f}, allowed {MAX_AUC_LOSS}"),
        Check("agreement", agreement >= MIN_AGREEMENT, f"{agreement:.4f} of the verdicts agree, wanted {MIN_AGREEMENT}"),
    ]


def of_model(content: bytes, card: Card) -> Iterator[Check]:
    """What the file alone tells: signature, delegates, size."""
    with Model(content, card.disease) as model:
        yield _signature(model, card)
    precision = precision_of(content)
    delegates = count_delegates(content)
    if precision == "dynamic":
        # XNNPACK takes no depthwise convolution of this precision; who asked for it wants small, not fast.
        yield Check("delegate", True, f"{delegates} XNNPACK delegate nodes: dynamic range is not wholly taken")
    else:
        yield Check("delegate", delegates == 1, f"{delegates} XNNPACK delegate nodes, wanted 1")
    most = MAX_BYTES[precision]
    yield Check("size", len(content) <= most, f"{len(content):,} bytes of {precision}, allowed {most:,}")


def precision_of(content: bytes) -> str:
    """int8, dynamic, float16 or float32, by the types of the model's tensors."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    (given,) = interpreter.get_input_details()
    if given["dtype"] is np.uint8:
        return "int8"
    types = {details["dtype"] for details in interpreter.get_tensor_details()}
    if np.int8 in types:
        return "dynamic"
    return "float16" if np.float16 in types else "float32"


def count_delegates(content: bytes) -> int:
    """How many delegate nodes the runtime cuts the model into."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    # There is no public call that tells this; the test of every shipped model would notice if it went away.
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())


def failed(checks: Iterable[Check], accepted: Collection[str] = ()) -> list[Check]:
    """The checks that failed and were not accepted by name."""
    return [check for check in checks if not check.passed and check.name not in accepted]


def enforce(checks: Iterable[Check], accepted: Collection[str] = (), worst: Iterable[str] = ()) -> None:
    """Raises GateError with every check that failed; `worst` names the layers that lose most by quantisation."""
    complaints = [f"{check.name}: {check.message}" for check in failed(checks, accepted)]
    if not complaints:
        return
    layers = list(worst)
    if layers:
        complaints.append(f"worst layers: {', '.join(layers)}")
    raise GateError(
        f"The model does not pass the gate: {'; '.join(complaints)}.",
        "Nothing was written. Train longer, use --quantise qat, or another backbone.",
    )


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
