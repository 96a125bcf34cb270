"""A site's own settings: used in place of the card's, named in the provenance, refused for any other model."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import medsdk
from medsdk.cli import main

DOTS = Path(__file__).parents[1] / "testing" / "bundle"
Write = Callable[..., Path]


@pytest.fixture
def write(make_site: Write) -> Write:
    """`write(disease="x")`: the settings of a site for the tests' bundle, with some fields of the file changed."""

    def call(path: str = "site.json", **changes: Any) -> Path:
        target = make_site(medsdk.Bundle(DOTS).card, path)
        if changes:
            target.write_text(json.dumps(json.loads(target.read_bytes()) | changes))
        return target

    return call


@pytest.fixture
def disc() -> np.ndarray:
    """A disc without dots: clear by the card's operating point, dotted by the site's."""
    image = np.zeros((96, 96, 3), np.uint8)
    cv2.circle(image, (48, 48), 38, (220, 150, 160), -1)
    return np.clip(image.astype(int) + np.random.default_rng(0).integers(-6, 7, image.shape), 0, 255).astype(np.uint8)


def test_the_sites_settings_decide_in_place_of_the_cards(write: Write, disc: np.ndarray) -> None:
    path = write()
    with medsdk.load(medsdk.Bundle(DOTS)) as card_alone, medsdk.load(medsdk.Bundle(DOTS), site=path) as ours:
        plain, judged = card_alone.predict(disc), ours.predict(disc)
        logits = ours.outputs(disc).logits / 3.0
    assert (plain.verdict, judged.verdict) == ("negative", "positive")
    assert judged.probability == pytest.approx(float(np.exp(logits[1]) / np.exp(logits).sum()), rel=1e-6)
    assert ours.card.decision.rule == "sensitivity>=0.99"
    assert card_alone.card.decision.rule == "accuracy"


def test_the_provenance_says_so(write: Write, disc: np.ndarray) -> None:
    path = write()
    with medsdk.load(medsdk.Bundle(DOTS), site=str(path)) as ours:
        made = ours.predict(disc).to_dict()["provenance"]
    assert made["site_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    with medsdk.load(medsdk.Bundle(DOTS)) as plain:
        assert plain.predict(disc).to_dict()["provenance"]["site_sha256"] is None


def test_rejection_stays_the_cards(write: Write) -> None:
    foreign = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    with medsdk.load(medsdk.Bundle(DOTS), site=write()) as ours:
        assert ours.predict(foreign).verdict == "rejected"


def test_an_installed_plugin_keeps_its_own_code_and_the_next_load_is_untouched(write: Write) -> None:
    shipped = medsdk.load("malaria")
    path = write(disease="malaria", model_sha256=shipped.card.model.sha256)
    ours = medsdk.load("malaria", site=path)
    assert type(ours.plugin) is type(shipped.plugin)
    assert ours.card.calibration.temperature == 3.0
    assert shipped.card == medsdk.load("malaria").card
    assert shipped.card.decision != ours.card.decision


def test_a_plugin_object_that_is_given_is_left_as_it_is(write: Write) -> None:
    plugin = medsdk.load(medsdk.Bundle(DOTS)).plugin
    before = plugin.card
    assert medsdk.load(plugin, site=write()).card != before
    assert plugin.card is before


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"disease": "malaria"}, "for 'malaria', not for 'dots'"),
        ({"model_sha256": "0" * 64}, "another model of dots"),
        ({"calibration": {"temperature": 0}}, r"calibration\.temperature"),
        ({"decision": {"threshold": 0.9, "inconclusive": [0.1, 0.2], "rule": "x", "split": "val"}}, "band"),
        ({"treshold": 0.5}, "treshold"),
        ({"schema_version": 2}, "schema_version"),
        ({"pictures": 0}, "pictures"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], complaint: str, write: Write) -> None:
    with pytest.raises(medsdk.SiteError, match=complaint) as caught:
        medsdk.load(medsdk.Bundle(DOTS), site=write(**changes))
    assert caught.value.path.endswith("site.json")
    assert caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", None])
def test_what_is_no_settings_at_all(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(medsdk.SiteError, match=r"site\.json"):
        medsdk.load(medsdk.Bundle(DOTS), site=path)


def test_predict_takes_the_file(write: Write, fundus: np.ndarray, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "eye.png"), fundus[..., ::-1])
    model = medsdk.load("retinopathy").card.model.sha256
    arguments = ["predict", "retinopathy", str(tmp_path / "eye.png"), "--site"]
    site = str(write(disease="retinopathy", model_sha256=model))
    shown = CliRunner().invoke(main, [*arguments, site])
    assert shown.exit_code == 0, shown.stderr
    assert "operating point 0.1 %, by this site's settings" in shown.stdout
    told = json.loads(CliRunner().invoke(main, [*arguments, site, "--json"]).stdout)
    assert len(told["provenance"]["site_sha256"]) == 64
    refused = CliRunner().invoke(main, [*arguments, str(write("other.json"))])
    assert refused.exit_code == 1
    assert "not for 'retinopathy'" in refused.stderr


def test_batch_takes_the_file_and_every_line_names_it(write: Write, fundus: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "eyes").mkdir()
    cv2.imwrite(str(tmp_path / "eyes/eye.png"), fundus[..., ::-1])
    (tmp_path / "eyes/none.png").write_bytes(b"no picture")
    site = write(disease="retinopathy", model_sha256=medsdk.load("retinopathy").card.model.sha256)
    out = tmp_path / "r.jsonl"
    arguments = ["batch", "retinopathy", str(tmp_path / "eyes"), "--out", str(out)]
    done = CliRunner().invoke(main, [*arguments, "--site", str(site)])
    assert done.exit_code == 6, done.stderr
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {line["site_sha256"] for line in lines} == {hashlib.sha256(site.read_bytes()).hexdigest()}
    without = CliRunner().invoke(main, arguments)
    assert without.exit_code == 1
    assert "another operating point" in without.stderr


def test_watch_takes_the_file_and_its_record_begins_with_it(write: Write, fundus: np.ndarray, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "eye.png"), fundus[..., ::-1])
    site = write(disease="retinopathy", model_sha256=medsdk.load("retinopathy").card.model.sha256)
    record = tmp_path / "record.jsonl"
    (tmp_path / "scans").mkdir()
    (tmp_path / "eye.png").rename(tmp_path / "scans/eye.png")
    program = [sys.executable, "-m", "medsdk", "watch", "retinopathy", str(tmp_path / "scans"), "--frames", "1"]
    # A process of its own: the command sets signal handlers.
    subprocess.run([*program, "--record", str(record), "--site", str(site)], check=True, capture_output=True)
    begin, frame, _ = (json.loads(line) for line in record.read_text().splitlines())
    assert begin["site_sha256"] == hashlib.sha256(site.read_bytes()).hexdigest()
    card = medsdk.load("retinopathy").predict(tmp_path / "scans/eye.png")
    assert frame["probability"] != pytest.approx(card.probability)
