"""The decision of a bundle that there is, made anew by a recipe: model, rejection and what was trained stay as they are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from medsdk.core.bundle import Bundle, read_checked
from medsdk_converters import bundling, evaluating, fitting, model_card
from medsdk_converters.errors import RecipeError
from medsdk_converters.inference import infer
from medsdk_converters.preparation import Prepared, Progress
from medsdk_converters.recipe import Recipe

_REMEDY = "Name the folder of a whole bundle."


def decide_anew(recipe: Recipe, prepared: Prepared, folder: Path, progress: Progress) -> bundling.Parts:
    """The bundle in `folder` with temperature, operating point and band by the recipe's `decide`, and its figures anew.

    What people say of the model is the recipe's too. What was measured of the shipped plugin (robustness, attention) is left
    out: it hangs on the decision, and is to be measured again. Raises RecipeError if the model is of another recipe's kind,
    CardError or ModelDamagedError.
    """
    bundle = Bundle(folder)
    card, content = bundle.card, bundle.model()
    if (card.input, card.labels, card.outputs.activation) != (recipe.input, recipe.labels, recipe.model.activation):
        raise RecipeError(
            f"{folder}: its input or its labels are not those of the recipe {recipe.name!r}.",
            "Name the bundle that this recipe made, or train it.",
        )
    if card.reference is None:
        raise RecipeError(f"{folder}: the bundle has no reference.", "Train it anew.")
    reference = read_checked(folder, card.reference, _REMEDY)
    val = prepared.indices("val")
    logits = infer(content, prepared.pixels[val], progress).logits
    where = prepared.places(val, recipe.decide.where)
    calibration, decision = fitting.fit_decision(recipe, card, logits, prepared.labels[val], where)
    said = recipe.card
    card = msgspec.structs.replace(
        card,
        name=said.name,
        codes=said.codes,
        picture=said.picture,
        licence=said.licence,
        intended_use=said.intended_use,
        limits=said.limits,
        calibration=calibration,
        decision=decision,
        evaluations=(),
    )
    judged = [evaluating.judge(recipe, prepared, content, card, spec, progress) for spec in recipe.evaluate]
    both = zip(recipe.evaluate, judged, strict=True)
    card = msgspec.structs.replace(
        card, evaluations=tuple(evaluating.evaluation(prepared, card, spec, each) for spec, each in both)
    )
    siblings = {bundling.README: model_card.render(card, diagram=bool(judged)).encode()}
    if judged:
        siblings[bundling.DIAGRAM] = evaluating.diagram(recipe, prepared, card, judged[0])
    files = {file.file: bundle.read(file.file) for file in card.files}
    return bundling.Parts(card, content, reference, siblings, files)
