"""`medsdk check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from medsdk.cli import exit_codes, plugin_command
from medsdk.cli.output import json_line
from medsdk.core import registry
from medsdk.core.errors import UnknownDiseaseError

if TYPE_CHECKING:
    from medsdk.checking import Check


class _Check(click.Command):
    """With the converter installed, a bundle's folder is asked its questions as well, and its options are options here."""

    @cached_property
    def fuller(self) -> click.Command | None:
        """The converter's own command."""
        return plugin_command("check")

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        names = {parameter.name for parameter in own}
        offered = self.fuller.params if self.fuller else []
        return [*own, *(each for each in offered if isinstance(each, click.Option) and each.name not in names)]


@click.command("check", cls=_Check)
@click.argument("what", nargs=-1, metavar="[BUNDLE|DISEASE]...")
@click.option("--all", "everything", is_flag=True, help="Every installed plugin.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each that was checked.")
@click.pass_context
def command(ctx: click.Context, /, what: tuple[str, ...], everything: bool, as_json: bool, **options: Any) -> None:
    """Is a bundle whole, and does it do what its card says?

    BUNDLE is a folder with a card.json, DISEASE the id of an installed plugin. Of a plugin its files are compared with
    what was installed, then its bundle is checked; its code is imported last, and only if all that passed. With
    medsdk-converters installed there are options to compare a bundle with its float model. Exits 1 if a check fails.
    """
    if everything == bool(what):
        raise click.UsageError("Name bundles or diseases, or give --all.")
    fuller = ctx.command.fuller if isinstance(ctx.command, _Check) else None
    if fuller is not None and len(what) == 1 and Path(what[0]).is_dir():
        ctx.invoke(fuller, bundle=Path(what[0]), as_json=as_json, **options)
        return
    _refuse_given(ctx, options)
    passed, count = True, 0
    for subject, checks in _everything() if everything else _named(what):
        passed &= _told(subject, checks, as_json)
        count += 1
    if not count:
        click.echo("medsdk: no plugin is installed, or none is allowed.", err=True)
        sys.exit(exit_codes.NO_SUCH_DISEASE)
    sys.exit(exit_codes.DONE if passed else exit_codes.FAILED)


def _refuse_given(ctx: click.Context, options: dict[str, Any]) -> None:
    """The converter's options mean nothing for what is installed; one that is ignored would be a silent lie."""
    for parameter in ctx.command.get_params(ctx):
        name = parameter.name or ""
        if name in options and ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"{parameter.opts[0]} goes with the folder of one bundle.")


def _everything() -> Iterator[tuple[dict[str, str], list[Check]]]:
    from medsdk.checking import check_installed, claimed_twice

    for claim in registry.diseases().values():
        yield _subject(claim), check_installed(claim)
    for problem in registry.problems():
        names = {"disease": problem.disease, "distribution": problem.distribution, "version": problem.version}
        yield names, claimed_twice(problem)


def _named(what: tuple[str, ...]) -> Iterator[tuple[dict[str, str], list[Check]]]:
    from medsdk.checking import check_bundle, check_installed

    for name in what:
        if Path(name).is_dir():
            yield {"bundle": name}, check_bundle(Path(name))
            continue
        claim = registry.diseases().get(name)
        if claim is None:
            raise UnknownDiseaseError(
                name, f"{name!r} is neither a bundle's folder nor an installed disease.", "See `medsdk list`."
            )
        yield _subject(claim), check_installed(claim)


def _subject(claim: registry.InstalledDisease) -> dict[str, str]:
    return {"disease": claim.id, "distribution": claim.distribution, "version": claim.version}


def _told(subject: dict[str, str], checks: list[Check], as_json: bool) -> bool:
    """Print one subject's answers; whether all passed."""
    from medsdk.checking import all_passed

    passed = all_passed(checks)
    if as_json:
        click.echo(json_line({**subject, "passed": passed, "checks": checks}))
        return passed
    click.echo(f"{' '.join(subject.values())}: {'ok' if passed else 'FAIL'}")
    for check in checks:
        click.echo(f"  {check.word:<6}{check.name:<15}{check.message}")
    return passed
