"""From drawn pictures to a bundle, and everything that `check` finds in one that was tampered with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

import medsdk
from medsdk.core.card import Step, encode_card, read_card

pytest.importorskip("tensorflow")

from medsdk_converters import bundling, cli, gate, head_bias, mobile


def run(command: Any, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def checks_of(folder: Path, *arguments: object) -> dict[str, bool]:
    result = run(cli.check, folder, "--json", *arguments)
    assert result.stdout, result.output + repr(result.exception)
    answer = json.loads(result.stdout)
    assert answer["passed"] == (result.exit_code == 0)
    return {check["name"]: check["passed"] for check in answer["checks"]}


def failed(folder: Path) -> set[str]:
    return {name for name, passed in checks_of(folder).items() if not passed}


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained / "b", tmp_path / "copy"))


def described(folder: Path, **changes: Any) -> None:
    """The card of a bundle with other values."""
    card = read_card(folder / "card.json")
    (folder / "card.json").write_bytes(encode_card(msgspec.structs.replace(card, **changes)))


# What train leaves


def test_a_trained_bundle_predicts(trained: Path, spots: Path) -> None:
    with medsdk.load(medsdk.Bundle(trained / "b")) as analyzer:
        verdicts = [p.verdict for p in analyzer.predict_many(sorted(spots.glob("test/spotted/*.png")))]
        assert verdicts.count("positive") > len(verdicts) / 2


def test_it_leaves_a_card_for_people_and_curves(trained: Path) -> None:
    card = read_card(trained / "b/card.json")
    text = (trained / "b/README.md").read_text()
    assert card.model.sha256 in text
    assert "](calibration.svg)" in text
    assert (trained / "b/calibration.svg").read_bytes().startswith(b"<?xml")
    assert (trained / "b.work/curves.svg").read_bytes().startswith(b"<?xml")
    assert card.training.command == "medsdk train spots.toml --data DATA --out BUNDLE --mobile"
    assert {"floor_border_auc", "floor_colour_auc", "auc"} <= set(card.evaluations[0].figures)


def test_no_path_of_this_machine_is_in_the_bundle(trained: Path) -> None:
    for file in (trained / "b").iterdir():
        assert str(trained).encode() not in file.read_bytes(), file.name


def deciding(trained: Path, spots: Path, tmp_path: Path, *changes: tuple[str, str]) -> Result:
    """`--decide-anew` over the trained bundle, by its recipe with changes, into tmp_path/b."""
    text = (trained / "spots.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "other.toml").write_text(text)
    wanted = ("--data", spots, "--out", tmp_path / "b", "--work", tmp_path / "w", "--decide-anew", trained / "b")
    return run(cli.train, tmp_path / "other.toml", *wanted)


def test_a_decision_is_made_anew_for_the_same_model(trained: Path, spots: Path, tmp_path: Path) -> None:
    result = deciding(
        trained, spots, tmp_path, ("[schedule]", '[decide]\nrule = "sensitivity>=1"\nundecided = 0\n[schedule]')
    )
    assert result.exit_code == 0, result.output
    before, after = (read_card(folder / "card.json") for folder in (trained / "b", tmp_path / "b"))
    assert (after.model, after.reference, after.rejection) == (before.model, before.reference, before.rejection)
    assert (after.calibration, after.training) == (before.calibration, before.training)
    assert after.decision.rule == "sensitivity>=1"
    assert after.decision.inconclusive == (after.decision.threshold, after.decision.threshold)
    assert set(after.evaluations[0].figures) == set(before.evaluations[0].figures)
    assert checks_of(tmp_path / "b")


def test_the_same_recipe_decides_the_same(trained: Path, spots: Path, tmp_path: Path) -> None:
    assert deciding(trained, spots, tmp_path).exit_code == 0
    before, after = (read_card(folder / "card.json") for folder in (trained / "b", tmp_path / "b"))
    assert after == before


def test_a_model_of_another_recipe_is_not_decided_for(trained: Path, spots: Path, tmp_path: Path) -> None:
    result = deciding(trained, spots, tmp_path, ('name = "a plain disc"', 'name = "another disc"'))
    assert result.exit_code != 0
    assert "input or its labels" in str(result.exception) + result.output
    assert not (tmp_path / "b").exists()


def test_a_second_call_goes_on_and_ends_the_same(trained: Path, spots: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "b.work", tmp_path / "w")
    result = run(cli.train, trained / "spots.toml", "--data", spots, "--out", tmp_path / "b", "--work", tmp_path / "w")
    assert result.exit_code == 0
    assert "Going on behind epoch 3." in result.stderr
    assert "epoch 1:" not in result.stderr
    old, new = (read_card(folder / "card.json") for folder in (trained / "b", tmp_path / "b"))
    assert new.decision == old.decision
    assert new.model == old.model
    assert new.evaluations == old.evaluations
    assert not (tmp_path / "b/mobile.tflite").exists()


# check


def test_check_passes_what_train_made(trained: Path, spots: Path) -> None:
    with_float = ("--data", spots, "--float", trained / "b.work/float.keras", "--work", trained / "b.work")
    found = checks_of(trained / "b", *with_float)
    assert all(found.values()), found
    wanted = {"schema", "sha256", "signature", "delegate", "size", "preprocessing", "mobile labels", "AUC", "agreement"}
    assert wanted <= set(found)


def test_the_float_model_that_is_kept_has_the_heads_bias_too(
    trained: Path, spots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def skewed(model: Any, *_: object) -> None:
        layer = model.get_layer("logits")
        layer.bias.assign(np.asarray(layer.bias) + np.array([3.0, -3.0]))

    monkeypatch.setattr(head_bias, "fit", skewed)
    recipe = tmp_path / "spots.toml"
    recipe.write_text((trained / "spots.toml").read_text() + "\n[calibrate]\nhead_bias = true\n")
    made = run(cli.train, recipe, "--data", spots, "--out", tmp_path / "b", "--trained", trained / "b.work/float.keras")
    assert made.exit_code == 0, made.output
    kept = ("--data", spots, "--float", tmp_path / "b.work/float.keras", "--work", tmp_path / "b.work")
    assert all(checks_of(tmp_path / "b", *kept).values())


def test_check_prints_a_table(trained: Path) -> None:
    result = run(cli.check, trained / "b")
    assert result.exit_code == 0
    assert "ok    delegate       1 XNNPACK delegate nodes, wanted 1" in result.stdout


def test_a_flipped_byte(copy: Path) -> None:
    content = bytearray((copy / "model.tflite").read_bytes())
    content[-100] ^= 1
    (copy / "model.tflite").write_bytes(content)
    assert failed(copy) == {"sha256"}


def test_a_card_that_is_none(copy: Path) -> None:
    (copy / "card.json").write_text("{}")
    assert failed(copy) == {"schema"}


def test_another_interpolation_than_in_training(copy: Path) -> None:
    card = read_card(copy / "card.json")
    described(copy, input=msgspec.structs.replace(card.input, interpolation="linear"))
    assert failed(copy) == {"preprocessing"}


def test_another_size_than_the_model_has(copy: Path) -> None:
    card = read_card(copy / "card.json")
    described(copy, input=msgspec.structs.replace(card.input, height=64))
    assert {"signature", "preprocessing"} <= failed(copy)


def test_a_step_that_is_not_installed(copy: Path) -> None:
    card = read_card(copy / "card.json")
    steps = (Step("step_of_another_package"), *card.input.steps)
    described(copy, input=msgspec.structs.replace(card.input, steps=steps))
    assert failed(copy) == {"preprocessing"}


def test_a_bundle_without_golden_samples(copy: Path) -> None:
    reference = medsdk.Bundle(copy).reference
    del reference["golden"]
    np.savez(copy / "reference.npz", **reference)  # type: ignore[arg-type]  # its stub takes the first names for options
    described(copy, reference=bundling.described("reference.npz", (copy / "reference.npz").read_bytes()))
    assert failed(copy) == {"preprocessing"}


def test_a_mobile_file_of_another_model(copy: Path, trained: Path) -> None:
    content = (copy / "model.tflite").read_bytes() + b"\0" * 16
    (copy / "model.tflite").write_bytes(content)
    described(copy, model=bundling.described("model.tflite", content))
    assert failed(copy) == {"mobile origin"}


def test_a_mobile_file_without_labels(copy: Path) -> None:
    (copy / "mobile.tflite").write_bytes((copy / "model.tflite").read_bytes())
    assert failed(copy) == {"mobile labels"}


def test_check_against_another_float_model_names_the_worst_layers(trained: Path, spots: Path, tmp_path: Path) -> None:
    import keras

    model = keras.saving.load_model(trained / "b.work/float.keras", compile=False)
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([-kernel, -bias])
    model.save(tmp_path / "other.keras")
    result = run(
        cli.check, trained / "b", "--data", spots, "--float", tmp_path / "other.keras", "--work", trained / "b.work"
    )
    assert result.exit_code == 1
    assert "FAIL  agreement" in result.stdout
    assert "FAIL  worst layers" in result.stdout
    assert "_conv (error" in result.stdout


# convert


@pytest.fixture(scope="module")
def convert(trained: Path, spots: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Result, Path]]:
    """Converts a model with the trained bundle's card."""

    def run_it(model: Path, *arguments: object, card: Path | None = None) -> tuple[Result, Path]:
        out = tmp_path_factory.mktemp("converted") / "b"
        given = ("--card", card or trained / "b/card.json", "--data", spots, "--work", trained / "b.work", "--out", out)
        return run(cli.convert, model, *given, *arguments), out

    return run_it


