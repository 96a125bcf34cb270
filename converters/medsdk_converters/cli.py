"""`medsdk train`, `medsdk convert` and `medsdk check`: arguments in, calls, messages out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

import medsdk

if TYPE_CHECKING:
    from medsdk_converters import bundling, checking
    from medsdk_converters.preparation import Prepared
    from medsdk_converters.recipe import Acceptable, Quantise, Recipe

FOLDER = click.Path(file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, path_type=Path)
LABEL_MAP = click.option(
    "--label-map", "label_map", multiple=True, metavar="THEIRS=OURS", help="What a label of the set means; repeatable."
)
MOBILE = click.option("--mobile", is_flag=True, help="Write mobile.tflite as well, for MediaPipe Tasks.")
ACCEPT = click.option(
    "--accept",
    multiple=True,
    type=click.Choice(["AUC", "agreement", "delegate", "size"]),
    help="Write the bundle though this check fails; repeatable.",
)
RANGE = click.option(
    "--range",
    "value_range",
    type=(float, float),
    default=(-1.0, 1.0),
    show_default=True,
    metavar="BLACK WHITE",
    help="What black and white are to the float model.",
)


def _columns(context: click.Context, parameter: click.Parameter, given: str | None) -> dict[str, str]:
    """{"source": "here"} from source=here."""
    if given is None:
        return {}
    column, equals, value = given.partition("=")
    if not (column and equals and value):
        raise click.BadParameter(f"{given!r}: write it as COLUMN=VALUE, such as source=here.", context, parameter)
    return {column: value}


@click.command("train")
@click.argument("recipe")
@click.option("--data", required=True, type=EXISTING, help="Folder, CSV or tar; of many sets, the folder they lie in.")
@click.option("--out", required=True, type=FOLDER, help="The bundle: card.json, model.tflite, reference.npz.")
@click.option("--work", type=FOLDER, help="Where the state of the run is kept. [default: OUT.work]")
@click.option("--resume/--anew", default=True, show_default=True, help="Go on from the state in WORK, or forget it.")
@click.option("--folds", type=click.IntRange(3), help="Cross-validate by group instead; writes WORK/folds.json, no bundle.")
@click.option(
    "--folds-of",
    metavar="COLUMN=VALUE",
    callback=_columns,
    help="With --folds: fold these pictures only; all others stay to learn from.",
)
@click.option(
    "--leave-out",
    metavar="COLUMN[=VALUE,...]",
    help="Train without each value of this column (such as source) and judge it; writes WORK/leave_out.json, no bundle. "
    "With values: once, without any of these.",
)
@click.option(
    "--quantise",
    type=click.Choice(["auto", "ptq", "qat"]),
    help="After training (ptq), with fine-tuning for it (qat), or the second where the first fails the gate (auto). "
    "[default: the recipe's]",
)
@click.option(
    "--trained", type=EXISTING, help="float.keras of a run of the same network: only the steps behind training are done."
)
@click.option(
    "--decide-anew",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="BUNDLE",
    help="Train nothing: take this bundle's model, and choose temperature, operating point and band by the recipe.",
)
@MOBILE
@ACCEPT
def train(
    recipe: str,
    data: Path,
    out: Path,
    work: Path | None,
    trained: Path | None,
    resume: bool,
    folds: int | None,
    folds_of: dict[str, str],
    leave_out: str | None,
    quantise: Quantise | None,
    decide_anew: Path | None,
    mobile: bool,
    accept: tuple[Acceptable, ...],
) -> None:
    """Make a checked bundle from RECIPE (a TOML file, or the name of a shipped recipe) and labelled pictures.

    Killed at any moment and called again, it goes on from the last whole epoch and ends the same.
    """
    _quieten_tensorflow()
    from medsdk_converters import build, bundling, cross_validation, deciding, leaving_out, loading, recipes, training
    from medsdk_converters.recipe import read_recipe

    path = recipes.locate(recipe)
    parsed = read_recipe(path)
    work = _made(work or out.with_name(f"{out.name}.work"))
    if not resume:
        training.forget(work)
    prepared = _prepared(parsed, data, work)
    if folds is not None:
        click.echo(cross_validation.text(cross_validation.cross_validate(parsed, prepared, folds, work, _say, folds_of)))
        return
    if leave_out is not None:
        column, _, values = leave_out.partition("=")
        only = tuple(value.strip() for value in values.split(",") if value.strip())
        found = leaving_out.leave_out(parsed, prepared, column, work, _say, only, together=bool(only))
        click.echo(leaving_out.text(found))
        return
    if decide_anew is not None:
        parts = deciding.decide_anew(parsed, prepared, decide_anew, _progress("evaluating"))
        bundling.write(parts, out)
        _told(parts, out)
        return
    model = build.train(parsed, prepared, work, _say) if trained is None else loading.load(trained, work)
    build.fit_head_bias(parsed, prepared, model)
    # Before the bundle is made, since fine-tuning for int8 would change it: `check --float` asks for this one.
    model.save(work / "float.keras")
    options = _options(("--quantise", quantise, None), ("--mobile", mobile, False), accept)
    command = f"medsdk train {recipes.shown(path)} --data DATA --out BUNDLE{options}"
    how = build.Export(quantise=quantise or parsed.export.quantise, mobile=mobile, accept=(*parsed.export.accept, *accept))
    parts = build.bundle(parsed, prepared, model, command, _progress("evaluating"), how, _say)
    bundling.write(parts, out)
    _told(parts, out)


@click.command("convert")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--card", "card_file", required=True, type=EXISTING, help="card.json, or a draft without what is fitted.")
@click.option("--data", required=True, type=EXISTING, help="Labelled pictures, to calibrate, fit and judge by.")
@click.option("--out", required=True, type=FOLDER, help="The bundle: card.json, model.tflite, reference.npz.")
@click.option("--work", type=FOLDER, help="Where prepared pictures are kept. [default: OUT.work]")
@click.option(
    "--precision",
    type=click.Choice(["int8", "float32", "float16", "dynamic"]),
    default="int8",
    show_default=True,
)
@click.option(
    "--quantise",
    type=click.Choice(["auto", "ptq", "qat"]),
    default="auto",
    show_default=True,
    help="How int8 is reached; see train.",
)
@RANGE
@LABEL_MAP
@MOBILE
@ACCEPT
def convert(
    model: Path,
    card_file: Path,
    data: Path,
    out: Path,
    work: Path | None,
    precision: Literal["int8", "float32", "float16", "dynamic"],
    quantise: Literal["auto", "ptq", "qat"],
    value_range: tuple[float, float],
    label_map: tuple[str, ...],
    mobile: bool,
    accept: tuple[str, ...],
) -> None:
    """Make a checked bundle from MODEL (.keras, .h5, a SavedModel folder or .onnx) and what its card says of it."""
    _quieten_tensorflow()
    from medsdk.evaluation.data import parse_label_map
    from medsdk_converters import build, bundling, drafts, inference, loading

    draft = drafts.read_draft(card_file)
    files = drafts.files_of(draft, card_file)
    work = _made(work or out.with_name(f"{out.name}.work"))
    parsed = drafts.recipe_of(draft, card_file, data, parse_label_map(label_map))
    loaded = loading.load(model, work)
    loading.check_fits(loaded, model, draft.input.height, draft.input.width, parsed.logits, len(draft.labels))
    prepared = _prepared(parsed, data, work)
    some = prepared.pixels[prepared.indices("val")][:64]
    loading.check_logits(inference.float_logits(loaded, some, value_range), model)
    quantised = ("--quantise", quantise, "auto")
    options = _options(("--precision", precision, "int8"), quantised, ("--mobile", mobile, False), accept)
    if value_range != (-1.0, 1.0):
        options += f" --range {value_range[0]:g} {value_range[1]:g}"
    command = f"medsdk convert {model.name} --card {card_file.name} --data DATA --out BUNDLE{options}"
    how = build.Export(precision, value_range, quantise, mobile, accept)
    parts = build.bundle(parsed, prepared, loaded, command, _progress("evaluating"), how, _say).with_files(files)
    bundling.write(parts, out)
    _told(parts, out)


@click.command("check")
@click.argument("bundle", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--data", type=EXISTING, help="Labelled pictures whose split val int8 and float are compared on.")
@click.option("--float", "float_model", type=EXISTING, help="The float model: train leaves it in WORK/float.keras.")
@click.option("--recipe", help="The recipe whose pictures and labels --data holds, where it has more than one set.")
@click.option("--work", type=FOLDER, help="Where prepared pictures are kept. [default: BUNDLE.work]")
@RANGE
@LABEL_MAP
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(
    bundle: Path,
    data: Path | None,
    float_model: Path | None,
    recipe: str | None,
    work: Path | None,
    value_range: tuple[float, float],
    label_map: tuple[str, ...],
    as_json: bool,
) -> None:
    """Is BUNDLE whole, and does it do what its card says? Exits 1 if a check fails."""
    _quieten_tensorflow()
    from medsdk.checking import all_passed
    from medsdk_converters import checking

    if (data is None) != (float_model is None):
        raise click.UsageError("--data and --float go together: the file is compared with the float model on pictures.")
    evidence = None
    if data is not None and float_model is not None:
        work = _made(work or bundle.with_name(f"{bundle.resolve().name}.work"))
        evidence = _evidence(bundle, data, float_model, recipe, work, value_range, label_map)
    checks = checking.check(bundle, evidence, _progress("checking"))
    passed = all_passed(checks)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode({"bundle": bundle.name, "passed": passed, "checks": checks}).decode())
    else:
        width = max(len(one.name) for one in checks)
        for one in checks:
            click.echo(f"{one.word:<4}  {one.name:<{width}}  {one.message}")
    sys.exit(0 if passed else 1)


@medsdk.hookimpl
def medsdk_register_commands(register: Callable[[click.Command], None]) -> None:
    """Tell medsdk of the commands of this package."""
    register(train)
    register(convert)
    register(check)


def _evidence(
    bundle: Path,
    data: Path,
    float_model: Path,
    recipe: str | None,
    work: Path,
    value_range: tuple[float, float],
    label_map: tuple[str, ...],
) -> checking.Evidence:
    from medsdk.core.card import read_card
    from medsdk.evaluation.data import parse_label_map
    from medsdk_converters import checking, drafts, evaluating, loading, recipes
    from medsdk_converters.recipe import read_recipe

    card = read_card(bundle / "card.json")
    if recipe is not None:
        parsed = read_recipe(recipes.locate(recipe))
    else:
        parsed = drafts.recipe_of(drafts.draft_of(card), bundle / "card.json", data, parse_label_map(label_map))
    model = loading.load(float_model, work)
    loading.check_fits(model, float_model, card.input.height, card.input.width, card.logits, len(card.labels))
    prepared = _prepared(parsed, data, work)
    rows = prepared.indices("val")
    positive = evaluating.positive_labels(parsed)[prepared.labels[rows]]
    return checking.Evidence(prepared.pixels[rows], positive, model, value_range)


def _prepared(recipe: Recipe, data: Path, work: Path) -> Prepared:
    from medsdk_converters.preparation import prepare

    prepared = prepare(recipe, data, work, _progress("preparing"))
    if prepared.left_out:
        names = ", ".join(prepared.left_out)
        _say(f"{len(prepared.left_out)} pictures are left out (not decodable, or twins in another split): {names}")
    return prepared


def _options(*given: Any) -> str:
    """Those options that are not at their default, as they stand on the command line."""
    *named, accepted = given
    parts = []
    for name, value, default in named:
        if value != default:
            parts.append(name if value is True else f"{name} {value}")
    parts += [f"--accept {check}" for check in accepted]
    return "".join(f" {part}" for part in parts)


def _told(parts: bundling.Parts, out: Path) -> None:
    for evaluation in parts.card.evaluations:
        _say(f"{evaluation.set}: " + ", ".join(f"{k} {v.value:.3f}" for k, v in evaluation.figures.items()))
    _say(f"Bundle written to {out}")


def _quieten_tensorflow() -> None:
    """Before it is imported: it reports GPUs that nobody has, and each step of a conversion. What fails is raised.

    A few lines that it writes while it is imported heed nothing.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say(text: str) -> None:
    click.echo(text, err=True)


def _progress(what: str) -> Callable[[Iterable[Any], int], Iterable[Any]]:
    from tqdm import tqdm

    return lambda items, total: tqdm(items, what, total, disable=None, leave=False)
