"""`duban db`: bring the ledger up to date, copy it, put a copy back, check it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.folders import json_option, ledger_at, settings
from scheduler.cli.output import FINE, FOUND, Refused, document, line
from scheduler.cli.root import Group
from scheduler.cli.texts import say, told

if TYPE_CHECKING:
    from ledger.engine import Ledger


@click.group("db", cls=Group, help=say("db"), short_help=say("db.short"))
def db_command() -> None:
    """See the catalogue."""


@db_command.command("upgrade", help=say("db.upgrade"), short_help=say("db.upgrade.short"))
@json_option
def upgrade_command(as_json: bool) -> None:
    """See the catalogue."""
    with ledger_at(settings().database, must_exist=False) as ledger:
        version = ledger.version()
        shown = ledger.shown
    if as_json:
        document({"ledger": shown, "version": version})
    else:
        line(say("db.upgraded", ledger=shown, version=version))


@db_command.command("backup", help=say("db.backup"), short_help=say("db.backup.short"))
@click.argument("dest", type=click.Path(path_type=Path))
@json_option
def backup_command(dest: Path, as_json: bool) -> None:
    """See the catalogue."""
    from ledger.backup import back_up
    from ledger.highwater import check_there

    source = _file("db.backup.postgres", dest)
    # not migrated first: the daemon that writes it may be the version before
    with _plainly():
        check_there(source)
    if not source.exists():
        raise Refused(say("no.ledger", ledger=source))
    with _plainly():
        back_up(source, dest)
    size = dest.stat().st_size
    if as_json:
        document({"file": str(dest), "bytes": size})
    else:
        line(say("db.backed.up", dest=dest, size=size))


@db_command.command("restore", help=say("db.restore"), short_help=say("db.restore.short"))
@click.argument("copy", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def restore_command(copy: Path, as_json: bool) -> None:
    """See the catalogue."""
    from ledger.backup import restore
    from scheduler.clock import SystemClock
    from scheduler.lock import AlreadyRunningError, DaemonLock

    path = _file("db.restore.postgres", copy)
    try:
        with _plainly(), DaemonLock(path):
            kept = restore(copy, path, SystemClock().now())
    except AlreadyRunningError as error:
        raise Refused(told(error)) from error
    if as_json:
        document({"ledger": str(path), "replaced": str(kept) if kept else None})
        return
    line(say("db.restored", ledger=path, copy=copy))
    if kept:
        line(say("db.restore.kept", kept=kept))


def _file(otherwise: str, other: Path) -> Path:
    """The file of the settings' ledger; one of PostgreSQL's is refused with the right command."""
    from ledger.engine import Ledger, without_secrets

    ledger = Ledger(settings().database)
    try:
        if ledger.path is None:
            # without the password: the programs take it from PGPASSWORD or ~/.pgpass
            url = without_secrets(ledger.url)._replace(drivername="postgresql", password=None)
            shown = shlex.quote(url.render_as_string())
            raise Refused(say(otherwise, url=shown, file=shlex.quote(str(other))))
        return ledger.path
    finally:
        ledger.close()


@contextmanager
def _plainly() -> Iterator[None]:
    from ledger.engine import LedgerError

    try:
        yield
    except LedgerError as error:
        raise Refused(told(error)) from error


@db_command.command("check", help=say("db.check"), short_help=say("db.check.short"))
@json_option
def check_command(as_json: bool) -> int:
    """See the catalogue."""
    with ledger_at(settings().database) as ledger:
        faults = _faults(ledger)
        counts = _counts(ledger)
        version, shown = ledger.version(), ledger.shown
    if as_json:
        document(
            {
                "ledger": shown,
                "version": version,
                "ok": not faults,
                "faults": faults,
                "counts": counts,
            }
        )
        return FOUND if faults else FINE
    line(say("db.ledger", ledger=shown, version=version))
    for name, number in counts.items():
        line(f"  {name:<12}{number:>10}")
    for fault in faults:
        line(f"  {fault}")
    line(say("db.bad", count=len(faults)) if faults else say("db.good"))
    return FOUND if faults else FINE


@db_command.command("confirm", help=say("db.confirm"), short_help=say("db.confirm.short"))
@json_option
def confirm_command(as_json: bool) -> None:
    """See the catalogue."""
    from getpass import getuser

    from ledger.highwater import confirm
    from scheduler.clock import SystemClock

    with ledger_at(settings().database) as ledger, _plainly():
        held = confirm(ledger, getuser(), SystemClock().now())
        shown = ledger.shown
    if as_json:
        since = held.since.isoformat() if held and held.since else None
        document(
            {
                "ledger": shown,
                "confirmed": held is not None,
                "since": since,
                "until": held.until.isoformat() if held else None,
            }
        )
    elif held is None:
        line(say("db.not.held", ledger=shown))
    else:
        line(say("db.confirmed", ledger=shown, until=held.until))


def _faults(ledger: Ledger) -> list[str]:
    """What the database itself finds wrong; PostgreSQL keeps its own house."""
    if not ledger.sqlite:
        return []
    with ledger.read() as connection:
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check")]
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    faults = [text for text in found if text != "ok"]
    faults += [f"{row[0]} row {row[1]} points to a missing {row[2]}" for row in broken]
    return faults + [f"{value} cannot be read" for value in ledger.unreadable()]


def _counts(ledger: Ledger) -> dict[str, int]:
    from sqlalchemy import func, select

    from ledger.tables import metadata

    with ledger.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
