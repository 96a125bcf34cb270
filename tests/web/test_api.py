from __future__ import annotations

import json

import cv2
import drawing
import numpy as np
import pytest
from serving import SPOTS, Running

import medsdk
from medsdk.web import schemas

SLIDE = drawing.encoded(drawing.slide(7, seed=107))
CLEAR = drawing.encoded(drawing.slide(0, seed=100))
MEADOW = drawing.encoded(drawing.meadow())
PREDICT = "/api/v1/diseases/spots/predict"


def test_diseases_are_listed_third_party_ones_included_and_broken_ones_told_of(running: Running) -> None:
    answer = running.client.get("/api/v1/diseases").json()
    assert {one["id"] for one in answer["diseases"]} == {"spots", "marks"}
    assert answer["left_out"] == [{"disease": "broken", "distribution": "medsdk-broken", "version": "0.1.0"}]


def test_the_card_is_what_info_prints(running: Running) -> None:
    answer = running.client.get("/api/v1/diseases/spots/card").json()
    assert answer["distribution"] == "medsdk-spots"
    assert answer["card"]["labels"][0] == {"id": "clear", "name": "Clear", "positive": False}


def test_a_body_is_judged_as_the_library_judges_it(running: Running) -> None:
    answer = running.client.post(PREDICT, content=SLIDE).json()
    with medsdk.load(medsdk.Bundle(SPOTS)) as analyzer:
        expected = json.loads(analyzer.predict(SLIDE).to_json())
    changing = {"source", "timings_ms", "provenance"}
    assert {k: v for k, v in answer.items() if k not in changing} == {k: v for k, v in expected.items() if k not in changing}
    assert answer["verdict"] == "positive"
    assert answer["provenance"]["distribution"] == "medsdk-spots"
    assert all(milliseconds > 0 for milliseconds in answer["timings_ms"].values())
    schemas.PredictionBody.model_validate(answer)


def test_a_large_photograph_gets_the_librarys_answer(running: Running) -> None:
    """A JPEG of more than four megapixels is decoded at a reduced scale, here as there."""
    photograph = drawing.encoded(drawing.slide(40, seed=3, height=1800, width=2400), ".jpg")
    with medsdk.load(medsdk.Bundle(SPOTS)) as analyzer:
        expected = analyzer.predict(photograph).probability
    assert running.client.post(PREDICT, content=photograph).json()["probability"] == expected


def test_a_form_gives_one_prediction_each_and_a_bad_picture_costs_no_other(running: Running) -> None:
    files = [("picture", ("one.png", SLIDE)), ("picture", ("two.png", b"<svg/>")), ("picture", ("three.png", CLEAR))]
    found = running.client.post(PREDICT, files=files).json()["predictions"]
    assert [one["source"] for one in found] == ["one.png", "two.png", "three.png"]
    assert [one["verdict"] for one in found] == ["positive", None, "negative"]
    assert "Convert it" in found[1]["error"]


def test_another_kind_of_picture_is_rejected_with_the_reason(running: Running) -> None:
    answer = running.client.post(PREDICT, content=MEADOW).json()
    assert answer["verdict"] == "rejected"
    assert "a drawn slide" in answer["reason"]
    assert answer["probability"] is None


def test_attention_is_a_picture_of_the_same_size(running: Running) -> None:
    answer = running.client.post("/api/v1/diseases/spots/attention", content=SLIDE)
    assert answer.headers["content-type"] == "image/png"
    painted = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert painted is not None
    assert painted.shape == (240, 320, 3)


def test_attention_on_a_rejected_picture_says_why_there_is_none(running: Running) -> None:
    answer = running.client.post("/api/v1/diseases/spots/attention", content=MEADOW)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:medsdk:problem:no-attention")


def test_identify_names_those_that_accept_the_picture(running: Running) -> None:
    found = running.client.post("/api/v1/identify", content=SLIDE).json()["diseases"]
    assert {one["disease"] for one in found} == {"spots", "marks"}
    assert all(0 <= one["fit"] <= 1 for one in found)
    assert running.client.post("/api/v1/identify", content=MEADOW).json() == {"diseases": []}


@pytest.mark.parametrize(
    ("path", "content", "status", "kind"),
    [
        ("/api/v1/diseases/nothing/predict", SLIDE, 404, "unknown-disease"),
        (PREDICT, b"", 422, "no-picture"),
        (PREDICT, b"<html><script>alert(1)</script>", 415, "unsupported-format"),
        (PREDICT, SLIDE[:-200], 422, "damaged-picture"),
        ("/api/v1/nothing", b"", 404, "not-found"),
        ("/api/v1/health", b"", 405, "method-not-allowed"),
    ],
)
def test_errors_are_problems_with_the_remedy(running: Running, path: str, content: bytes, status: int, kind: str) -> None:
    answer = running.client.post(path, content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = schemas.ProblemBody.model_validate(answer.json())
    assert problem.type == f"urn:medsdk:problem:{kind}"
    assert problem.remedy


def test_a_form_without_a_picture_or_without_a_boundary_is_a_problem(running: Running) -> None:
    for headers, content in (
        ({"content-type": "multipart/form-data"}, b"x"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x--\r\n"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"nonsense"),
    ):
        assert running.client.post(PREDICT, headers=headers, content=content).status_code == 422


def test_health_readiness_and_metrics(running: Running) -> None:
    assert running.client.get("/api/v1/health").json() == {"state": "ok"}
    assert running.client.get("/api/v1/readiness").json() == {"state": "ok"}
    running.client.post(PREDICT, content=SLIDE)
    text = running.client.get("/api/v1/metrics").text
    assert 'medsdk_predictions_total{disease="spots",verdict="positive"}' in text
    assert 'route="/api/v1/diseases/{disease}/predict"' in text
    assert "medsdk_diseases 2.0" in text


def test_the_description_names_every_route_and_loads_nothing_from_elsewhere(running: Running) -> None:
    described = running.client.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {
        f"/api/v1/{path}"
        for path in (
            "diseases",
            "diseases/{disease}/card",
            "diseases/{disease}/predict",
            "diseases/{disease}/attention",
            "identify",
            "health",
            "readiness",
            "metrics",
        )
    }
    assert running.client.get("/docs").status_code == 404


def test_a_picture_that_lies_about_its_name_is_judged_by_its_content(running: Running) -> None:
    files = [("picture", ("page.html", SLIDE, "text/html"))]
    assert running.client.post(PREDICT, files=files).json()["predictions"][0]["verdict"] == "positive"
