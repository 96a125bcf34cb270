"""From a field's cells to a finding: the arithmetic, the head, the plugin's way from a field to a count."""

from __future__ import annotations

import csv
import io
import tarfile

import cv2
import numpy as np
import pytest
from medsdk_malaria.counting import Chosen, FieldHead, FirstLook, Tally, sum_up, wilson
from medsdk_malaria.counting.counts import Count, FalseCalls, Mistakes, at_least
from medsdk_malaria.counting.first_look import LEAST_SHARE, REFERENCES, choose
from medsdk_malaria.field import read_field

import medsdk
from medsdk.testing.labelled import locate

MISTAKES = Mistakes(FalseCalls(5.0, 995.0), FalseCalls(3.0, 997.0))
SLIDE, CELL = (205, 220, 195), (190, 140, 150)


def draw_field(infected: int = 0) -> np.ndarray:
    """A field of 1280x960 with 90 cells, the first of them with a dark ring and dot."""
    picture = np.full((960, 1280, 3), SLIDE, np.uint8)
    centres = [(x, y) for y in range(70, 900, 95) for x in range(70, 1230, 120)][:90]
    for centre in centres:
        cv2.circle(picture, centre, 33, CELL, -1)
    for x, y in centres[20 : 20 + infected]:
        cv2.circle(picture, (x - 6, y + 4), 11, (95, 40, 130), 4)
        cv2.circle(picture, (x + 5, y - 4), 6, (60, 10, 90), -1)
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.2) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 100, 0.0215, 0.1118), (10, 10, 0.7225, 1.0), (1, 2000, 0.0001, 0.0028), (0, 0, 0.0, 1.0)],
)
def test_wilsons_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-4)


def test_false_calls_that_do_not_vary_are_binomial() -> None:
    # 1 - .997^120 and what is left after one call.
    none, one = 0.997**120, 120 * 0.003 * 0.997**119
    steady = FalseCalls(3e5, 997e5)
    assert at_least(0, 120, steady) == 1.0
    assert at_least(1, 120, steady) == pytest.approx(1 - none, abs=1e-4)
    assert at_least(2, 120, steady) == pytest.approx(1 - none - one, abs=1e-4)


def test_one_call_in_a_clean_field_is_no_finding_and_many_are() -> None:
    verdicts = [Count.of(Tally(120, max(1, sure), sure), MISTAKES).verdict for sure in (0, 1, 2, 8)]
    assert verdicts == ["negative", "negative", "inconclusive", "positive"]


def test_many_calls_of_which_none_is_sure_are_not_negative() -> None:
    assert [Count.of(Tally(90, called, 0), MISTAKES).verdict for called in (0, 1, 4)] == [
        "negative",
        "negative",
        "inconclusive",
    ]
    marked = {"red_cells": 90, "infected_cells": 4, "surely_infected_cells": 0}
    total = sum_up("slide", [medsdk.Prediction("malaria", "a", "inconclusive", details=marked)], MISTAKES)
    assert "4 of 90" in (total.reason or "")
    assert total.details["chance_of_false_calls"] < 0.01
    assert total.details["chance_of_false_sure_calls"] == 1.0


def test_as_many_calls_as_are_expected_stay_negative_however_many_fields() -> None:
    assert Count.of(Tally(120_000, 900, 360), MISTAKES).verdict == "negative"


def test_fields_add_up_and_refused_ones_count_for_nothing() -> None:
    many = {"red_cells": 300, "infected_cells": 19, "surely_infected_cells": 12}
    fields = [
        medsdk.Prediction(
            "malaria", "a", "negative", details={"red_cells": 100, "infected_cells": 1, "surely_infected_cells": 0}
        ),
        medsdk.Prediction("malaria", "b", "rejected", reason="The field is out of focus."),
        medsdk.Prediction("malaria", "c", "positive", details=many),
    ]
    total = sum_up("slide", fields, MISTAKES)
    assert total.verdict == "positive"
    assert (total.details["red_cells"], total.details["infected_cells"]) == (400, 20)
    assert (total.details["fields"], total.details["fields_refused"]) == (2, 1)
    assert total.details["parasitaemia_percent"] == 5.0
    assert total.details["parasitaemia_low"] == pytest.approx(3.26, abs=0.01)
    assert sum_up("slide", fields[1:2], MISTAKES).verdict == "rejected"


