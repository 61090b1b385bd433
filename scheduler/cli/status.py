"""`duban status`: how the plans stand, whether letters get through, whether the daemon lives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from scheduler.cli.days import moment
from scheduler.cli.folders import PlanFolder, json_option, ledger_at, load, settings
from scheduler.cli.output import FINE, FOUND, document, line, lines
from scheduler.cli.root import Command
from scheduler.cli.texts import chinese, say

if TYPE_CHECKING:
    from config.plan import Plan
    from jobs.status import MailboxStatus, PlanStatus, Status
    from jobs.stuck import Listed, Stuck
    from ledger.engine import Ledger

_ZONE = "Asia/Shanghai"
_ROOM_BYTES = 64 * 1024
"""A few pages of the ledger's log: less is no room to work in."""


@click.command("status", cls=Command, help=say("status"), short_help=say("status.short"))
@click.option(
    "--plan", "folders", metavar="FOLDER", type=PlanFolder(), multiple=True, help=say("opt.plans")
)
@click.option("--ledger", "file", type=click.Path(path_type=Path), help=say("opt.ledger"))
@json_option
def status_command(folders: tuple[Path, ...], file: Path | None, as_json: bool) -> int:
    """See the catalogue."""
    from jobs.status import status
    from ledger import highwater
    from ledger.tables import obligation
    from scheduler.clock import SystemClock

    plans = {plan.id: plan for plan in map(load, folders or _here())}
    url = f"sqlite:///{file}" if file else settings().database
    now = SystemClock().now()
    with ledger_at(url) as ledger:
        held = file is None and highwater.held(ledger, now)
        with ledger.read() as connection:
            found = status(connection, now, plans if folders else None)
        unreadable = ledger.unreadable([obligation])
    # a file that was named is a copy or a simulated one: nobody ticks there
    silent = file is None and _silent(found, now)
    full = file is None and _full(ledger)
    alarming = file is None and found.alarming(now)
    code = FOUND if silent or full or held or unreadable or alarming else FINE
    if as_json:
        daemon = {"daemon_silent": silent, "disk_full": full, "ledger_held": held}
        rows = {"unreadable_rows": list(map(str, unreadable))}
        document(_document(found, plans, now) | daemon | rows)
        return code
    lines(_said(found, plans, now))
    if unreadable:
        first = unreadable[0]
        place = {"row": first.row, "column": first.column}
        line(say("status.unreadable", count=len(unreadable), **place))
    if held:
        line(say("status.held"))
    elif full:
        line(say("status.full"))
    elif silent:
        line(say("status.silent"))
    return code


def _silent(found: Status, now: datetime) -> bool:
    """Whether a daemon that once lived does so no more; one that never did is not missed."""
    from scheduler.health import patience

    last = found.last_tick
    return last is not None and now - last > patience(settings().tick_seconds)


def _full(ledger: Ledger) -> bool:
    """Whether a daemon that lives could write nothing; it cannot say so itself in the ledger."""
    if ledger.path is None:
        return False
    place = os.statvfs(ledger.path.resolve().parent)
    return place.f_bavail * place.f_frsize < _ROOM_BYTES


def _here() -> tuple[Path, ...]:
    return (Path(),) if Path("plan.yaml").is_file() else ()


def _to_confirm(plan: Plan) -> int:
    file = plan.file
    noted = (file.about, *file.officials, *file.sections, *plan.items.values())
    return sum(len(n.to_confirm) for n in noted)


def _document(found: Status, plans: dict[str, Plan], now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(timespec="seconds"),
        "last_tick": _iso(found.last_tick),
        "relay_trouble": _iso(found.trouble_since),
        "relay_reply": found.trouble or None,
        "relay_tried_again": _iso(found.barred_until),
        "clock_doubted_until": _iso(found.doubted_until),
        "mailbox_read": _iso(found.mailbox.read_at),
        "mailbox_trouble": _iso(found.mailbox.trouble_since),
        "mailbox_reason": found.mailbox.trouble or None,
        "mails_waiting": found.mailbox.waiting,
        "returned_addresses": [
            {"address": address, "since": _iso(since), "said": said}
            for address, since, said in found.mailbox.returned
        ],
        "plans": [
            {
                "plan": one.key,
                "title": one.title,
                "open": one.owed,
                "standings": {s.value: n for s, n in one.standings.items()},
                "provisional": one.provisional,
                "to_confirm": _to_confirm(plans[one.key]) if one.key in plans else None,
                "waiting": one.waiting,
                "oldest": _iso(one.oldest),
                "retried": [_stuck(s) for s in one.retried.newest],
                "retried_count": one.retried.count,
                "failed": [_stuck(s) for s in one.failed.newest],
                "failed_count": one.failed.count,
                "refused_since": _iso(one.refused.since if one.refused else None),
                "refused_problems": list(one.refused.problems) if one.refused else [],
            }
            for one in found.plans
        ],
    }


