"""docs/reference/cli.md is the program's own `--help`, of every command there is, the converter's too.

`python tests/docs/test_cli_reference.py` writes the page anew.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from medsdk.cli import _COMMANDS, exit_codes, main

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "cli.md"

HEAD = """# The command line

Results go to standard output, everything else to standard error.

| exit code | meaning |
| --- | --- |
| 0 | done, whatever the verdict |
| 1 | another error; for `check`: a check failed |
| 2 | wrong usage |
| 3 | unreadable picture |
| 4 | no such disease or broken plugin |
| 5 | model damaged, or no runtime |
| 6 | some pictures of many failed |
| 10 | with `--fail-on positive`: a picture is positive |

The texts below are the program's own `--help`.
"""


def commands() -> dict[str, click.Command]:
    """Those of medsdk, then those of medsdk-converters, which need not be installed to be read."""
    context = click.Context(main, info_name="medsdk")
    found = {name: main.get_command(context, name) for name in _COMMANDS}
    # Without the converter's options, whether it is installed or not.
    vars(found["check"])["fuller"] = None
    return {name: command for name, command in sorted((found | _converters()).items()) if command is not None}


def _converters() -> dict[str, click.Command]:
    sys.path.insert(0, str(ROOT / "converters"))
    try:
        module: Any = import_module("medsdk_converters.cli")
    finally:
        sys.path.pop(0)
    return {"train": module.train, "convert": module.convert, "check with medsdk-converters": module.check}


def help_of(name: str, command: click.Command) -> str:
    parent = click.Context(main, info_name="medsdk")
    context = click.Context(command, info_name=name.split()[0], parent=parent, terminal_width=80)
    return command.get_help(context)


def page() -> str:
    parts = [HEAD]
    for name, command in commands().items():
        parts.append(f"## medsdk {name}\n\n```\n{help_of(name, command)}\n```\n")
    return "\n".join(parts)


NAMES = sorted(commands())


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_the_programs_own_text(name: str) -> None:
    section = PAGE.read_text().split(f"## medsdk {name}\n")[1].split("\n## ")[0]
    assert _unbroken(section.strip().strip("`")) == _unbroken(help_of(name, commands()[name])), f"run python {__file__}"


def _unbroken(text: str) -> str:
    """Where lines are broken depends on click's version."""
    return "".join(text.split())


def test_the_page_has_no_command_besides() -> None:
    found = [line.removeprefix("## medsdk ") for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    assert found == NAMES


def test_every_exit_code_is_explained() -> None:
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    explained = {
        int(line.split("|")[1]) for line in PAGE.read_text().splitlines() if line.startswith("| ") and line[2].isdigit()
    }
    assert explained == codes


if __name__ == "__main__":
    PAGE.write_text(page())
