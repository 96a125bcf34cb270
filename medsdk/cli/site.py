"""--site: the file by which a command judges in place of the card's operating point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(dir_okay=False, path_type=Path)
_MEANING = "This site's own operating point: a file that `medsdk evaluate --recalibrate` wrote"


def site_option(command: Command) -> Command:
    """--site, for medsdk.load."""
    return click.option("--site", type=_FILE, help=f"{_MEANING}.")(command)


def sites_option(command: Command) -> Command:
    """--site for a command that judges many diseases: any number of files, given as `sites`."""
    text = f"{_MEANING}; it names its disease. Repeatable, one a disease."
    return click.option("--site", "sites", type=_FILE, multiple=True, help=text)(command)
