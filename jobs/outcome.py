"""What follows from a relay's answer: sent, tried again, given up, or held for a person."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from duban.bureau import Bureau
from duban.facts import LetterKind
from jobs import trouble
from jobs.gather import BROKEN, REFUSED, Failure, tell_of
from jobs.log import event
from jobs.reasons import CANNOT_BE_WORDED, why
from ledger import events, letters, plans
from ledger.damage import DamagedRowError
from ledger.engine import Ledger
from ledger.letters import Letter
from mailroom.relay import Outcome, Reply
from mailroom.words import answer

FIRST_BACKOFF = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=5)
LONG_DOUBT_BACKOFF = timedelta(hours=12)
"""After those days a letter in doubt is not given up, but each attempt may be one more copy."""


def backoff(attempts: int) -> timedelta:
    """The wait after so many attempts: 5 min, doubling, up to 1 h (RFC 5321 4.5.4.1)."""
    doubled: int = 2 ** min(attempts, 10)
    return min(FIRST_BACKOFF * doubled, LONGEST_BACKOFF)


def accepted(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    sent: Sequence[tuple[Letter, Mapping[str, Any]]],
    now: datetime,
) -> None:
    """Write down that the relay has these letters: (row, recipient to reply), one at least.

    `bureau` is the first one's; its office hears that the relay is well again, if it was not.
    """
    letters.mark_sent(connection, [(row.id, shown) for row, shown in sent], now)
    lines = [
        events.line(
            now,
            "letter.sent",
            plan=row.plan_id,
            letter=row.id,
            to=shown["address"],
            reply=shown["reply"],
        )
        for row, shown in sent
    ]
    events.record_all(connection, lines)
    there = [shown["address"] for _, shown in sent]
    trouble.let_in(connection, ledger, bureau, sent[0][0].plan_id, there, now)


def refused(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    row: Letter,
    reply: Reply,
    shown: Mapping[str, Any],
    owner: str,
    now: datetime,
    *,
    others: bool,
) -> None:
    """Write down an attempt that the relay did not accept: to be tried again, held, or given up.

    `row` is the letter as it was when claimed, `shown` its recipient, address, light and subject.
    `others` says that other letters got in with this delivery, or may still.
    """
    trouble.met(connection, reply, shown["address"], now, others=others)
    since = row.first_tried_at or now
    held = reply.outcome is Outcome.HELD
    # only a server that answers can want to be rid of a letter; a line that is down comes back
    answered = reply.code is not None and not held
    too_long = now - since > GIVE_UP_AFTER
    if reply.outcome is Outcome.PERMANENT or (answered and too_long):
        _give_up(connection, ledger, bureau, row, reply, shown, now)
        return
    doubt = reply.outcome is Outcome.UNKNOWN
    wait = FIRST_BACKOFF if held else backoff(row.attempts)
    if doubt and too_long:
        wait = LONG_DOUBT_BACKOFF
    values = {**shown, "due_at": now + wait, "first_tried_at": since}
    if doubt:
        values["uncertain"] = True
    letters.put_back(connection, row.id, owner, **values)
    what = {
        Outcome.HELD: "letter.held",
        Outcome.UNKNOWN: "letter.possibly_twice",
    }.get(reply.outcome, "letter.deferred")
    _note(connection, row, now, what, reply=reply.text, again=(now + wait).isoformat())
    if reply.barred:
        plans.set_mark(connection, trouble.BARRED, (now + FIRST_BACKOFF).isoformat(), now)


def _give_up(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    row: Letter,
    reply: Reply,
    shown: Mapping[str, Any],
    now: datetime,
) -> None:
    letters.mark_failed(connection, row.id, reply.text, **shown)
    event("letter.failed", logging.WARNING, to=shown["address"], reply=reply.text)
    _note(connection, row, now, "letter.failed", to=shown["address"], reply=reply.text)
    office = bureau.plan.mailbox(bureau.plan.office)
    if shown["address"] == office:
        return  # a notice about the office's own mailbox would fail the same way
    tell_of(connection, ledger, bureau, row.plan_id, REFUSED, _undelivered(row, reply, shown), now)


def _undelivered(row: Letter, reply: Reply, shown: Mapping[str, Any]) -> Failure:
    recipient, address, subject = shown["recipient"], shown["address"], shown["subject"]
    what, answered = f"发往 {address} 的函件“{subject}”", answer(reply.text)
    refused = reply.outcome is Outcome.PERMANENT
    said = f"邮件服务器拒收{what}。" if refused else f"{what}连续5天未能送出，已停止重发。"
    return Failure(
        row.id,
        f"致{recipient}的函无法送达",
        [said, "请核对该邮箱地址，并在行动方案文件中更正；在此之前，请用电话通知对方。"],
        [answered],
        f"{recipient} <{address}>“{subject}”："
        + (answered if refused else f"连续5天未能送出，{answered}"),
    )


def put_off(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    row: Letter,
    error: Exception,
    owner: str,
    now: datetime,
) -> None:
    """Put a letter that cannot be worded off for an hour; the office is told the first time."""
    damaged = isinstance(error, DamagedRowError)
    what = str(error) if damaged else f"{type(error).__name__}: {error}"
    event("letter.broken", logging.ERROR, raised=error, letter=row.id, plan=bureau.plan.id)
    letters.put_back(
        connection, row.id, owner, due_at=now + LONGEST_BACKOFF, reason=f"{CANNOT_BE_WORDED}{what}"
    )
    _note(connection, row, now, "letter.broken", reason=what)
    # a notice about a notice would fail the same way
    if row.kind != LetterKind.NOTICE.value and not (row.reason or "").startswith(CANNOT_BE_WORDED):
        tell_of(connection, ledger, bureau, row.plan_id, BROKEN, _unworded(row, what), now)


def _unworded(row: Letter, what: str) -> Failure:
    return Failure(
        row.id,
        f"致{row.name}的函无法生成",
        ["其他函件照常发送；这一封每小时再试一次。", "请联系系统管理员，并先用电话通知对方。"],
        [f"函件编号：{row.id}", f"错误：{why(what)}"],
        f"致{row.name}的函（编号{row.id}）：{why(what)}",
    )


def _note(connection: Connection, row: Letter, now: datetime, what: str, **data: Any) -> None:
    events.record(connection, now, what, plan=row.plan_id, letter=row.id, **data)
