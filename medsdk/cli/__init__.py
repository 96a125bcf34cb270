"""The `medsdk` program. Each command stands in a file of its own and is imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

import medsdk
from medsdk.cli.exit_codes import exit_code_of
from medsdk.core.errors import MedsdkError

_COMMANDS = {
    "batch": "batch",
    "bench": "bench",
    "check": "check",
    "doctor": "doctor",
    "evaluate": "evaluate",
    "identify": "identify",
    "info": "info",
    "list": "list_",
    "new": "new",
    "predict": "predict",
    "serve": "serve",
    "slide": "slide",
    "watch": "watch",
}

COMMAND_ENTRY_POINTS = "medsdk.commands"


class _Program(click.Group):
    """Finds a command's file by its name, then a plugin's command by its entry point."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        from medsdk.core import registry

        offered = {claim.id for claim in registry.installed(COMMAND_ENTRY_POINTS)}
        return sorted({*_COMMANDS, *offered})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in _COMMANDS:
            module = import_module(f"medsdk.cli.{_COMMANDS[cmd_name]}")
            command: click.Command = module.command
            return command
        return plugin_command(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MedsdkError as error:
            click.echo(f"medsdk: {error}", err=True)
            sys.exit(exit_code_of(error))


@click.group(cls=_Program)
@click.version_option(medsdk.__version__, package_name="medsdk", prog_name="medsdk")
def main() -> None:
    """Does this picture show this disease?

    Decision support for trained people; not a diagnosis.
    """


def plugin_command(name: str) -> click.Command | None:
    """The command of an installed plugin. One that is broken is reported, and hurts no other command."""
    from medsdk.core import registry

    for claim in registry.installed(COMMAND_ENTRY_POINTS):
        if claim.id != name:
            continue
        try:
            commands: list[click.Command] = registry.call_hook(claim, "medsdk_register_commands")
        except MedsdkError as error:
            registry.raise_if_strict(registry.problem_of(claim, error))
            click.echo(f"medsdk: {error}", err=True)
            continue
        return next((command for command in commands if command.name == name), None)
    return None
