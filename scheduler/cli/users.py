"""`duban user`: who may sign in to the office's pages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from scheduler.cli.folders import json_option, login_name, own_ledger
from scheduler.cli.output import Refused, Wrong, document, line
from scheduler.cli.root import Group
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LONGEST_NAME: int = 64


@click.group("user", cls=Group, help=say("user"), short_help=say("user.short"))
def user_command() -> None:
    """See the catalogue."""


_name = click.argument("name", metavar="NAME")


@user_command.command("add", help=say("user.add"), short_help=say("user.add.short"))
@_name
def add_command(name: str) -> None:
    """See the catalogue."""
    if name != name.strip() or not name.isprintable() or not 1 <= len(name) <= _LONGEST_NAME:
        raise Wrong(say("user.bad.name"))
    from ledger import accounts

    def add(connection: Connection, now: datetime) -> bool:
        try:
            accounts.add(connection, name, password, now)
        except accounts.AccountExistsError as error:
            raise Refused(say("user.exists", name=name)) from error
        return True

    password = _password(name)
    _change(name, "account.added", add)
    line(say("user.added", name=name))


@user_command.command("passwd", help=say("user.passwd"), short_help=say("user.passwd.short"))
@_name
def passwd_command(name: str) -> None:
    """See the catalogue."""
    from ledger import accounts

    password = _password(name)
    _change(name, "account.passwd", lambda c, _: accounts.set_password(c, name, password))
    line(say("user.changed", name=name))


@user_command.command("disable", help=say("user.disable"), short_help=say("user.disable.short"))
@_name
def disable_command(name: str) -> None:
    """See the catalogue."""
    from ledger import accounts

    _change(name, "account.disabled", lambda c, now: accounts.disable(c, name, now))
    line(say("user.disabled", name=name))


@user_command.command("list", help=say("user.list"), short_help=say("user.list.short"))
@json_option
def list_command(as_json: bool) -> None:
    """See the catalogue."""
    from ledger import accounts

    with own_ledger() as ledger, ledger.read() as connection:
        rows = accounts.every(connection)
    if as_json:
        document(
            [
                {
                    "name": row.name,
                    "created_at": row.created_at.isoformat(),
                    "disabled_at": row.disabled_at.isoformat() if row.disabled_at else None,
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        since, until = row.created_at.date(), row.disabled_at and row.disabled_at.date()
        kind = "user.line.disabled" if until else "user.line"
        line(say(kind, name=row.name, since=since, until=until))
    if not rows:
        line(say("user.none"))


def _password(name: str) -> str:
    """The hash of a password from the terminal, asked twice, or from standard input's first line.

    What was typed is forgotten here.
    """
    from jobs.passwords import LONGEST_CHARACTERS, SHORTEST_CHARACTERS, WeakPasswordError, hashed

    with own_ledger():
        pass  # where there is none yet, no password is typed in vain
    if sys.stdin.isatty():
        typed = click.prompt(
            say("user.password"), hide_input=True, confirmation_prompt=say("user.again"), err=True
        )
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    try:
        return hashed(typed, name)
    except WeakPasswordError as error:
        said = say("user.weak", shortest=SHORTEST_CHARACTERS, longest=LONGEST_CHARACTERS)
        raise Refused(said) from error


def _change(name: str, what: str, change: Callable[[Connection, datetime], bool]) -> None:
    """Change an account and record who did so; a name without account is refused."""
    from ledger import events
    from scheduler.clock import SystemClock

    now = SystemClock().now()
    with own_ledger() as ledger, ledger.write() as connection:
        if not change(connection, now):
            raise Refused(say("user.unknown", name=name))
        events.record(connection, now, what, login_name(), account=name)
