"""The group of all commands: lists them without importing them."""

from __future__ import annotations

from gettext import gettext
from importlib import import_module
from typing import Final

import click

from scheduler.cli.output import near
from scheduler.cli.texts import say

COMMANDS: Final = {
    "init": "init",
    "check": "check",
    "agenda": "agenda",
    "simulate": "simulate",
    "demo": "demo",
    "run": "run",
    "status": "status",
    "explain": "explain",
    "submit": "reports",
    "accept": "reports",
    "return": "reports",
    "withdraw": "reports",
    "extensions": "extensions",
    "exempt": "decisions",
    "override": "decisions",
    "archive": "archive",
    "inbox": "inbox",
    "send-test": "sendtest",
    "user": "users",
    "db": "db",
    "completion": "completion",
}
"""Each command with the module of this package that holds it."""

_CLICKS_WORDS: Final = {
    "Options": "opt.options",
    "Commands": "opt.commands",
    "Usage:": "opt.usage",
}


class Formatter(click.HelpFormatter):
    """Help with headings in the user's language."""

    def write_heading(self, heading: str) -> None:
        """A heading such as `Options`."""
        known = _CLICKS_WORDS.get(heading)
        super().write_heading(say(known) if known else heading)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The first line."""
        super().write_usage(prog, args, prefix or say("opt.usage") + " ")


class Context(click.Context):
    """A context whose help is in the user's language."""

    formatter_class = Formatter


class _Explained(click.Command):
    context_class = Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, explained in the user's language."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = say("opt.help")
        return option


class Command(_Explained):
    """A command whose help is in the user's language."""


class Group(_Explained, click.Group):
    """A group whose help is in the user's language."""

    command_class = Command


class Lazy(Group):
    """The commands of COMMANDS, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which an office meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None for a name that is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"scheduler.cli.{COMMANDS[cmd_name]}")
        found: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; an unknown one is answered with the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(say("unknown.command", name=name) + near(name, COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, each with its line, without importing any."""
        with formatter.section(gettext("Commands")):
            formatter.write_dl([(name, say(f"{name}.short")) for name in COMMANDS])


@click.command(
    cls=Lazy, help=say("duban"), context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="duban", prog_name="duban", help=say("opt.version"))
def duban() -> None:
    """See the catalogue."""
