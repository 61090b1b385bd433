"""`duban completion`: the lines that teach a shell to complete duban's commands and keys."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from scheduler.cli.output import line
from scheduler.cli.root import Command, duban
from scheduler.cli.texts import say


@click.command(
    "completion", cls=Command, help=say("completion"), short_help=say("completion.short")
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """See the catalogue."""
    found = get_completion_class(shell)
    if found is None:  # pragma: no cover - the choice allows only shells that click knows
        raise click.UsageError(shell)
    line(found(duban, {}, "duban", "_DUBAN_COMPLETE").source())
