"""What a bundle must pass before it leaves the converter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medsdk.core import decision
from medsdk.core.card import Card
from medsdk_converters.errors import GateError

MAX_AUC_LOSS = 0.005
MIN_AGREEMENT = 0.99
MAX_BYTES = 8_000_000


@dataclass(frozen=True)
class Check:
    """One question of the gate and its answer."""

    name: str
    passed: bool
    message: str


def against_float(
    card: Card, exact: npt.NDArray[np.float32], quantised: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]
) -> list[Check]:
    """int8 logits against float logits (n, k) on val: AUC and agreement at the operating point."""
    from sklearn.metrics import roc_auc_score

    before, after = (
        decision.positive_probability(decision.probabilities(logits, card), card) for logits in (exact, quantised)
    )
    loss = abs(float(roc_auc_score(positive, before)) - float(roc_auc_score(positive, after)))
    threshold = card.decision.threshold
    agreement = float(((before >= threshold) == (after >= threshold)).mean())
    return [
        Check("AUC", loss <= MAX_AUC_LOSS, f"int8 and float differ by {loss:.4f}, allowed are {MAX_AUC_LOSS}"),
        Check("agreement", agreement >= MIN_AGREEMENT, f"{agreement:.4f} agree, wanted are {MIN_AGREEMENT}"),
    ]


def of_model(content: bytes, card: Card) -> Iterator[Check]:
    """What the file alone tells: signature, delegates, size."""
    delegates = count_delegates(content)
    yield Check("delegate", delegates == 1, f"{delegates} XNNPACK delegate nodes, wanted is 1")
    yield Check("size", len(content) <= MAX_BYTES, f"{len(content):,} bytes, allowed are {MAX_BYTES:,}")
    from medsdk.core.runtime import Model

    with Model(content, card.disease) as model:
        expected = (1, card.input.height, card.input.width, 3)
        shapes = model.output_shapes
        fits = model.input_shape == expected and shapes.get(card.outputs.logits) == (1, card.logits)
        yield Check("signature", fits, f"input {model.input_shape} {model.input_dtype}, outputs {shapes}")


def count_delegates(content: bytes) -> int:
    """How many delegate nodes the runtime cuts the model into."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    # There is no public call that tells this; the test of every shipped model would notice if it went away.
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())


def enforce(checks: list[Check]) -> None:
    """Raises GateError with every check that failed."""
    failed = [f"{check.name}: {check.message}" for check in checks if not check.passed]
    if failed:
        raise GateError(
            f"The model does not pass the gate: {'; '.join(failed)}.",
            "Nothing was written. Train longer, use quantisation-aware fine-tuning, or another backbone.",
        )
