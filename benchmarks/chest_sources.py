"""How each means against shortcuts moves the chest network's figures on hospitals that it was not trained on.

    python benchmarks/chest_sources.py --data PACKS --work FOLDER [--out chest_sources.json]

Each variant adds one means to the one before it, and is trained once without each source; the last one is the shipped
recipe's preprocessing and augmentation. All of that at a trial's size (128 px, a short schedule), so that it compares the
means and does not say how good the shipped network is.

The other parts have the shipped recipe's size, rate and augmentation. A few epochs of 3,600 pictures behind the head's: two
hospitals are left out of one training, with and without the cut to the lungs; and the Delhi films, the only ones whose ill
and well come from one hospital, are cross-validated, all other sources in training. `unseen_whole` is the recipe of the
shared network from end to end, without the two hospitals; it takes most of an hour.

`tuberculosis` is that plugin's own recipe, whose last phase alone draws films of the two hospitals: it is judged on them as
it is before, and its last phase is cross-validated over Delhi. With --state FILE, a copy of a training's state from behind
its last phase but one (`training.state` in the work folder of `medsdk train tuberculosis`), both go on from there.

    --only unseen (or any other of the parts) does this part alone, and leaves the others' results as they are.

Killed and called again, it goes on. It needs medsdk-converters.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from medsdk.core.files import write_beside

# Without kermany, hardly a film of pneumonia is left; without radiography, none of COVID-19.
SOURCES = ("da_delhi", "mendeley", "tb_database", "nih8_adult")
SIDE = 128
VARIANTS: dict[str, dict[str, Any]] = {
    "plain film, flips only": {"steps": ("grey", "resize"), "augmented": False},
    "+ strong augmentation": {"steps": ("grey", "resize"), "augmented": True},
    "+ grey levels equalised": {"steps": ("grey", "resize", "stretch", "clahe"), "augmented": True},
    "+ cut to the lungs": {"steps": ("lung_crop", "grey", "resize", "stretch", "clahe"), "augmented": True},
}
AS_SHIPPED = VARIANTS["+ cut to the lungs"]["steps"]
WHOLE_FILM = tuple(step for step in AS_SHIPPED if step != "lung_crop")
# At the shipped size, without either of the hospitals that are known best.
UNSEEN = ("da_delhi", "tb_database")
UNSEEN_VARIANTS = {"whole film": WHOLE_FILM, "cut to the lungs (as shipped)": AS_SHIPPED}
# tb_database holds no well people; these are the adults of many hospitals.
STAND_INS = {"source": "radiography", "label": "normal"}
UNSEEN_EPOCHS, FOLD_EPOCHS = 6, 4
PARTS = ("left_out", "delhi_folds", "unseen", "unseen_whole", "tuberculosis")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="The folder with chest.tar and pneumonia.tar.")
    parser.add_argument("--work", type=Path, required=True, help="Where the states of the runs are kept.")
    parser.add_argument("--out", type=Path, default=Path("chest_sources.json"))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--only", choices=PARTS, action="append")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parts = arguments.only or PARTS
    found = msgspec.json.decode(arguments.out.read_bytes()) if arguments.only and arguments.out.exists() else {}
    if "left_out" in parts:
        found["left_out"] = {name: _left_out(name, arguments.data, arguments.work) for name in VARIANTS}
        print("\n".join(_table(found["left_out"])), end="\n\n")
    if "delhi_folds" in parts:
        found["delhi_folds"] = _delhi(arguments.data, arguments.work, arguments.folds)
        print(_folds_line(found["delhi_folds"]), end="\n\n")
    if "unseen" in parts:
        found["unseen"] = {name: _unseen(name, arguments.data, arguments.work) for name in UNSEEN_VARIANTS}
        print("\n".join(_table(found["unseen"])))
    if "unseen_whole" in parts:
        found["unseen_whole"] = {"as shipped, whole schedule": _unseen_whole(arguments.data, arguments.work)}
        print("\n".join(_table(found["unseen_whole"])))
    if "tuberculosis" in parts:
        found["tuberculosis"] = _tuberculosis(arguments.data, arguments.work, arguments.folds, arguments.state)
        print("\n".join(_table({"before its last phase": found["tuberculosis"]["before"]})))
        print(_folds_line(found["tuberculosis"]["delhi_folds"]))
    write_beside(arguments.out, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def shipped(name: str) -> Any:
    """The recipe of that name, whole."""
    from medsdk_converters import recipes
    from medsdk_converters.recipe import read_recipe

    return read_recipe(recipes.locate(name))


def trial(variant: dict[str, Any]) -> Any:
    """The shipped recipe at a trial's size, with some of its means only."""
    from medsdk_converters.recipe import Augmentation, Phase, with_changes

    recipe = shipped("chest")
    given = msgspec.structs.replace(
        recipe.input,
        height=SIDE,
        width=SIDE,
        steps=tuple(step for step in recipe.input.steps if step.name in variant["steps"]),
    )
    return with_changes(
        recipe,
        input=given,
        augmentation=recipe.augmentation if variant["augmented"] else Augmentation(flip_horizontal=True),
        sampling=msgspec.structs.replace(recipe.sampling, pictures=2400),
        schedule=msgspec.structs.replace(
            recipe.schedule,
            phases=(Phase(epochs=1, learning_rate=0.003, train_from="head"), Phase(epochs=4, learning_rate=0.001)),
            average=0.98,
        ),
    )


