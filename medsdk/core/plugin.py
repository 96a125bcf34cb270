"""What a disease is to medsdk: preprocess, model, labels, postprocess. Each has a default that reads the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from medsdk.core import attention, decision, screening
from medsdk.core import regions as many
from medsdk.core.bundle import Bundle
from medsdk.core.card import Card, Label
from medsdk.core.hookspecs import API_VERSION
from medsdk.core.images import Picture, Pixels
from medsdk.core.prediction import Prediction, Score
from medsdk.core.preprocessing import Pipeline, Tensor

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ModelOutputs:
    """What the model said of one picture, and the picture.

    `logits` is (k,), `features` (fh, fw, c) or None where the card names no features, `context` (d,) the card's context
    outputs one behind the other or None; all float32.
    """

    logits: Floats
    features: Floats | None
    tensor: Tensor
    picture: Picture
    context: Floats | None = None


class DiseasePlugin:
    """Subclass it, set `bundle`, override only what differs.

    The same object serves many threads: keep no state of a picture in it.
    """

    medsdk_api: str = API_VERSION
    bundle: Bundle
    # The name in a finding's details of how many objects were counted; None where nothing is.
    counts: str | None = None

    @property
    def card(self) -> Card:
        return self.bundle.card

    @property
    def labels(self) -> tuple[Label, ...]:
        """In the order of the model's logits."""
        return self.card.labels

    @property
    def model(self) -> bytes:
        """The TFLite file's content, checked against the card's sha256."""
        return self.bundle.model()

    def preprocess(self, image: Pixels) -> Tensor:
        """RGB uint8 (h, w, 3), any size, to the model's input. The default runs the card's steps."""
        return self._pipeline(image)

    def postprocess(self, outputs: ModelOutputs) -> Prediction:
        """What the outputs mean. The default rejects, calibrates and decides as the card says."""
        distance = self.distance(outputs)
        refusal = self._refusal(outputs.picture, distance)
        if refusal is not None:
            return Prediction(self.card.disease, outputs.picture.name, "rejected", reason=refusal, distance=distance)
        probability = decision.probabilities(outputs.logits, self.card)
        chance = float(decision.positive_probability(probability, self.card))
        scores = self._scores(probability)
        verdict = decision.verdict(chance, self.card.decision)
        reason = "The probability lies in the band around the threshold." if verdict == "inconclusive" else None
        if self.card.status == "untrained":
            verdict, reason = "inconclusive", "The model is an untrained placeholder: its numbers mean nothing."
        return Prediction(
            self.card.disease,
            outputs.picture.name,
            verdict,
            label=scores[0].label,
            probability=chance,
            scores=scores,
            reason=reason,
            distance=distance,
            explain=self.explanation(outputs),
        )

    def regions(self, image: Pixels) -> many.Regions | None:  # noqa: ARG002
        """Where the objects of a whole picture are, RGB uint8 (h, w, 3); None: the picture is one object itself.

        The default has no regions. A plugin that overrides this gets every picture at its full size.
        """
        return None

    def fold(self, regions: many.Regions, outputs: Sequence[ModelOutputs], picture: Picture) -> Prediction:
        """Add up what the model said of each of `regions.judged`, in their order, to one finding. There may be none.

        `self.postprocess(outputs[i])` is the prediction of a region alone. The default: as ill as the most ill region.
        """
        predictions = [self.postprocess(each) for each in outputs]
        return many.most_suspicious(self.card.disease, picture.name, regions, predictions)

    def combine(self, source: str, findings: Sequence[Prediction]) -> Prediction | None:  # noqa: ARG002
        """Add up the findings of several pictures of one specimen, such as the fields of one slide.

        Of each finding only `verdict`, `reason` and `details` may be used: they are what a saved session still knows.
        None, the default: this disease does not add up.
        """
        return None

    @property
    def offers_regions(self) -> bool:
        """Whether this plugin looks for regions at all."""
        return type(self).regions is not DiseasePlugin.regions

    @property
    def scale_free(self) -> bool:
        """Whether a large JPEG may be decoded at a half, a quarter or an eighth of its scale, which saves most of its time.

        Not where `preprocess` is overridden or a step before the resize counts pixels. A plugin that knows better overrides
        this. A picture in which regions may be looked for is always decoded in full.
        """
        own = type(self).preprocess is not DiseasePlugin.preprocess
        return not own and self._pipeline.scale_free

    def distance(self, outputs: ModelOutputs) -> float | None:
        """How far a picture is from the training pictures (see medsdk.core.screening); None without a reference."""
        if self._reference is None:
            return None
        if outputs.context is not None:
            return self._reference.distance(outputs.context)
        return None if outputs.features is None else self._reference.distance(screening.pool(outputs.features))

    def explanation(self, outputs: ModelOutputs) -> Callable[[], attention.Attention] | None:
        """Makes the attention map when it is called; None where the model gives no feature map.

        What it explains is the outputs, whether or not the picture would be rejected.
        """
        weights = self.bundle.reference.get("head_weights")
        if weights is None or outputs.features is None:
            return None
        evidence = attention.evidence(outputs.features, weights, decision.direction(outputs.logits, self.card))
        return _Explanation(evidence, outputs.tensor, outputs.picture)

    @cached_property
    def _pipeline(self) -> Pipeline:
        return Pipeline(self.card.input, str(self.bundle.folder / "card.json"))

    @cached_property
    def _reference(self) -> screening.Reference | None:
        arrays = self.bundle.reference
        if "mean" not in arrays:
            return None
        return screening.Reference(arrays["mean"], arrays["components"], arrays["variances"], arrays["rest_variance"])

    def _refusal(self, picture: Picture, distance: float | None) -> str | None:
        if screening.is_blank(picture.pixels):
            return "The picture is blank: it has no contrast."
        limits = self.card.rejection
        if limits is None or distance is None or distance <= limits.limit:
            return None
        return (
            f"This does not look like {self.card.picture}, the only kind of picture that this model can judge "
            f"(distance {distance:.2f}, limit {limits.limit:.2f})."
        )

    def _scores(self, probability: npt.NDArray[np.float64]) -> tuple[Score, ...]:
        scores = [Score(label.id, label.name, float(value)) for label, value in zip(self.labels, probability, strict=True)]
        return tuple(sorted(scores, key=lambda score: -score.probability))


class _Explanation:
    """An attention map at the size of the feature map: small enough to keep with every prediction."""

    def __init__(self, evidence: Floats, tensor: Tensor, picture: Picture) -> None:
        self._evidence, self._view = evidence, tensor.view
        self._shape, self._scale = picture.pixels.shape, picture.scale
        self._reopen = picture.reopen

    def __call__(self) -> attention.Attention:
        view, (height, width) = self._view, self._shape[:2]
        if self._scale > 1:
            # The view is in pixels of the reduced picture; the map lies over the whole one.
            height, width = self._reopen().shape[:2]
            view = view.scaled(width / self._shape[1], height / self._shape[0])
        heat = attention.class_activation(self._evidence)
        return attention.Attention(attention.over_source(heat, view, height, width), self._reopen)