def test_the_head_sees_a_cell_against_its_field_and_not_the_stain() -> None:
    random = np.random.default_rng(0)
    head = FieldHead(random.normal(size=8), -3.0, 0.5, 0.9, MISTAKES, "0" * 64, FirstLook(random.normal(size=3), 1.0))
    contexts = random.normal(size=(41, 8)).astype(np.float32)
    stain = random.normal(size=8).astype(np.float32) * 20
    half = np.arange(41) % 2 == 0
    everything = Chosen(half, ~half)
    again = FieldHead.decode(head.encode())
    plain, stained = head(list(contexts), everything), again(list(contexts + stain), everything)
    assert stained.probability == pytest.approx(plain.probability, abs=1e-4)
    assert again.first_look.limit == 1.0
    assert again.first_look.weights == pytest.approx(head.first_look.weights, abs=1e-6)
    none = np.zeros(0, bool)
    assert head([], Chosen(none, none)).called.shape == (0,)


def test_cells_that_the_network_does_not_see_are_counted_and_not_called() -> None:
    head = FieldHead(np.ones(2), 0.0, 0.5, 0.9, MISTAKES, "0" * 64, FirstLook(np.ones(3), 1.0))
    suspicious, reference = np.array([True, False, False, False]), np.array([False, False, True, False])
    found = head([np.array([5, 5], np.float32), np.zeros(2, np.float32)], Chosen(suspicious, reference))
    assert found.tally == Tally(4, 2, 1)  # the reference lies on the threshold itself
    assert found.probability[[1, 3]].tolist() == [0.0, 0.0]


def test_suspicious_cells_and_some_plain_ones_are_chosen() -> None:
    suspicion = np.random.default_rng(0).normal(size=200)
    suspicion[:5] = 50
    chosen = choose(suspicion, 40.0)
    assert chosen.suspicious.sum() == np.ceil(LEAST_SHARE * 200), "another stain may be weaker: some are always looked at"
    assert chosen.suspicious[:5].all()
    assert chosen.reference.sum() == REFERENCES
    assert not (chosen.reference & chosen.suspicious).any()
    assert abs(np.median(suspicion[chosen.reference]) - np.median(suspicion)) < 0.4
    crowd = choose(np.full(30, 50.0), 40.0)
    assert crowd.suspicious.all()
    assert crowd.reference.sum() == REFERENCES
    assert choose(np.empty(0), 0.0).judged.shape == (0,)


def test_the_shipped_head_belongs_to_the_shipped_model() -> None:
    with medsdk.load("malaria") as analyzer:
        head = FieldHead.decode(analyzer.plugin.bundle.read("field_head.npz"))
        assert any(data.name == "malaria_fields" for data in analyzer.card.training.data)
        assert head.model_sha256 == analyzer.card.model.sha256
        assert 0 < head.threshold < head.sure_threshold < 1
        assert 0 < head.mistakes.sure.rate < head.mistakes.called.rate < 0.01


@pytest.fixture(scope="module")
def analyzer() -> medsdk.Analyzer:
    return medsdk.load("malaria")


def test_a_field_is_counted_without_being_told(analyzer: medsdk.Analyzer) -> None:
    finding = analyzer.predict(draw_field())
    assert finding.verdict in ("negative", "inconclusive")
    assert finding.details["red_cells"] == 90
    assert finding.probability is None
    assert "red cells" in finding.details["summary"]
    assert "infected_cells" in finding.to_json()


def test_a_field_is_known_for_what_it_is() -> None:
    assert [match.disease for match in medsdk.identify(draw_field())][:1] == ["malaria"]