def _left_out(name: str, data: Path, work: Path) -> Any:
    from medsdk_converters import leaving_out

    recipe = trial(VARIANTS[name])
    folder = _made(work / f"variant{list(VARIANTS).index(name) + 1}")
    prepared = _prepared(recipe, data, folder)
    return leaving_out.leave_out(recipe, prepared, "source", folder, _say, SOURCES)


def full_size(base: str, steps: tuple[str, ...], epochs: int) -> Any:
    """The shipped recipe with these steps; what is short is its schedule."""
    from medsdk_converters.recipe import Phase, with_changes

    recipe = shipped(base)
    given = msgspec.structs.replace(recipe.input, steps=tuple(step for step in recipe.input.steps if step.name in steps))
    phases = (Phase(epochs=1, learning_rate=0.002, train_from="head"), Phase(epochs=epochs, learning_rate=0.0007))
    return with_changes(
        recipe,
        input=given,
        sampling=msgspec.structs.replace(recipe.sampling, pictures=3600),
        schedule=msgspec.structs.replace(recipe.schedule, phases=phases),
    )


def _unseen(name: str, data: Path, work: Path) -> Any:
    recipe = full_size("chest", UNSEEN_VARIANTS[name], UNSEEN_EPOCHS)
    return _without_both(recipe, data, _made(work / f"unseen{list(UNSEEN_VARIANTS).index(name) + 1}"))


def _unseen_whole(data: Path, work: Path) -> Any:
    return _without_both(shipped("chest"), data, _made(work / "unseen_whole"))


def _without_both(recipe: Any, data: Path, folder: Path) -> Any:
    from medsdk_converters import leaving_out

    prepared = _prepared(recipe, data, folder)
    return leaving_out.leave_out(recipe, prepared, "source", folder, _say, UNSEEN, together=True, against=STAND_INS)


def _delhi(data: Path, work: Path, count: int) -> Any:
    from medsdk_converters import cross_validation
    from medsdk_converters.recipe import with_changes

    # As the plugin's recipe was when it had no loss of its own.
    recipe = full_size("tuberculosis", AS_SHIPPED, FOLD_EPOCHS)
    decide = msgspec.structs.replace(recipe.decide, rule="youden")
    recipe = with_changes(recipe, loss=shipped("chest").loss, decide=decide)
    folder = _made(work / "delhi_full")
    prepared = _prepared(recipe, data, folder)
    return cross_validation.cross_validate(recipe, prepared, count, folder, _say, {"source": "da_delhi"})


def _tuberculosis(data: Path, work: Path, count: int, state: Path | None) -> dict[str, Any]:
    from medsdk_converters import cross_validation, leaving_out
    from medsdk_converters.recipe import with_changes

    recipe = shipped("tuberculosis")
    schedule = msgspec.structs.replace(recipe.schedule, phases=recipe.schedule.phases[:-1])
    before = with_changes(recipe, schedule=schedule)
    folder = _made(work / "tuberculosis")
    prepared = _prepared(recipe, data, folder)
    if state is not None:
        _begin(state, before, folder / f"without-{'-'.join(UNSEEN).replace('_', '-')}")
        for fold in range(count):
            _begin(state, recipe, folder / f"fold{fold + 1}of{count}")
    return {
        "before": leaving_out.leave_out(before, prepared, "source", folder, _say, UNSEEN, together=True, against=STAND_INS),
        "delhi_folds": cross_validation.cross_validate(recipe, prepared, count, folder, _say, {"source": "da_delhi"}),
    }


def _begin(state: Path, recipe: Any, folder: Path) -> None:
    """Let a training of this recipe go on from a state of another schedule, where it has not begun by itself."""
    begun = _made(folder) / "training.state"
    if not begun.exists():
        content = pickle.loads(state.read_bytes())  # our own file, named by the user
        write_beside(begun, pickle.dumps({**content, "recipe": recipe.training_key}))


def _prepared(recipe: Any, data: Path, folder: Path) -> Any:
    from medsdk_converters.preparation import prepare

    return prepare(recipe, data, folder, _quietly)


def _table(found: dict[str, Any]) -> Iterator[str]:
    """Markdown: a line for each means, a column for each source and label that could be judged."""
    columns = {
        (left.value, one.label, one.within): None
        for result in found.values()
        for left in result.values
        for one in left.findings
    }
    yield "| means | " + " | ".join(f"{s}, {label}{'' if within else ' *'}" for s, label, within in columns) + " |"
    yield "| --- |" + " --- |" * len(columns)
    for name, result in found.items():
        cells = {(left.value, one.label, one.within): one for left in result.values for one in left.findings}
        yield f"| {name} | " + " | ".join(_cell(cells.get(column)) for column in columns) + " |"


def _cell(finding: Any) -> str:
    if finding is None:
        return "-"
    auc = finding.auc
    chosen = "" if finding.sensitivity is None else f"; {finding.sensitivity:.2f} / {finding.specificity:.2f} at val's point"
    return f"{auc.value:.3f} ({auc.low:.2f}-{auc.high:.2f}), {finding.sensitivity_at_90:.2f}{chosen}"


def _folds_line(folds: Any) -> str:
    said = (f"{name} {spread.mean:.3f} ± {spread.deviation:.3f}" for name, spread in folds.figures.items())
    return f"Delhi, {len(folds.folds)} folds: " + ", ".join(said)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _quietly(items: Any, total: int) -> Any:
    del total
    return items


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
