"""Since when no letter gets through, and whether it is the relay or some mailboxes."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from duban.bureau import Bureau
from jobs.letterbox import notify_office
from jobs.log import event
from ledger import plans
from ledger.engine import Ledger
from mailroom.relay import Outcome, Reply
from mailroom.words import answer

ALARM_AFTER = timedelta(minutes=30)
TROUBLE = "relay.trouble"
"""The mark of what fails: `since`, the last `reply`, which `addresses`, `whole`."""
MAILBOXES = "relay.mailboxes"
"""The mark of the addresses that failed while others were let in: their failing is their own."""
BARRED = "relay.barred"
"""Until when nobody tries: a server that refuses a login again and again locks the account."""
TOLD = "relay.told"
"""The day on which the office was last told of an outage."""
_SEVERAL = 2
_REMEMBERED = 500
"""So many addresses at most."""


def is_whole(trouble: Mapping[str, Any]) -> bool:
    """Whether the mark TROUBLE is of the relay, and not of mailboxes that refuse or defer."""
    whole: bool = trouble.get("whole", True)
    return whole


def met(connection: Connection, reply: Reply, address: str, now: datetime, *, others: bool) -> None:
    """Remember since when letters fail; `others` says that other letters got in or may still.

    It is the relay's trouble where it cannot be reached, and where it refuses several addresses and
    no others are left: none that failed before while others got in.
    """
    nobody = reply.code is None or reply.outcome is Outcome.HELD
    if not nobody and address in (plans.get_mark(connection, MAILBOXES) or ()):
        return
    known = plans.hold_mark(connection, TROUBLE, now)
    if not known:
        known = {"since": now.isoformat(), "addresses": [], "whole": False}
    more = () if nobody else (address,)
    failing = [*dict.fromkeys([*known["addresses"], *more])][:_REMEMBERED]
    several = len(failing) >= _SEVERAL and not others
    whole = nobody or several or is_whole(known)
    if whole and not is_whole(known):
        event("relay.trouble", logging.WARNING, reply=reply.text)
    now_known = {**known, "reply": reply.text, "addresses": failing, "whole": whole}
    plans.set_mark(connection, TROUBLE, now_known, now)


def let_in(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    plan_id: int,
    addresses: Collection[str],
    now: datetime,
) -> None:
    """The relay has letters to these: what trouble it had is over, and the office hears of a long
    one; those that failed meanwhile fail by themselves.
    """
    found = plans.get_marks(connection, TROUBLE, MAILBOXES)
    failing = set(found.get(MAILBOXES) or ())
    # held for nothing, they would hold up other nodes
    if not found.get(TROUBLE) and failing.isdisjoint(addresses):
        return
    known = plans.hold_mark(connection, TROUBLE, now)
    own = plans.hold_mark(connection, MAILBOXES, now) or []
    own = dict.fromkeys([*own, *(known or {}).get("addresses", ())])
    left = [address for address in own if address not in addresses][-_REMEMBERED:]
    plans.set_mark(connection, MAILBOXES, left or None, now)
    if known:
        plans.set_mark(connection, TROUBLE, None, now)
        plans.set_mark(connection, BARRED, None, now)
        _recovered(connection, ledger, bureau, plan_id, known, now)


def _recovered(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    plan_id: int,
    known: Mapping[str, Any],
    now: datetime,
) -> None:
    if not is_whole(known):
        return
    event("relay.recovered", logging.WARNING, since=known["since"])
    since, today = datetime.fromisoformat(known["since"]), bureau.day(now).isoformat()
    # once a day: on a line that keeps breaking the notices themselves would call for more
    if now - since <= ALARM_AFTER or plans.get_mark(connection, TOLD) == today:
        return
    plans.set_mark(connection, TOLD, today, now)
    begun, ended = bureau.local(since), bureau.local(now)
    notify_office(
        connection,
        ledger,
        bureau,
        plan_id,
        now,
        "邮件发送曾经中断，现已恢复",
        [
            f"{begun:%-m月%-d日 %H:%M}至{ended:%-m月%-d日 %H:%M}，函件无法送出，现正补发。",
            "科室未及时收到提醒的事项，将先提醒科室，再报告领导。",
        ],
        [answer(known["reply"])],
    )
