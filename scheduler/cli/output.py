"""How commands speak: one document or plain lines on standard output, all else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from scheduler.cli.texts import say

if TYPE_CHECKING:
    from rich.console import Console

FINE: Final = 0
FOUND: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
_WIDE_COLUMNS: Final = 200


class Refused(click.ClickException):
    """What was asked for cannot be done; the message says why and what would help."""

    exit_code = FOUND


class Wrong(click.UsageError):
    """The command was called wrongly: an unknown folder, key or setting."""


def complain(error: click.ClickException, *, as_json: bool) -> int:
    """Show an error, with `as_json` as a document on standard output too; gives the exit code."""
    if as_json:
        document({"error": error.format_message()})
    if isinstance(error, click.UsageError) and not isinstance(error, Wrong):
        error.show()
    else:
        note(say("error", message=error.format_message()))
    return error.exit_code


def document(value: Any) -> None:
    """Print the one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def line(text: str = "") -> None:
    """Print one line of the answer."""
    click.echo(text)


def lines(texts: Iterable[str]) -> None:
    """Print lines of the answer."""
    for text in texts:
        line(text)


def note(text: str) -> None:
    """Say something beside the answer, on standard error."""
    click.echo(text, err=True)


def console(*, stderr: bool = False) -> Console:
    """Where tables go: as wide as the terminal, or wide and plain where there is none."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDE_COLUMNS
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
