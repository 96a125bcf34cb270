"""Every check passes on a healthy plugin, and for every check there is a broken plugin that it finds."""

from __future__ import annotations

from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest

from medsdk.testing import ContractError, Limits, NotApplicableError, Subject
from medsdk.testing.checks import CHECKS

FIGURE = {"set": "drawn", "pictures": 9, "groups": 9, "positives": 3, "figures": {"auc": {"value": 2, "low": 0, "high": 1}}}
SMALL_INPUT = {"height": 32, "width": 32}
STRANGE_OUTPUTS = {"logits": "scores", "features": "features", "activation": "softmax"}
STRANGE_CONTEXT = {"context": ["nothing"]}
THREE_LABELS = [{"id": name, "name": name, "positive": name == "a"} for name in "abc"]
CHOSEN_ON_TEST = {"threshold": 0.5, "inconclusive": [0.4, 0.6], "rule": "youden", "split": "test"}

# check, broken plugin, how it is published, words of the message
BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("registration", "hides_a_disease", {}, "no entry point of that name"),
    ("registration", "fails_on_import", {}, "no licence key"),
    ("registration", "healthy", {"entry_points": "[medsdk]\nspots = {module}\n"}, "entry point 'dots'"),
    ("api_version", "uses_private_names", {}, "medsdk.core.images.MAX_PIXELS"),
    ("api_version", "for_another_api", {}, "medsdk_api '2'"),
    ("api_version", "healthy", {"requires": "medsdk>=0.1"}, "no upper bound"),
    ("api_version", "healthy", {"requires": "medsdk-malaria<1"}, "does not require medsdk"),
    ("card_is_complete", "healthy", {"card": {"intended_use": "FILL IN: who uses it"}}, "intended_use"),
    ("card_is_complete", "healthy", {"card": {"evaluations": []}}, "no figures"),
    ("card_is_complete", "healthy", {"card": {"evaluations": [FIGURE]}}, "outside its own interval"),
    ("card_is_complete", "healthy", {"card": {"limits": []}}, "limits"),
    ("card_is_complete", "healthy", {"card": {"rejection": None}}, "judge any picture"),
    ("card_is_complete", "healthy", {"card": {"decision": CHOSEN_ON_TEST}}, "chosen on test"),
    ("card_is_true_to_the_model", "healthy", {"card": {"input": SMALL_INPUT}}, r"the card says uint8 \(1, 32, 32, 3\)"),
    ("card_is_true_to_the_model", "healthy", {"card": {"outputs": STRANGE_OUTPUTS}}, "'scores'"),
    ("card_is_true_to_the_model", "healthy", {"card": {"outputs": STRANGE_CONTEXT}}, "averages 'nothing'"),
    ("card_is_true_to_the_model", "healthy", {"card": {"labels": THREE_LABELS}}, r"of \(1, 3\)"),
    ("card_is_true_to_the_model", "healthy", {"damage": True}, "sha256"),
    ("preprocessing", "paints_on_the_picture", {}, "changes the array"),
    ("preprocessing", "makes_another_size", {}, r"uint8 \(1, 32, 32, 3\)"),
    ("preprocessing_golden", "swaps_colours", {}, "other tensors"),
    ("predictions_are_well_formed", "rounds_its_scores", {}, "sum to 1"),
    ("untrained_says_so", "answers_untrained", {"card": {"status": "untrained"}}, "'positive'"),
    ("determinism", "throws_dice", {}, "two answers"),
    ("thread_safety", "remembers_the_picture", {}, "keeps something of a picture"),
    ("sources", "wants_a_file", {}, "FileNotFoundError"),
    ("bad_sources", "divides_by_the_border", {}, "ZeroDivisionError"),
    ("rejects_foreign_pictures", "swallows_everything", {}, "foreign pictures are rejected"),
    ("accepts_its_own", "refuses_everything", {}, "6 of 6"),
    ("attention", "small_map", {}, "the picture's"),
    ("latency", "sleeps", {}, "'live' allows 50 ms"),
    ("memory", "never_forgets", {}, "Memory grows"),
    ("import_cost", "brings_everything", {}, "skimage"),
    ("network", "phones_home", {}, "collector.example"),
    ("network", "starts_a_program", {}, "other programs"),
    ("writes", "keeps_a_log", {}, "dots.log"),
    ("writes", "writes_natively", {}, "last.png"),
    ("wheel_contents", "healthy", {"unlisted": ("model.tflite",)}, "lacks medsdk_dots_healthy/model.tflite"),
    ("wheel_contents", "healthy", {"unlisted": ("card.json",)}, "no card.json"),
]
NAMED = {check.__name__: check for check in CHECKS}

# Written by the healthy plugin: pytest --medsdk-golden does the same for a real one.
GOLDEN = Path(__file__).parent / "golden.json"


def _subject(own: Path, golden: Path) -> Subject:
    return Subject("dots", Limits(latency="live"), own=own, golden=golden)


def test_a_healthy_plugin_passes_every_check(publish: Any, own: Path) -> None:
    publish("healthy")
    with closing(_subject(own, GOLDEN)) as subject:
        for check in CHECKS:
            applies = nullcontext() if check.__name__ != "untrained_says_so" else pytest.raises(NotApplicableError)
            with applies:
                check(subject)


@pytest.mark.parametrize(
    ("check", "broken", "changes", "words"), BROKEN, ids=[f"{row[0]}-{row[1]}-{number}" for number, row in enumerate(BROKEN)]
)
def test_a_broken_plugin_is_found(
    check: str, broken: str, changes: dict[str, Any], words: str, publish: Any, own: Path
) -> None:
    publish(broken, **changes)
    subject = _subject(own, GOLDEN)
    with closing(subject), pytest.raises(ContractError, match=words):
        NAMED[check](subject)


def test_every_check_has_a_broken_plugin() -> None:
    assert {row[0] for row in BROKEN} == set(NAMED)


def test_every_broken_plugin_is_used() -> None:
    files = {path.stem for path in (Path(__file__).parent / "broken").glob("*.py")}
    assert files == {row[1] for row in BROKEN}


def test_a_golden_file_that_is_missing_says_how_to_write_it(publish: Any, own: Path, tmp_path: Path) -> None:
    publish("healthy")
    with pytest.raises(ContractError, match="--medsdk-golden"):
        NAMED["preprocessing_golden"](_subject(own, tmp_path / "nothing.json"))


def test_a_model_that_is_refused_by_all_its_pictures_cannot_hide_behind_an_empty_folder(
    publish: Any, tmp_path: Path
) -> None:
    publish("refuses_everything")
    with pytest.raises(NotApplicableError, match="pictures"):
        NAMED["accepts_its_own"](_subject(tmp_path, tmp_path / "golden.json"))


def test_two_distributions_of_one_disease_are_named(publish: Any, own: Path, tmp_path: Path) -> None:
    site = publish("healthy")
    other = site / "other_dots-2.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.4\nName: other-dots\nVersion: 2.0\n")
    (other / "entry_points.txt").write_text("[medsdk]\ndots = medsdk_dots_healthy\n")
    with pytest.raises(ContractError, match=r"medsdk-dots 1\.0.*other-dots 2\.0"):
        NAMED["registration"](_subject(own, tmp_path / "golden.json"))


def test_an_unknown_latency_class_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="live, interactive, batch"):
        Limits(latency="fast")
