"""`duban explain`: why was this mail sent, and why then?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.completing import KEY
from scheduler.cli.folders import (
    NoLedgerYet,
    bureau_in,
    json_option,
    ledger_at,
    plan_option,
    settings,
)
from scheduler.cli.output import Refused, document, lines
from scheduler.cli.root import Command
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from duban.bureau import Bureau


@click.command("explain", cls=Command, help=say("explain"), short_help=say("explain.short"))
@click.argument("key", metavar="KEY", type=KEY)
@plan_option
@click.option(
    "--ledger",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("opt.ledger"),
)
@json_option
def explain_command(key: str, folder: Path | None, file: Path | None, as_json: bool) -> None:
    """See the catalogue."""
    from jobs.explain import account
    from scheduler.cli.account import account_document
    from scheduler.cli.accountprose import account_lines
    from scheduler.cli.keys import known_key

    bureau = bureau_in(folder)
    name = known_key(bureau, key)
    with _reading(file) as connection:
        now = _present(connection, bureau, file)
        found = account(bureau, name, now, connection)
    if found is None:
        raise Refused(say("unknown.key", key=name) + "; duban agenda")
    if as_json:
        document(account_document(bureau, found))
    else:
        lines(account_lines(bureau, found, now))


@contextmanager
def _reading(file: Path | None) -> Iterator[Connection | None]:
    """A view of the ledger given, or of the settings', or none where that does not exist yet."""
    url = f"sqlite:///{file}" if file else settings().database
    with ExitStack() as stack:
        try:
            ledger = stack.enter_context(ledger_at(url))
        except NoLedgerYet:
            ledger = None
        yield stack.enter_context(ledger.read()) if ledger else None


def _present(connection: Connection | None, bureau: Bureau, file: Path | None) -> datetime:
    """Now; for a ledger given as a file, perhaps a simulation's, the time of its last event."""
    from scheduler.clock import SystemClock

    if file is not None and connection is not None:
        from sqlalchemy import func, select

        from ledger.tables import event

        last: datetime | None = connection.execute(select(func.max(event.c.at))).scalar()
        if last is not None:
            return bureau.local(last)
    return bureau.local(SystemClock().now())