@pytest.mark.parametrize("precision", ["int8", "float32", "float16", "dynamic"])
def test_convert_to_each_precision(trained: Path, convert: Any, precision: str, spots: Path) -> None:
    result, out = convert(trained / "b.work/float.keras", "--precision", precision)
    assert result.exit_code == 0, result.output
    content = (out / "model.tflite").read_bytes()
    assert gate.precision_of(content) == precision
    card = read_card(out / "card.json")
    expected = ("uint8", (0.0, 255.0)) if precision == "int8" else ("float32", (-1.0, 1.0))
    assert (card.input.dtype, card.input.value_range) == expected
    assert failed(out) == set()
    source = next(iter(sorted(spots.glob("test/spotted/*.png"))))
    with medsdk.load(medsdk.Bundle(trained / "b")) as one, medsdk.load(medsdk.Bundle(out)) as other:
        first, second = one.predict(source).probability, other.predict(source).probability
    assert first is not None
    assert second == pytest.approx(first, abs=0.05)


def test_a_draft_of_a_card_is_enough(trained: Path, convert: Any, tmp_path: Path) -> None:
    whole = json.loads((trained / "b/card.json").read_text())
    people_say = ("disease", "name", "codes", "picture", "labels", "input", "licence", "intended_use", "limits")
    draft = {key: whole[key] for key in people_say} | {"decision": {"rule": "sensitivity>=0.9"}}
    (tmp_path / "draft.json").write_text(json.dumps(draft))
    result, out = convert(trained / "b.work/float.keras", card=tmp_path / "draft.json")
    assert result.exit_code == 0, result.output
    card = read_card(out / "card.json")
    assert card.decision.rule == "sensitivity>=0.9"
    assert card.training.recipe == "draft"
    assert card.evaluations[0].set == "spots, test"
    assert card.training.command == "medsdk convert float.keras --card draft.json --data DATA --out BUNDLE"


