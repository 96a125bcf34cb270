"""`medsdk train`, `medsdk convert` and `medsdk check`: arguments in, calls, messages out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

import medsdk

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("train")
@click.argument("recipe")
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path), help="Folder, CSV or tar.")
@click.option("--out", required=True, type=FOLDER, help="The bundle: card.json, model.tflite, reference.npz.")
@click.option("--work", type=FOLDER, help="Where the state of the run is kept. [default: OUT.work]")
def train(recipe: str, data: Path, out: Path, work: Path | None) -> None:
    """Make a checked bundle from RECIPE (a TOML file, or the name of a shipped recipe) and labelled pictures."""
    from medsdk_converters import build, bundling, recipes
    from medsdk_converters.recipe import read_recipe

    path = recipes.locate(recipe)
    parsed = read_recipe(path)
    work = work or out.with_name(f"{out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    prepared = build.prepare(parsed, data, work, _progress("preparing"))
    model = build.train(parsed, prepared, work, _say)
    command = f"medsdk train {recipes.shown(path)} --data DATA --out BUNDLE"
    parts = build.bundle(parsed, prepared, model, command, _progress("evaluating"))
    bundling.write(parts, out)
    model.save(work / "float.keras")
    for evaluation in parts.card.evaluations:
        _say(f"{evaluation.set}: " + ", ".join(f"{k} {v.value:.3f}" for k, v in evaluation.figures.items()))
    _say(f"Bundle written to {out}")


@medsdk.hookimpl
def medsdk_register_commands(register: Callable[[click.Command], None]) -> None:
    """Tell medsdk of the commands of this package."""
    register(train)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _progress(what: str) -> Callable[[Iterable[Any], int], Iterable[Any]]:
    from tqdm import tqdm

    return lambda items, total: tqdm(items, what, total, disable=None, leave=False)
