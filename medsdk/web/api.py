"""The HTTP API, /api/v1: what programs ask. Answers are the JSON that the command line prints."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from medsdk.web import metrics, schemas
from medsdk.web.problems import NoPictureError
from medsdk.web.schemas import PICTURE_BODY, problems
from medsdk.web.services import Services, services
from medsdk.web.uploads import Form, Upload, is_form

router = APIRouter(prefix="/api/v1")

Here = Annotated[Services, Depends(services)]

_PICTURE_PROBLEMS = problems(404, 408, 413, 415, 422, 500)


@router.get("/diseases", response_model=schemas.DiseasesBody, responses=problems(), tags=["diseases"])
async def diseases(here: Here) -> Response:
    """What is installed."""
    found = [
        {
            "id": entry.id,
            "name": entry.card.name,
            "picture": entry.card.picture,
            "status": entry.card.status,
            "distribution": entry.distribution,
            "version": entry.version,
        }
        for entry in here.catalogue.entries
    ]
    left_out = [
        {"disease": problem.disease, "distribution": problem.distribution, "version": problem.version}
        for problem in here.catalogue.problems
    ]
    return _json({"diseases": found, "left_out": left_out})


@router.get("/diseases/{disease}/card", response_model=schemas.CardBody, responses=problems(404), tags=["diseases"])
async def card(disease: str, here: Here) -> Response:
    """The model card: labels, operating point, figures, data, licence, limits."""
    entry = here.catalogue.entry(disease)
    return _json({"distribution": entry.distribution, "version": entry.version, "card": entry.published})


@router.post(
    "/diseases/{disease}/predict",
    response_model=schemas.PredictionBody | schemas.PredictionsBody,
    responses=_PICTURE_PROBLEMS,
    openapi_extra=PICTURE_BODY,
    tags=["pictures"],
)
async def predict(disease: str, request: Request, here: Here) -> Response:
    """Judge pictures: a body gives one prediction, a form a list in which bad pictures have `error` set."""
    entry = here.catalogue.entry(disease)
    here.pool.refuse_if_full()
    form = await here.reader.pictures(request)
    if not is_form(request):
        upload = _only(form)
        with here.pool.place():
            return _json((await here.judge(entry, upload)).to_dict())
    if not form.uploads:
        raise _no_picture()
    with here.pool.place():
        predictions = [(await here.judge_or_error(entry, upload)).to_dict() for upload in form.uploads]
    return _json({"predictions": predictions})


@router.post(
    "/diseases/{disease}/attention",
    response_class=Response,
    responses={**_PICTURE_PROBLEMS, 200: {"content": {"image/png": {}}, "description": "The map over the picture"}},
    openapi_extra=PICTURE_BODY,
    tags=["pictures"],
)
async def attention(disease: str, request: Request, here: Here) -> Response:
    """Where the model looked, painted over the one picture sent."""
    entry = here.catalogue.entry(disease)
    here.pool.refuse_if_full()
    upload = _only(await here.reader.pictures(request))
    with here.pool.place():
        return Response(await here.overlay(entry, upload), media_type="image/png")


@router.post(
    "/identify",
    response_model=schemas.MatchesBody,
    responses=problems(408, 413, 415, 422, 500),
    openapi_extra=PICTURE_BODY,
    tags=["pictures"],
)
async def identify(request: Request, here: Here) -> Response:
    """Which installed diseases accept this kind of picture."""
    here.pool.refuse_if_full()
    upload = _only(await here.reader.pictures(request))
    with here.pool.place():
        matches = await here.identify(upload)
    return _json({"diseases": matches})


@router.get("/health", response_model=schemas.StateBody, tags=["server"])
async def health() -> Response:
    """Whether the server lives."""
    return _json({"state": "ok"})


@router.get(
    "/readiness",
    response_model=schemas.StateBody,
    responses={503: {"model": schemas.StateBody, "description": "Not now"}},
    tags=["server"],
)
async def readiness(here: Here) -> Response:
    """Whether the server can judge a picture now."""
    if not here.catalogue.loaded:
        return _json({"state": "loading"}, 503)
    if not here.catalogue.entries:
        return _json({"state": "no disease"}, 503)
    if here.pool.full:
        return _json({"state": "busy"}, 503)
    return _json({"state": "ok"})


@router.get(
    "/metrics",
    response_class=Response,
    responses={**problems(), 200: {"content": {"text/plain": {}}, "description": "Prometheus' text format"}},
    tags=["server"],
)
async def show_metrics(here: Here) -> Response:
    """Counters and times, for Prometheus."""
    here.metrics.inside.set(here.pool.inside)
    here.metrics.diseases.set(len(here.catalogue.entries))
    return Response(here.metrics.text(), media_type=metrics.MEDIA_TYPE)


def _only(form: Form) -> Upload:
    if len(form.uploads) != 1:
        raise _no_picture()
    return form.uploads[0]


def _no_picture() -> NoPictureError:
    return NoPictureError("There is no picture, or more than one where one is asked for.", "Send one file as 'picture'.")


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