@pytest.fixture
def card_with_a_file(copy: Path) -> Path:
    (copy / "head.npz").write_bytes(b"what the plugin's own code reads")
    described(copy, files=(bundling.described("head.npz", (copy / "head.npz").read_bytes()),))
    return copy / "card.json"


def test_the_cards_further_files_come_along(trained: Path, convert: Any, card_with_a_file: Path) -> None:
    result, out = convert(trained / "b.work/float.keras", card=card_with_a_file)
    assert result.exit_code == 0, result.output
    assert medsdk.Bundle(out).read("head.npz") == b"what the plugin's own code reads"
    assert failed(out) == set()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda folder: (folder / "head.npz").write_bytes(b"another thing of the same size.."), "sha256"),
        (lambda folder: (folder / "head.npz").write_bytes(b"short"), "5 bytes"),
        (lambda folder: (folder / "head.npz").unlink(), "cannot be read"),
        (lambda folder: described(folder, files=(bundling.described("README.md", b"x"),)), "another name"),
    ],
)
def test_a_further_file_that_is_not_what_the_card_says(
    change: Callable[[Path], Any], complaint: str, trained: Path, convert: Any, card_with_a_file: Path
) -> None:
    change(card_with_a_file.parent)
    result, out = convert(trained / "b.work/float.keras", card=card_with_a_file)
    assert complaint in str(result.exception)
    assert not out.exists()


