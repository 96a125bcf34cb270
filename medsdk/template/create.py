"""A plugin package from the template beside this file."""

from __future__ import annotations

import keyword
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from medsdk.core.errors import MedsdkError, MissingExtraError

TEMPLATE = Path(__file__).parent


class TemplateError(MedsdkError):
    """The package cannot be written."""


def create(disease: str, target: Path, answers: dict[str, str]) -> None:
    """Write a whole package into `target`, which must be empty or not there.

    `answers` may hold name, picture, icd10 and snomed_ct; what is not answered is marked FILL IN.
    Raises TemplateError, or MissingExtraError where copier is not installed.
    """
    _check_id(disease)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TemplateError(f"{target}: it is there already, and not empty.", "Name another folder with --out.")
    copier = _copier()
    try:
        copier.run_copy(str(TEMPLATE), str(target), data={"disease": disease, **answers}, defaults=True, quiet=True)
    except (copier.errors.CopierError, OSError) as error:
        raise TemplateError(f"{target}: the package cannot be written ({error}).", "Choose a folder that you own.") from None


def _check_id(disease: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", disease) or keyword.iskeyword(disease):
        raise TemplateError(
            f"{disease!r} cannot be a disease's id.",
            "Use a short lower-case name of letters, digits and _, such as scabies.",
        )


def _copier() -> Any:
    try:
        import_module("copier.errors")
    except ModuleNotFoundError:
        raise MissingExtraError("new", "Writing a new plugin package") from None
    return import_module("copier")
