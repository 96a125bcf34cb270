"""The pytest plugin: `--medsdk DISEASE` and `--medsdk-golden`.

pytest loads it in every run where medsdk is installed, so that it imports nothing of the kit itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_INSTALLED = Path(__file__).with_name("installed.py")


@dataclass
class Settings:
    """What the command line asked for."""

    diseases: list[str] = field(default_factory=list)
    write_golden: bool = False


settings = Settings()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The kit's two options."""
    group = parser.getgroup("medsdk", "conformance of medsdk plugins")
    group.addoption(
        "--medsdk",
        action="append",
        default=[],
        metavar="DISEASE",
        help="check an installed disease against medsdk's contract; repeatable",
    )
    group.addoption(
        "--medsdk-golden", action="store_true", help="write the golden file of preprocessing anew, then look at what changed"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the kit in place of the folder that pytest would look through by itself."""
    settings.diseases = list(dict.fromkeys(config.getoption("--medsdk")))
    settings.write_golden = bool(config.getoption("--medsdk-golden"))
    if not settings.diseases:
        return
    if config.args_source is not config.ArgsSource.ARGS:
        config.args.clear()
    config.args.append(str(_INSTALLED))
