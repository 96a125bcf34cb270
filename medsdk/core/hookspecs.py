"""The hooks that a plugin may implement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from medsdk.core.plugin import DiseasePlugin

PROJECT = "medsdk"

# The contract between medsdk and its plugins; it changes only when a plugin would have to change with it.
API_VERSION = "1"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def medsdk_register_diseases(register: Callable[[DiseasePlugin], None]) -> None:
    """Call `register` with each disease of this plugin.

    The plugin is found through entry points of the group `medsdk`, one for each disease, named by the disease's id.
    """


@hookspec
def medsdk_register_commands(register: Callable[[click.Command], None]) -> None:
    """Call `register` with each command that this plugin adds to the `medsdk` program.

    The plugin is found through entry points of the group `medsdk.commands`, one for each command, named like it.
    """
