"""`duban submit`, `accept`, `return` and `withdraw`: a report's way through the ledger, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.completing import KEY
from scheduler.cli.days import INSTANT, moment
from scheduler.cli.folders import (
    bureau_in,
    by_option,
    json_option,
    own_ledger,
    plan_option,
    settings,
)
from scheduler.cli.output import Refused, document, line
from scheduler.cli.root import Command
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from duban.bureau import Bureau
    from jobs.collect import Act
    from ledger.attachments import File
    from ledger.engine import Ledger

_key = click.argument("key", metavar="KEY", type=KEY)


@click.command("submit", cls=Command, help=say("submit"), short_help=say("submit.short"))
@_key
@click.option("--note", "remark", metavar="TEXT", help=say("opt.note"))
@click.option(
    "--file",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("opt.files"),
)
@by_option
@plan_option
@json_option
def submit_command(
    key: str,
    remark: str | None,
    files: tuple[Path, ...],
    by: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """See the catalogue."""
    from jobs.collect import submit

    with acting(key, remark, by, folder) as (ledger, bureau, act):
        number = submit(ledger, bureau, replace(act, files=_kept(files)))
    if as_json:
        document({"key": act.key, "number": number, "at": bureau.local(act.at).isoformat()})
    else:
        line(say("submit.done", key=act.key, number=number, at=moment(bureau.local(act.at))))


@click.command("accept", cls=Command, help=say("accept"), short_help=say("accept.short"))
@_key
@click.option("--note", "remark", metavar="TEXT", help=say("opt.note"))
@by_option
@plan_option
@json_option
def accept_command(
    key: str, remark: str | None, by: str, folder: Path | None, as_json: bool
) -> None:
    """See the catalogue."""
    from jobs.collect import accept

    with acting(key, remark, by, folder) as (ledger, bureau, act):
        accept(ledger, bureau, act)
    if as_json:
        document({"key": act.key, "at": bureau.local(act.at).isoformat()})
    else:
        line(say("accept.done", key=act.key))


@click.command("return", cls=Command, help=say("return"), short_help=say("return.short"))
@_key
@click.option("--reason", metavar="TEXT", required=True, help=say("opt.reason"))
@click.option("--deadline", metavar="DATE", type=INSTANT, help=say("opt.new.deadline"))
@by_option
@plan_option
@json_option
def return_command(
    key: str,
    reason: str,
    deadline: date | datetime | None,
    by: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """See the catalogue."""
    from duban.deadlines import instant
    from jobs.collect import give_back

    with acting(key, reason, by, folder) as (ledger, bureau, act):
        limit = None
        if deadline is not None:
            item = bureau.plan.items.get(act.key.partition("/")[0])
            if item is None:
                raise Refused(say("unknown.key", key=key))
            limit = instant(bureau.plan, item, deadline)
        give_back(ledger, bureau, act, limit)
    if as_json:
        document({"key": act.key, "reason": reason, "deadline": limit and limit.isoformat()})
    else:
        line(say("return.done", key=act.key))


@click.command("withdraw", cls=Command, help=say("withdraw"), short_help=say("withdraw.short"))
@_key
@click.option("--reason", metavar="TEXT", help=say("opt.note"))
@by_option
@plan_option
@json_option
def withdraw_command(
    key: str, reason: str | None, by: str, folder: Path | None, as_json: bool
) -> None:
    """See the catalogue."""
    from jobs.collect import withdraw

    with acting(key, reason, by, folder) as (ledger, bureau, act):
        withdraw(ledger, bureau, act)
    if as_json:
        document({"key": act.key, "at": bureau.local(act.at).isoformat()})
    else:
        line(say("withdraw.done", key=act.key))


def _kept(files: tuple[Path, ...]) -> tuple[File, ...]:
    """The files, kept in the archive."""
    from ledger.archive import TooLargeError
    from ledger.attachments import File
    from scheduler.wiring import archive_of

    archive = archive_of(settings())
    kept = []
    for path in files:
        kind = guess_type(path.name)[0] or "application/octet-stream"
        try:
            with path.open("rb") as stream:
                kept.append(File(archive.put(stream), path.name, kind))
        except TooLargeError as error:
            raise Refused(f"{path}: {error}") from error
    return tuple(kept)


@contextmanager
def acting(
    key: str, reason: str | None, by: str, folder: Path | None
) -> Iterator[tuple[Ledger, Bureau, Act]]:
    """The ledger, the plan and the act; a refusal of the ledger becomes the command's."""
    from jobs.collect import Act, RefusedError
    from scheduler.cli.keys import known_key
    from scheduler.clock import SystemClock

    bureau = bureau_in(folder)
    act = Act(known_key(bureau, key), SystemClock().now(), by, reason=reason)
    with own_ledger() as ledger:
        try:
            yield ledger, bureau, act
        except RefusedError as error:
            raise Refused(str(error)) from error
