"""docs/reference/cli.md names every command and every option there is.

`python tests/docs/test_cli_reference.py` writes the page anew.
"""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from medsdk.cli import _COMMANDS, main

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "cli.md"

HEAD = """# The command line

Results go to standard output, everything else to standard error. Exit codes: 0 done (whatever the verdict), 1 another error,
2 wrong usage, 3 unreadable picture, 4 no such disease or broken plugin, 5 model damaged or no runtime, 6 some pictures of
many failed, 10 with `--fail-on positive`.

The texts below are the program's own `--help`.
"""


def commands() -> dict[str, click.Command]:
    context = click.Context(main, info_name="medsdk")
    found = {name: main.get_command(context, name) for name in sorted(_COMMANDS)}
    return {name: command for name, command in found.items() if command is not None}


def help_of(name: str, command: click.Command) -> str:
    parent = click.Context(main, info_name="medsdk")
    return command.get_help(click.Context(command, info_name=name, parent=parent))


def page() -> str:
    parts = [HEAD]
    for name, command in commands().items():
        parts.append(f"## medsdk {name}\n\n```\n{help_of(name, command)}\n```\n")
    return "\n".join(parts)


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_the_page_names_every_option(name: str) -> None:
    text = PAGE.read_text()
    assert f"## medsdk {name}\n" in text
    section = text.split(f"## medsdk {name}\n")[1].split("\n## ")[0]
    for parameter in commands()[name].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert all(option in section for option in parameter.opts), f"run python {Path(__file__).name}"


if __name__ == "__main__":
    PAGE.write_text(page())
