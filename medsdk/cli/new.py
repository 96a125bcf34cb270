"""`medsdk new`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("new")
@click.argument("disease")
@click.option("--name", help="Its name for people.  [default: from the id]")
@click.option("--picture", help="The one kind of picture that the model will judge.")
@click.option("--icd10", help="Its ICD-10 code.")
@click.option("--snomed-ct", "snomed_ct", help="Its SNOMED CT code.")
@click.option("--out", type=click.Path(path_type=Path), help="The new folder.  [default: medsdk-DISEASE]")
def command(
    disease: str, name: str | None, picture: str | None, icd10: str | None, snomed_ct: str | None, out: Path | None
) -> None:
    """Write a plugin package for DISEASE: code, card, recipe, tests, with an untrained placeholder for a model.

    DISEASE is the id that people will type: short, lower-case, such as scabies.
    """
    from medsdk.template.create import create

    target = out or Path(f"medsdk-{disease.replace('_', '-')}")
    answers = {"name": name, "picture": picture, "icd10": icd10, "snomed_ct": snomed_ct}
    create(disease, target, {key: value for key, value in answers.items() if value})
    place = target if target.is_absolute() else f"./{target}"
    for line in (
        f"{target} is written. Its README.md says what to do; it begins with:",
        f"  pip install -e '{place}[test]'",
        f"  pytest {target}",
    ):
        click.echo(line, err=True)
