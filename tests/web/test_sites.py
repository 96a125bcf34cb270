"""`medsdk serve --site`: this site's own operating point judges, and every answer says so; a wrong file serves nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import drawing
import pytest
from click.testing import CliRunner
from serving import SPOTS, Running, serving

import medsdk
from medsdk.cli import main
from medsdk.web import schemas

CLEAR = drawing.encoded(drawing.slide(0, seed=100))


@pytest.fixture
def site(make_site: Callable[..., Path]) -> Path:
    return make_site(medsdk.Bundle(SPOTS).card)


@pytest.fixture
def here(plugins: Path, site: Path) -> Iterator[Running]:
    with serving(plugins, "medsdk-spots,medsdk-marks", sites={"spots": site}) as running:
        yield running


def test_the_sites_operating_point_judges_its_disease_and_no_other(here: Running, site: Path) -> None:
    with medsdk.load(medsdk.Bundle(SPOTS), site=site) as analyzer:
        expected = analyzer.predict(CLEAR)
    ours, other = (here.client.post(f"/api/v1/diseases/{id}/predict", content=CLEAR).json() for id in ("spots", "marks"))
    assert (ours["verdict"], ours["probability"]) == (expected.verdict, expected.probability)
    assert ours["provenance"]["site_sha256"] == hashlib.sha256(site.read_bytes()).hexdigest()
    assert (other["verdict"], other["provenance"]["site_sha256"]) == ("negative", None)
    body = schemas.PredictionBody.model_validate(ours)
    assert body.provenance is not None
    assert body.provenance.site_sha256


def test_the_page_says_so_and_the_card_stays_as_it_was_published(here: Running, site: Path) -> None:
    page = here.client.post("/judge?part=1", files={"picture": ("a.png", CLEAR)}, data={"disease": "spots"}).text
    assert hashlib.sha256(site.read_bytes()).hexdigest() in page
    assert "This site&#39;s own operating point" in page
    card = here.client.get("/api/v1/diseases/spots/card").json()["card"]
    assert card["decision"] == json.loads((SPOTS / "card.json").read_text())["decision"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({}, "is for 'spots' too"),
        ({"disease": "marks"}, "another model of marks"),
        ({"disease": "nothing"}, "No installed plugin offers 'nothing'"),
        ({"disease": 1}, "no site's settings"),
    ],
)
def test_a_file_that_does_not_fit_is_told_before_anything_is_served(
    changes: dict[str, object], complaint: str, plugins: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(plugins))
    other = tmp_path / "other.json"
    wrong = {"model_sha256": "0" * 64} if "disease" in changes else {}
    other.write_text(json.dumps(json.loads(site.read_bytes()) | changes | wrong))
    done = CliRunner().invoke(main, ["serve", "--port", "0", "--site", str(site), "--site", str(other)])
    assert done.exit_code in (1, 4)
    assert complaint in done.stderr
    assert "open http" not in done.stderr
