"""`duban inbox`: what the mailbox brought, and what of it waits for the office."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from scheduler.cli.completing import KEY
from scheduler.cli.days import moment
from scheduler.cli.folders import (
    by_option,
    json_option,
    ledger_at,
    own_ledger,
    plan_option,
    settings,
)
from scheduler.cli.output import FINE, FOUND, Refused, document, line
from scheduler.cli.root import Group
from scheduler.cli.texts import chinese, say

if TYPE_CHECKING:
    from sqlalchemy import Row

    from ledger.engine import Ledger

_ZONE = ZoneInfo("Asia/Shanghai")
_number = click.argument("number", metavar="NUMBER", type=click.IntRange(1))


@click.group("inbox", cls=Group, help=say("inbox"), short_help=say("inbox.short"))
def inbox_command() -> None:
    """See the catalogue."""


@inbox_command.command("list", help=say("inbox.list"), short_help=say("inbox.list.short"))
@click.option("--all", "every", is_flag=True, help=say("opt.every.mail"))
@json_option
def list_command(every: bool, as_json: bool) -> None:
    """See the catalogue."""
    from ledger import mails

    with ledger_at(settings().database) as ledger, ledger.read() as connection:
        rows = mails.listed(connection, None if every else (mails.MailState.OPEN,))
    if as_json:
        document({"mails": [_document(row) for row in rows]})
        return
    for row in rows:
        line(_shown(row))
    if not rows:
        line(say("inbox.none"))


@inbox_command.command("show", help=say("inbox.show"), short_help=say("inbox.show.short"))
@_number
@json_option
def show_command(number: int, as_json: bool) -> None:
    """See the catalogue."""
    from ledger import attachments, mails

    with ledger_at(settings().database) as ledger, ledger.read() as connection:
        row = mails.get(connection, number)
        if row is None:
            raise Refused(say("inbox.unknown", number=number))
        files = attachments.by_ids(connection, (row.data or {}).get("attachments", ()))
    if as_json:
        document(_document(row) | {"words": row.words, "files": [_file(f) for f in files]})
        return
    line(_shown(row))
    line(say("inbox.kept", path=settings().archive / row.sha256[:2] / row.sha256))
    for file in files:
        line(say("inbox.file", **_file(file)))
    line()
    line(row.words)


@inbox_command.command("assign", help=say("inbox.assign"), short_help=say("inbox.assign.short"))
@_number
@click.argument("key", metavar="KEY", type=KEY)
@by_option
@plan_option
@json_option
def assign_command(number: int, key: str, by: str, folder: Path | None, as_json: bool) -> None:
    """See the catalogue."""
    from jobs.triage import assign
    from scheduler.cli.folders import bureau_in
    from scheduler.cli.keys import known_key

    bureau = bureau_in(folder)
    key = known_key(bureau, key)
    with _deciding() as (ledger, now):
        sender, receipt = assign(ledger, bureau, number, key, by, now)
    if as_json:
        document({"mail": number, "key": key, "number": receipt, "sender": sender})
    else:
        line(say("inbox.assigned", number=number, key=key, receipt=receipt))


@inbox_command.command("dismiss", help=say("inbox.dismiss"), short_help=say("inbox.dismiss.short"))
@_number
@click.option("--reason", metavar="TEXT", help=say("opt.note"))
@by_option
@json_option
def dismiss_command(number: int, reason: str | None, by: str, as_json: bool) -> None:
    """See the catalogue."""
    from jobs.triage import dismiss

    with _deciding() as (ledger, now):
        dismiss(ledger, number, by, now, reason)
    if as_json:
        document({"mail": number})
    else:
        line(say("inbox.dismissed", number=number))


@inbox_command.command("works", help=say("inbox.works"), short_help=say("inbox.works.short"))
@click.argument("address", metavar="ADDRESS")
@by_option
@json_option
def works_command(address: str, by: str, as_json: bool) -> None:
    """See the catalogue."""
    from jobs.triage import say_works

    with _deciding() as (ledger, now):
        say_works(ledger, address, by, now)
    if as_json:
        document({"address": address})
    else:
        line(say("inbox.works.done", address=address))


@inbox_command.command("test", help=say("inbox.test"), short_help=say("inbox.test.short"))
@json_option
def test_command(as_json: bool) -> int:
    """See the catalogue."""
    from mailroom.imap import MailboxError
    from scheduler.clock import SystemClock
    from scheduler.wiring import mailbox_of

    mailbox = mailbox_of(settings())
    if mailbox is None:
        raise Refused(say("inbox.unset"))
    try:
        with mailbox.session() as session:
            found = len(session.since_day(SystemClock().now().date()))
    except MailboxError as error:
        if as_json:
            document({"account": mailbox.account, "ok": False, "reason": str(error)})
        else:
            line(say("inbox.test.bad", account=mailbox.account, reason=error))
        return FOUND
    if as_json:
        document({"account": mailbox.account, "ok": True, "today": found})
    else:
        line(say("inbox.test.good", account=mailbox.account, count=found))
    return FINE


@contextmanager
def _deciding() -> Iterator[tuple[Ledger, datetime]]:
    from jobs.collect import RefusedError
    from scheduler.clock import SystemClock

    with own_ledger() as ledger:
        try:
            yield ledger, SystemClock().now()
        except RefusedError as error:
            raise Refused(str(error)) from error


def _document(row: Row[Any]) -> dict[str, Any]:
    return {
        "mail": row.id,
        "state": row.state,
        "reason": row.reason,
        "sender": row.sender,
        "subject": row.subject,
        "arrived_at": row.arrived_at.isoformat(),
        "message_id": row.message_id,
        "size": row.size,
        "sha256": row.sha256,
        "problems": (row.data or {}).get("problems", []),
        "handed_in": (row.data or {}).get("handed_in", []),
        "decided_by": row.decided_by,
    }


def _shown(row: Row[Any]) -> str:
    from jobs.verdict import Why

    return say(
        "inbox.line",
        number=row.id,
        at=moment(row.arrived_at.astimezone(_ZONE)),
        state=say(f"inbox.state.{row.state}"),
        why=Why(row.reason).chinese if chinese() else row.reason,
        sender=row.sender,
        subject=row.subject,
    )


def _file(row: Row[Any]) -> dict[str, Any]:
    from duban.filenames import shown_name

    return {"name": shown_name(row.name), "size": row.size, "sha256": row.sha256}
