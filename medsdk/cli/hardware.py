"""The options on what a model runs on: --threads and --delegate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from medsdk.core.threads import Threads

Command = TypeVar("Command", bound=Callable[..., Any])


def threads_option(meaning: str) -> Callable[[Command], Command]:
    """--threads, a number or "auto"; `meaning` says what the threads do."""
    text = f"{meaning} auto: as many as a second of measuring shows to be best."
    return click.option("--threads", type=_threads, default="1", show_default=True, metavar="N|auto", help=text)


def delegate_option(command: Command) -> Command:
    """--delegate, for medsdk.load."""
    text = "edgetpu (Coral), or the library of another TFLite delegate, in place of XNNPACK."
    return click.option("--delegate", metavar="LIBRARY", help=text)(command)


def _threads(text: str) -> Threads:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f'{text!r} is neither a number from 1 nor "auto".')
    return int(text)
