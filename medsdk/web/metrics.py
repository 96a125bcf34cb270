"""What the server counts, for Prometheus: how much and how fast, nothing about any picture."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from medsdk.core.prediction import Prediction

MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """A registry of its own, so that two servers in one process do not count together."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "medsdk_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.predictions = Counter(
            "medsdk_predictions_total", "Pictures judged.", ("disease", "verdict"), registry=self.registry
        )
        self.judging = Histogram(
            "medsdk_judging_seconds",
            "Time that judging one picture took, decoding included.",
            ("disease",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.inside = Gauge("medsdk_queue_requests", "Requests being judged or waiting for it.", registry=self.registry)
        self.diseases = Gauge("medsdk_diseases", "Diseases that can be asked for.", registry=self.registry)

    def count(self, prediction: Prediction) -> None:
        """Count a prediction; one that could not be read counts as `unreadable`."""
        self.predictions.labels(prediction.disease, prediction.verdict or "unreadable").inc()
        timings = prediction.timings
        milliseconds = timings.decode + timings.preprocess + timings.invoke + timings.postprocess
        self.judging.labels(prediction.disease).observe(milliseconds / 1000)

    def text(self) -> bytes:
        """The exposition format that Prometheus reads."""
        return generate_latest(self.registry)
