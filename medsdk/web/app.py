"""The application: routes, errors and the guard around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

import medsdk
from medsdk.core.errors import MedsdkError
from medsdk.core.prediction import NOTICE
from medsdk.web import api, pages, schemas
from medsdk.web.guard import Guard
from medsdk.web.problems import Problem, problem_of, unexpected
from medsdk.web.services import Services
from medsdk.web.settings import Settings

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The ASGI application for any server; `medsdk serve` runs it under uvicorn. It judges once it has started up."""
    settings = settings or Settings()
    services = Services.of(settings)
    app = FastAPI(
        title="medsdk",
        version=medsdk.__version__,
        description=f"Does this picture show this disease? {NOTICE}",
        # FastAPI's own pages load their scripts from the network.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=_lifespan,
    )
    app.state.services = services
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(MedsdkError, cast("_Handler", _medsdk_error))
    app.add_exception_handler(HTTPException, cast("_Handler", _http_error))
    app.add_exception_handler(RequestValidationError, cast("_Handler", _invalid))
    app.add_exception_handler(Exception, _unexpected)
    _describe_problems(app)
    return Guard(app, settings, services.metrics)


_Handler = Callable[[Request, Exception], Awaitable[Response]]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the models before the first request, and finish what has begun after the last."""
    services: Services = app.state.services
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, services.catalogue.load)
    try:
        yield
    finally:
        await loop.run_in_executor(None, services.pool.close)
        services.catalogue.close()


async def _medsdk_error(request: Request, error: MedsdkError) -> Response:
    problem = problem_of(error)
    return problem.response() if _is_api(request) else pages.problem_page(request, problem)


async def _http_error(request: Request, error: HTTPException) -> Response:
    status = HTTPStatus(error.status_code)
    kind = status.phrase.lower().replace(" ", "-")
    problem = Problem(
        status, kind, f"{status.phrase}.", "The addresses are in /api/v1/openapi.json.", dict(error.headers or {})
    )
    return problem.response() if _is_api(request) else pages.problem_page(request, problem)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    fields = ", ".join(str(one["loc"][-1]) for one in error.errors())
    problem = Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"Not as described: {fields}.", "See openapi.json.")
    return problem.response() if _is_api(request) else pages.problem_page(request, problem)


async def _unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the guard logs it
    return unexpected().response() if _is_api(request) else pages.problem_page(request, unexpected())


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def _describe_problems(app: FastAPI) -> None:
    """Put the problem's schema where the routes' descriptions point, and the token where programs look for it."""
    described = app.openapi()
    components = described.setdefault("components", {})
    components.setdefault("schemas", {})["ProblemBody"] = schemas.ProblemBody.model_json_schema()
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    described["security"] = [{}, {"token": []}]
