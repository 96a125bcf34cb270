"""What a bundle must pass before it leaves the converter."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

# What the file alone tells is asked by the SDK too, of what is installed.
from medsdk.checking.model import MAX_BYTES as MAX_BYTES
from medsdk.checking.model import Check as Check
from medsdk.checking.model import count_delegates as count_delegates
from medsdk.checking.model import of_model as of_model
from medsdk.checking.model import precision_of as precision_of
from medsdk.core import decision
from medsdk.core.card import Card
from medsdk_converters.errors import GateError

# The checks that quantisation can fail.
AGAINST_FLOAT = ("AUC", "agreement")
MAX_AUC_LOSS = 0.005
MIN_AGREEMENT = 0.99


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