def _stuck(stuck: Stuck) -> dict[str, Any]:
    return asdict(stuck) | {
        "since": _iso(stuck.since),
        "given_up_at": _iso(stuck.given_up_at),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _said(found: Status, plans: dict[str, Plan], now: datetime) -> Iterator[str]:
    zone = next((p.zone for p in plans.values()), ZoneInfo(_ZONE))

    def local(at: datetime | None) -> str:
        return moment(at.astimezone(zone) if at else None)

    if not found.plans:
        yield say("status.empty")
    for one in found.plans:
        yield from _of_plan(one, plans.get(one.key), local)
        yield ""
    age = (
        ""
        if found.last_tick is None
        else say("ago", seconds=int((now - found.last_tick).total_seconds()))
    )
    yield say("status.tick", at=local(found.last_tick), age=age)
    if found.trouble_since is not None:
        reply = found.trouble_said if chinese() else found.trouble
        yield say("status.trouble", since=local(found.trouble_since), reply=reply)
        if found.barred_until is not None:
            yield say("status.barred", at=local(found.barred_until))
    if found.doubted_until is not None:
        yield say("status.jumped", until=local(found.doubted_until))
    yield from _of_mailbox(found.mailbox, local)


def _of_mailbox(mailbox: MailboxStatus, local: Callable[[datetime | None], str]) -> Iterator[str]:
    if mailbox.read_at is not None:
        yield say("status.mailbox", at=local(mailbox.read_at))
    if mailbox.trouble_since is not None:
        since = local(mailbox.trouble_since)
        yield say("status.mailbox.trouble", since=since, reason=mailbox.trouble)
    if mailbox.waiting:
        yield say("status.mails.open", count=mailbox.waiting)
    for address, since_, said in mailbox.returned:
        yield say("status.returned", address=address, since=local(since_), said=said)


def _of_plan(
    one: PlanStatus, plan: Plan | None, local: Callable[[datetime | None], str]
) -> Iterator[str]:
    from duban.standings import Standing

    count = one.standings
    yield f"{one.key}  {one.title}"
    yield say(
        "status.counts",
        open=one.owed,
        overdue=count[Standing.OVERDUE],
        submitted=count[Standing.SUBMITTED],
        on_time=count[Standing.ON_TIME],
        late=count[Standing.LATE],
        returned=count[Standing.RETURNED],
        exempt=count[Standing.EXEMPT],
    )
    if one.refused:
        refused = one.refused
        yield say("status.refused", since=local(refused.since), count=refused.count)
        yield from (f"    {problem}" for problem in refused.problems)
    if one.waiting:
        oldest = say("status.oldest", at=local(one.oldest)) if one.oldest else ""
        yield say("status.queue", count=one.waiting, oldest=oldest)
    else:
        yield say("status.queue.empty")
    yield from _of_letters("status.retried", one.retried, local)
    yield from _of_letters("status.failed", one.failed, local)
    if one.provisional:
        yield say("status.provisional", count=one.provisional)
    if plan is not None and _to_confirm(plan):
        yield say("status.to.confirm", count=_to_confirm(plan))


def _of_letters(key: str, listed: Listed, local: Callable[[datetime | None], str]) -> Iterator[str]:
    for s in listed.newest:
        at = s.given_up_at or s.since
        since = say(f"{key}.since", at=local(at)) if at else ""
        reason = s.said if chinese() else s.reason
        yield say(key, recipient=s.recipient, address=s.address, since=since, reason=reason)
    more = listed.count - len(listed.newest)
    if more:
        yield say("status.more", count=more)