def tiny(activation: str | None = None, outputs: int = 2, low: float = 1.0) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    image = keras.Input((48, 48, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(outputs, activation=activation)(x))


def test_a_softmax_is_taken_off_and_the_feature_map_found(convert: Any, tmp_path: Path) -> None:
    tiny("softmax").save(tmp_path / "m.keras")
    result, out = convert(tmp_path / "m.keras", "--range", 0, 1, "--accept", "AUC", "--accept", "agreement")
    assert result.exit_code == 0, result.output
    card = read_card(out / "card.json")
    assert card.outputs.features == "features"
    assert medsdk.Bundle(out).reference["head_weights"].shape == (8, 2)
    assert card.training.command.endswith("--accept AUC --accept agreement --range 0 1")


def test_outputs_are_told_apart_whatever_their_order(trained: Path, convert: Any, tmp_path: Path) -> None:
    import keras

    model = keras.saving.load_model(trained / "b.work/float.keras", compile=False)
    logits, features = model.outputs
    keras.Model(model.input, {"a_features": features, "b_logits": logits}).save(tmp_path / "m.keras")
    result, out = convert(tmp_path / "m.keras")
    assert result.exit_code == 0, result.output
    assert read_card(out / "card.json").evaluations[0].figures == read_card(trained / "b/card.json").evaluations[0].figures


def test_a_saved_model_with_logits(convert: Any, tmp_path: Path) -> None:
    tiny().export(tmp_path / "m", verbose=False)
    result, out = convert(tmp_path / "m", "--accept", "AUC", "--accept", "agreement")
    assert result.exit_code == 0, result.output
    card = read_card(out / "card.json")
    assert card.outputs.features is None
    assert card.rejection is None
    assert "nothing is rejected" in (out / "README.md").read_text()


def test_a_saved_model_with_probabilities_is_refused(convert: Any, tmp_path: Path) -> None:
    tiny("softmax").export(tmp_path / "m", verbose=False)
    result, out = convert(tmp_path / "m")
    assert "the model puts out probabilities" in str(result.exception)
    assert not out.exists()


def test_labels_that_do_not_fit_the_head(convert: Any, tmp_path: Path) -> None:
    tiny(outputs=3).save(tmp_path / "m.keras")
    result, _ = convert(tmp_path / "m.keras")
    assert "puts out 3 logits, but 2 labels" in str(result.exception)


def test_weights_that_are_no_numbers(convert: Any, tmp_path: Path) -> None:
    model = tiny()
    kernel, bias = model.layers[-1].get_weights()
    kernel[0, 0] = np.nan
    model.layers[-1].set_weights([kernel, bias])
    model.save(tmp_path / "m.keras")
    result, _ = convert(tmp_path / "m.keras")
    assert "not finite" in str(result.exception)
    assert "kernel" in str(result.exception)


def test_onnx_without_its_translator(convert: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.onnx").write_bytes(b"onnx")
    monkeypatch.setenv("PATH", "")
    result, _ = convert(tmp_path / "m.onnx")
    assert "pipx install onnx2tf" in str(result.exception)


def test_a_model_that_is_none(convert: Any, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"nothing")
    result, _ = convert(tmp_path / "m.keras")
    assert "Keras cannot open it" in str(result.exception)


def test_a_label_of_the_set_that_the_card_does_not_have(trained: Path, convert: Any) -> None:
    result, _ = convert(trained / "b.work/float.keras", "--label-map", "plain=healthy")
    assert "'healthy' is none of the card's" in str(result.exception)


def test_what_fails_the_gate_is_not_written_over_what_is_good(
    trained: Path, spots: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {file.name: file.read_bytes() for file in copy.iterdir()}
    monkeypatch.setitem(gate.MAX_BYTES, "int8", 1000)
    given = ("--card", trained / "b/card.json", "--data", spots, "--work", trained / "b.work", "--out", copy)
    result = run(cli.convert, trained / "b.work/float.keras", *given)
    assert "size: " in str(result.exception)
    assert {file.name: file.read_bytes() for file in copy.iterdir()} == before


# The mobile file


def test_the_mobile_file_says_what_ours_says(trained: Path, spots: Path) -> None:
    content = (trained / "b/mobile.tflite").read_bytes()
    card = read_card(trained / "b/card.json")
    assert mobile.labels_of(content, "m") == ["plain", "spotted"]
    assert mobile.made_for(content) == card.model.sha256
    with medsdk.load(medsdk.Bundle(trained / "b")) as analyzer:
        for file in sorted(spots.glob("test/*/*.png"))[::6]:
            outputs = analyzer.outputs(file)
            ours = analyzer.predict(file).probability
            theirs = mobile.probabilities(content, outputs.tensor.values, (-1.0, 1.0))[0, 1]
            if ours is not None:
                assert theirs == pytest.approx(ours, abs=0.03)


def test_mediapipe_gives_the_same_labels(trained: Path, spots: Path) -> None:
    pytest.importorskip("mediapipe")
    content = (trained / "b/mobile.tflite").read_bytes()
    with medsdk.load(medsdk.Bundle(trained / "b")) as analyzer:
        files = sorted(spots.glob("test/*/*.png"))[::4]
        pixels = np.concatenate([analyzer.outputs(file).tensor.values for file in files])
        ours = [max(p.scores, key=lambda s: s.probability).label if p.scores else None for p in map(analyzer.predict, files)]
    found = mobile.mediapipe_labels(content, pixels)
    assert found is not None
    assert [a for a in ours if a] == [b for a, b in zip(ours, found, strict=True) if a]
