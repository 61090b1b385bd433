"""How commands speak: one document or plain lines on standard output, all else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from config.suggest import nearest
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from rich.console import Console

FINE: Final = 0
FOUND: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
UNREAD: Final = 141
_WIDE_COLUMNS: Final = 200


class Refused(click.ClickException):
    """What was asked for cannot be done; the message says why and what would help."""

    exit_code = FOUND


class Wrong(click.UsageError):
    """The command was called wrongly: an unknown folder, key or setting."""


class UnreadError(Exception):
    """Whoever read the answer has gone, such as `head`: there is nobody to say anything to."""


def complain(error: click.ClickException, *, as_json: bool) -> int:
    """Show an error, with `as_json` as a document on standard output too; gives the exit code."""
    message = _message(error)
    if as_json:
        document({"error": message})
    if isinstance(error, click.UsageError) and not isinstance(error, Wrong) and error.ctx:
        note(error.ctx.get_usage())
        note(say("try.help", command=error.ctx.command_path))
        note("")
    note(say("error", message=message))
    return error.exit_code


def _message(error: click.ClickException) -> str:
    """What click says of the commonest mistakes, in the user's language."""
    match error:
        case click.MissingParameter(param=click.Parameter() as param):
            return say("missing", what=param.get_error_hint(error.ctx))
        case click.BadParameter(param=click.Parameter() as param):
            return say("bad.value", what=param.get_error_hint(error.ctx), message=error.message)
        case click.NoSuchOption(ctx=click.Context() as context):
            known = [o for p in context.command.params for o in p.opts]
            return say("no.option", option=error.option_name) + near(error.option_name, known)
        case _:
            return error.format_message()


def near(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)` in the user's language, or nothing where nothing is near."""
    found = nearest(word, known)
    return say("did.you.mean", found=found) if found else ""


def document(value: Any) -> None:
    """Print the one JSON document."""
    line(json.dumps(value, ensure_ascii=False, indent=2))


def line(text: str = "") -> None:
    """Print one line of the answer. Raises UnreadError where nobody reads it."""
    try:
        click.echo(text)
    except BrokenPipeError as error:
        raise UnreadError from error


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
