"""schemathesis against the server's own description: no 5xx, and answers as they are described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Running, serving

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")

EXAMPLES = [8, pytest.param(80, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def described(plugins: Path) -> Iterator[Running]:
    with serving(plugins, "medsdk-spots,medsdk-marks") as server:
        yield server


def operations() -> list[str]:
    from medsdk.web.api import router

    return sorted(route.path for route in router.routes)  # type: ignore[attr-defined]


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("path", operations())
@pytest.mark.filterwarnings("default")
def test_answers_are_as_described(described: Running, path: str, examples: int) -> None:
    schema = schemathesis.openapi.from_url(f"{described.address}/api/v1/openapi.json")
    (operation,) = [one.ok() for one in schema.include(path=path).get_all_operations()]
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(case=operation.as_strategy(), known=hypothesis.strategies.booleans())
    def run(case: schemathesis.Case, known: bool) -> None:
        if known and "disease" in (case.path_parameters or {}):
            case.path_parameters["disease"] = "spots"  # which nobody would hit upon
        response = case.call(base_url=described.address)
        case.validate_response(response, checks=checks)

    run()
