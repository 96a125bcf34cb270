"""`medsdk doctor`."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

import click

import medsdk
from medsdk.cli import exit_codes
from medsdk.cli.output import Format, Rows, format_options, json_line
from medsdk.core import registry
from medsdk.core.errors import MedsdkError
from medsdk.core.runtime import runtime

_PARTS = ("numpy", "opencv-python-headless", "pluggy", "msgspec", "click")


@click.command("doctor")
@format_options
def command(form: Format) -> None:
    """Check the runtime and every installed plugin: opens each model and runs it once."""
    checks = [_versions(), _runtime(), *map(_plugin, registry.diseases().values())]
    checks += [{"part": problem.disease, "state": "broken", "message": str(problem)} for problem in registry.problems()]
    rows = Rows(("part", "state", "message")) if form == "csv" else None
    for check in checks:
        if rows is not None:
            rows.write(check)
        else:
            click.echo(json_line(check) if form == "json" else f"{check['part']:<14}{check['state']:<8}{check['message']}")
    codes = [int(check["code"]) for check in checks if "code" in check]
    broken = [check for check in checks if check["state"] == "broken"]
    if broken:
        sys.exit(min(codes, default=exit_codes.NO_SUCH_DISEASE))


def _versions() -> dict[str, str]:
    parts = ", ".join(f"{name} {metadata.version(name)}" for name in _PARTS)
    machine = f"Python {platform.python_version()} on {platform.machine()}"
    return {"part": "medsdk", "state": "ok", "message": f"{medsdk.__version__}, {machine}, {parts}"}


def _runtime() -> dict[str, str]:
    try:
        found = runtime()
    except MedsdkError as error:
        return _broken("runtime", error)
    faster = f"faster: {found.faster}" if found.faster else "nothing faster is known without other hardware"
    message = f"{found} ({found.reason}); {found.speed}: {found.remark}; {faster}"
    return {"part": "runtime", "state": "ok", "message": message}


def _plugin(claim: registry.InstalledDisease) -> dict[str, str]:
    import numpy as np

    try:
        with medsdk.load(claim.id) as analyzer:
            analyzer.outputs(np.zeros((64, 64, 3), np.uint8))
            size = analyzer.card.model.bytes
    except MedsdkError as error:
        problem = registry.problem_of(claim, error)
        return {**_broken(claim.id, error), "message": str(problem)}
    message = f"{claim.distribution} {claim.version}, model of {size:,} bytes opens and runs"
    return {"part": claim.id, "state": "ok", "message": message}


def _broken(part: str, error: MedsdkError) -> dict[str, str]:
    return {
        "part": part,
        "state": "broken",
        "message": str(error),
        "code": str(exit_codes.exit_code_of(error)),
    }
