"""`duban db`: bring the ledger up to date, copy it, check it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.folders import json_option, ledger_at, settings
from scheduler.cli.output import FINE, FOUND, Refused, document, line
from scheduler.cli.root import Group
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from ledger.engine import Ledger

_PAGES_AT_ONCE = 1000


@click.group("db", cls=Group, help=say("db"), short_help=say("db.short"))
def db_command() -> None:
    """See the catalogue."""


@db_command.command("upgrade", help=say("db.upgrade"), short_help=say("db.upgrade.short"))
@json_option
def upgrade_command(as_json: bool) -> None:
    """See the catalogue."""
    with ledger_at(settings().database, must_exist=False) as ledger:
        version = ledger.version()
        shown = _shown(ledger)
    if as_json:
        document({"ledger": shown, "version": version})
    else:
        line(say("db.upgraded", ledger=shown, version=version))


@db_command.command("backup", help=say("db.backup"), short_help=say("db.backup.short"))
@click.argument("dest", type=click.Path(path_type=Path))
@json_option
def backup_command(dest: Path, as_json: bool) -> None:
    """See the catalogue."""
    with ledger_at(settings().database) as ledger:
        if ledger.path is None:
            raise Refused(say("db.backup.sqlite"))
        _back_up(ledger.path, dest)
    size = dest.stat().st_size
    if as_json:
        document({"file": str(dest), "bytes": size})
    else:
        line(say("db.backed.up", dest=dest, size=size))


def _back_up(source: Path, dest: Path) -> None:
    """Copy a ledger in use: into a file beside `dest` that nobody else can read, then over it."""
    if dest.is_dir() or dest.resolve() == source.resolve():
        raise Refused(say("db.backup.dest", dest=dest))
    part = dest.with_name(f".{dest.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new, pages=_PAGES_AT_ONCE)
            # one file that needs no companions wherever it is carried
            new.execute("PRAGMA journal_mode = DELETE")
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(dest)
    except (OSError, sqlite3.Error) as error:
        raise Refused(say("db.backup.failed", dest=dest, error=error)) from error
    finally:
        part.unlink(missing_ok=True)


@db_command.command("check", help=say("db.check"), short_help=say("db.check.short"))
@json_option
def check_command(as_json: bool) -> int:
    """See the catalogue."""
    with ledger_at(settings().database) as ledger:
        faults = _faults(ledger)
        counts = _counts(ledger)
        version, shown = ledger.version(), _shown(ledger)
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


def _faults(ledger: Ledger) -> list[str]:
    """What the database itself finds wrong; PostgreSQL keeps its own house."""
    if not ledger.sqlite:
        return []
    with ledger.read() as connection:
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check")]
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    faults = [text for text in found if text != "ok"]
    return faults + [f"{row[0]} row {row[1]} points to a missing {row[2]}" for row in broken]


def _counts(ledger: Ledger) -> dict[str, int]:
    from sqlalchemy import func, select

    from ledger.tables import metadata

    with ledger.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def _shown(ledger: Ledger) -> str:
    return str(ledger.path or ledger.url.render_as_string(hide_password=True))
