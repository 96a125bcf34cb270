"""The shapes of the API's answers, for its OpenAPI description. The answers themselves are made as the CLI makes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp", "application/octet-stream")


class ProblemBody(BaseModel):
    """RFC 9457, with what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str


class ScoreBody(BaseModel):
    """A class with its calibrated probability."""

    label: str
    name: str
    probability: float = Field(ge=0, le=1)


class ProvenanceBody(BaseModel):
    """What made a prediction."""

    distribution: str
    version: str
    medsdk: str
    model_sha256: str
    runtime: str
    site_sha256: str | None


class PredictionBody(BaseModel):
    """What `medsdk predict --json` prints."""

    disease: str
    source: str
    verdict: Literal["positive", "negative", "inconclusive", "rejected"] | None
    label: str | None
    probability: float | None = Field(ge=0, le=1)
    scores: list[ScoreBody]
    reason: str | None
    distance: float | None
    details: dict[str, Any]
    error: str | None
    provenance: ProvenanceBody | None
    timings_ms: dict[str, float]
    notice: str


class PredictionsBody(BaseModel):
    """One prediction for each picture of a form, in its order."""

    predictions: list[PredictionBody]


class MatchBody(BaseModel):
    """A disease that accepts the picture; `fit` is 0 at best and 1 when just acceptable."""

    disease: str
    fit: float


class MatchesBody(BaseModel):
    """Best first."""

    diseases: list[MatchBody]


class DiseaseBody(BaseModel):
    """An installed disease."""

    id: str
    name: str
    picture: str
    status: Literal["trained", "untrained"]
    distribution: str
    version: str


class LeftOutBody(BaseModel):
    """A plugin that cannot be used."""

    disease: str
    distribution: str
    version: str


class DiseasesBody(BaseModel):
    """What can be asked for, and what is installed but broken."""

    diseases: list[DiseaseBody]
    left_out: list[LeftOutBody]


class CardBody(BaseModel):
    """What `medsdk info --json` prints."""

    distribution: str
    version: str
    card: dict[str, Any]


class StateBody(BaseModel):
    """Whether the server lives, or can judge."""

    state: Literal["ok", "loading", "no disease", "busy"]


_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["picture"],
        "properties": {"picture": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}},
    }
}

PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The picture's bytes, or a form with pictures. What it is is told from its content.",
        "content": {**dict.fromkeys(PICTURE_TYPES, _PICTURE), "multipart/form-data": _FORM},
    }
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for these statuses and those that any route may have."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
    described = {"description": "Problem, with the remedy", "content": {"application/problem+json": schema}}
    return dict.fromkeys(sorted({401, 403, 503, *statuses}), described)
