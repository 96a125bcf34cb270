"""The pages for people. They work without JavaScript; with it, several pictures go up at once."""

from __future__ import annotations

from datetime import datetime, timezone
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from medsdk.core.errors import MedsdkError, UnknownDiseaseError
from medsdk.web import access, figures, languages, results
from medsdk.web.languages import Language
from medsdk.web.problems import NoPictureError, Problem, WebError, problem_of
from medsdk.web.results import Result
from medsdk.web.services import Services, services
from medsdk.web.settings import MEBIBYTE
from medsdk.web.uploads import Upload

router = APIRouter(include_in_schema=False)

Here = Annotated[Services, Depends(services)]


async def _tongue(request: Request) -> Language:
    return languages.choose(request)


Tongue = Annotated[Language, Depends(_tongue)]

_HALF_A_DAY = 12 * 60 * 60
_A_YEAR = 365 * 24 * 60 * 60


@router.get("/")
async def home(request: Request, here: Here, language: Tongue) -> Response:
    """What this is and is not, and the installed diseases."""
    return _page(request, language, "home.html", {"entries": here.catalogue.entries, "problems": here.catalogue.problems})


@router.get("/judge")
async def choose_pictures(request: Request, here: Here, language: Tongue) -> Response:
    """The form for pictures."""
    asked = request.query_params.get("disease", "")
    chosen = asked if asked in {entry.id for entry in here.catalogue.entries} else ""
    return _page(request, language, "judge.html", _form_values(here, chosen))


@router.post("/judge")
async def judge(request: Request, here: Here, language: Tongue) -> Response:
    """The results: a page, or with ?part=1 the one result that a script puts into the page that it has."""
    part = "part" in request.query_params
    try:
        here.pool.refuse_if_full()
        form = await here.reader.form(request)
        if not form.uploads or (part and len(form.uploads) > 1):
            raise NoPictureError("No picture was chosen.", "Choose a picture first.")
        disease = form.fields.get("disease", "")
        with here.pool.place():
            found = [(upload.name, await _result(here, language, disease, upload)) for upload in form.uploads]
    except WebError as error:
        problem = problem_of(error)
        found = [("", results.of_error(error, language))]
        return _results(request, here, language, found, part, problem.status, problem.headers)
    return _results(request, here, language, found, part, HTTPStatus.OK, {})


@router.get("/diseases/{disease}")
async def disease_card(disease: str, request: Request, here: Here, language: Tongue) -> Response:
    """The model card for people."""
    entry = here.catalogue.entry(disease)
    evaluations = [(one, figures.rows(one, language)) for one in entry.published.evaluations]
    return _page(request, language, "card.html", {"entry": entry, "card": entry.published, "evaluations": evaluations})


@router.get("/sign-in")
async def ask_token(request: Request, language: Tongue) -> Response:
    """Asks for the token; the link that the server printed fills it in."""
    return _page(request, language, "sign_in.html", {"wrong": False})


@router.post("/sign-in")
async def sign_in(request: Request, here: Here, language: Tongue) -> Response:
    """A cookie that no script can read, and that no other site's page can send."""
    given = (await here.reader.form(request)).fields.get("token", "")
    token = here.settings.token
    if token is None or not access.is_token(given.strip(), token):
        return _page(request, language, "sign_in.html", {"wrong": True}, HTTPStatus.UNAUTHORIZED)
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        access.COOKIE,
        access.session_of(token),
        max_age=_HALF_A_DAY,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def problem_page(request: Request, problem: Problem) -> Response:
    """An error as a page. Its text is the API's."""
    language = languages.choose(request)
    return _page(request, language, "problem.html", {"problem": problem}, problem.status, problem.headers)


async def _result(here: Services, language: Language, disease: str, upload: Upload) -> Result:
    try:
        if not disease:
            matches = [here.catalogue.entry(match.disease) for match in await here.identify(upload)]
            # Several fit a chest film, and only a person knows what is asked of it.
            if len(matches) != 1:
                return results.of_choices(matches, language)
            disease = matches[0].id
        entry = here.catalogue.entry(disease)
        return results.of_prediction(await here.judge_for_page(entry, upload), entry, language)
    except UnknownDiseaseError:
        raise
    except MedsdkError as error:
        return results.of_error(error, language, _title(here, language, disease))


def _title(here: Services, language: Language, disease: str) -> str:
    return language.text(here.catalogue.entry(disease).card.name) if disease else ""


def _results(
    request: Request,
    here: Services,
    language: Language,
    found: list[tuple[str, Result]],
    part: bool,
    status: HTTPStatus,
    headers: dict[str, str],
) -> Response:
    values: dict[str, object] = {"found": found, "when": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}
    if part:
        # Without the name: the script has it, and what the client sent is not sent back.
        return _page(request, language, "part.html", values, status, headers)
    return _page(request, language, "results.html", {**values, **_form_values(here, "")}, status, headers)


def _form_values(here: Services, chosen: str) -> dict[str, object]:
    return {
        "entries": here.catalogue.entries,
        "chosen": chosen,
        "max_mebibytes": here.settings.max_bytes // MEBIBYTE,
        "max_bytes": here.settings.max_bytes,
        "max_files": here.settings.max_files,
    }


def _page(
    request: Request,
    language: Language,
    template: str,
    values: dict[str, object],
    status: HTTPStatus = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
) -> Response:
    html = language.render(template, names=languages.NAMES, **values)
    answer = Response(html, status, {"Content-Language": language.code, **(headers or {})}, "text/html")
    if request.query_params.get("lang") == language.code:
        answer.set_cookie(languages.COOKIE, language.code, max_age=_A_YEAR, httponly=True, samesite="lax")
    return answer