def test_called_cells_have_boxes_and_are_drawn(analyzer: medsdk.Analyzer) -> None:
    field = draw_field(infected=8)
    finding = analyzer.predict(field)
    called = finding.details["cells"]
    assert len(called) == finding.details["infected_cells"] >= 6
    assert finding.verdict == "positive"
    x, y, w, h = called[0]["box"]
    attention = finding.attention
    assert attention is not None
    assert attention.shape == field.shape[:2]
    assert attention[y + h // 2, x + w // 2] == pytest.approx(called[0]["probability"], abs=1e-3)
    drawn = attention.overlay()
    assert drawn.shape[1:] == (1280, 3)
    assert drawn.shape[0] > 960
    changed = np.abs(drawn[:960].astype(int) - field).max(axis=2) > 60
    assert changed[y - 12 : y + h + 12, x - 12 : x + w + 12].any()
    assert not changed[y + 15 : y + h - 15, x + 15 : x + w - 15].any(), "the cell itself stays to be seen"


def test_a_bad_field_is_refused_with_its_reason(analyzer: medsdk.Analyzer) -> None:
    blurred = cv2.GaussianBlur(draw_field(), (0, 0), 9)
    finding = analyzer.predict(np.asarray(blurred, dtype=np.uint8))
    assert finding.verdict == "rejected"
    assert finding.reason == "The field is out of focus."


@pytest.mark.parametrize("name", ["immunohistochemistry", "astronaut", "coffee", "retina"])
def test_other_pictures_are_refused_with_a_reason(analyzer: medsdk.Analyzer, name: str) -> None:
    data = pytest.importorskip("skimage.data", reason="needs scikit-image's pictures")
    picture = np.ascontiguousarray(getattr(data, name)()[:, :, :3])
    finding, told = analyzer.predict(picture), analyzer.predict(picture, as_regions=True)
    assert (finding.verdict, told.verdict) == ("rejected", "rejected")
    assert "does not look like" in str(finding.reason)
    assert "This does not look like a thin blood smear" in str(told.reason)


def test_a_blank_field_is_refused_for_being_blank(analyzer: medsdk.Analyzer) -> None:
    noise = np.random.default_rng(0).normal(0, 2, (960, 1280, 3))
    finding = analyzer.predict(np.clip(np.array(SLIDE) + noise, 0, 255).astype(np.uint8))
    assert finding.verdict == "rejected"
    assert str(finding.reason).startswith("The field is blank")


def test_most_cells_of_a_field_are_not_shown_to_the_network_and_a_large_one_costs_no_more_planes(
    analyzer: medsdk.Analyzer,
) -> None:
    field = draw_field(infected=8)
    found = analyzer.plugin.regions(field)
    assert found is not None
    assert len(found.items) == 90
    assert 17 <= len(found.judged) <= 45
    half = cv2.resize(field, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    reading = read_field(np.tile(np.asarray(half, dtype=np.uint8), (5, 5, 1)))
    assert reading.foreground is not None
    assert reading.foreground.taken.size < 2_000_000


def test_one_cell_goes_the_plain_way_and_can_be_told(analyzer: medsdk.Analyzer) -> None:
    cell = np.zeros((120, 120, 3), np.uint8)
    cv2.circle(cell, (60, 60), 52, CELL, -1)
    assert analyzer.predict(cell) == analyzer.predict(cell, as_regions=False)
    told = analyzer.predict(cell, as_regions=True)
    assert told.verdict == "rejected"
    assert "too small for a field" in str(told.reason)


@pytest.mark.data
@pytest.mark.slow
def test_real_fields_have_about_as_many_infected_cells_as_experts_found(analyzer: medsdk.Analyzer) -> None:
    pack = locate("malaria_fields")
    boxes = pack.with_name("malaria_fields.boxes.csv")
    with boxes.open(newline="") as text:
        kinds: dict[str, list[str]] = {}
        for row in csv.DictReader(text):
            kinds.setdefault(row["file"], []).append(row["type"])
    ours = truth = 0
    with tarfile.open(pack) as tar:
        manifest = tar.extractfile("manifest.csv")
        assert manifest is not None
        rows = [row for row in csv.DictReader(io.StringIO(manifest.read().decode())) if row["split"] == "train"]
        for row in rows[::20]:
            member = tar.extractfile(f"images/{row['file']}")
            assert member is not None
            finding = analyzer.predict(member.read())
            ours += finding.details.get("infected_cells", 0)
            truth += sum(kind not in ("red blood cell", "difficult") for kind in kinds[row["file"]])
    assert 0.6 * truth <= ours <= 1.6 * truth + 3
