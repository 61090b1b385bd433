"""`duban extensions`: sections ask for more time, the office answers."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from scheduler.cli.completing import KEY
from scheduler.cli.days import INSTANT, moment
from scheduler.cli.folders import bureau_in, by_option, here, json_option, own_ledger, plan_option
from scheduler.cli.output import Refused, document, line, note
from scheduler.cli.reports import acting
from scheduler.cli.root import Command, Group
from scheduler.cli.texts import say

_key = click.argument("key", metavar="KEY", type=KEY)


@click.group("extensions", cls=Group, help=say("extensions"), short_help=say("extensions.short"))
def extensions_command() -> None:
    """See the catalogue."""


@extensions_command.command(
    "list", cls=Command, help=say("extensions.list"), short_help=say("extensions.list.short")
)
@plan_option
@json_option
def list_command(folder: Path | None, as_json: bool) -> None:
    """See the catalogue."""
    from jobs.extensions import open_requests
    from ledger import plans

    bureau = bureau_in(folder)
    with own_ledger() as ledger, ledger.read() as connection:
        plan = plans.find(connection, bureau.plan.id)
        found = open_requests(connection, plan.id) if plan is not None else []
    if as_json:
        document(
            [
                {
                    "key": row.key,
                    "deadline": bureau.local(row.deadline).isoformat(),
                    "wished": row.wished.isoformat(),
                    "reason": row.because,
                    "by": row.asked_by,
                    "at": bureau.local(row.asked_at).isoformat(timespec="seconds"),
                }
                for row in found
            ]
        )
        return
    for row in found:
        due, asked = moment(bureau.local(row.deadline)), moment(bureau.local(row.asked_at))
        line(say("extensions.row", key=row.key, due=due, wished=row.wished, reason=row.because))
        line(say("extensions.by", by=row.asked_by, at=asked))
    if not found:
        line(say("extensions.none"))


@extensions_command.command(
    "grant", cls=Command, help=say("extensions.grant"), short_help=say("extensions.grant.short")
)
@_key
@click.option("--deadline", metavar="DATE", type=INSTANT, help=say("opt.granted"))
@by_option
@plan_option
@json_option
def grant_command(
    key: str, deadline: date | datetime | None, by: str, folder: Path | None, as_json: bool
) -> None:
    """See the catalogue."""
    from config.splice import OverrideRefusedError
    from jobs.extensions import grant

    place = here(folder)
    with acting(key, None, by, place) as (ledger, bureau, act):
        try:
            done = grant(ledger, bureau, place, act, deadline)
        except OverrideRefusedError as error:
            for problem in error.problems:
                note(str(problem))
            raise Refused(say("override.refused")) from error
        except OSError as error:
            raise Refused(str(error)) from error
    if as_json:
        limit = bureau.local(done.deadline).isoformat()
        document({"key": act.key, "deadline": limit, "file": str(done.file)})
    else:
        limit = moment(bureau.local(done.deadline))
        line(say("extensions.granted", key=act.key, deadline=limit, file=done.file))


@extensions_command.command(
    "refuse", cls=Command, help=say("extensions.refuse"), short_help=say("extensions.refuse.short")
)
@_key
@click.option("--reason", metavar="TEXT", required=True, help=say("opt.reason"))
@by_option
@plan_option
@json_option
def refuse_command(key: str, reason: str, by: str, folder: Path | None, as_json: bool) -> None:
    """See the catalogue."""
    from jobs.extensions import refuse

    with acting(key, reason, by, folder) as (ledger, bureau, act):
        refuse(ledger, bureau, act)
    if as_json:
        document({"key": act.key, "reason": reason})
    else:
        line(say("extensions.refused", key=act.key))
