"""What came of letters that a delivery carried to the relay, written into the ledger together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from duban.bureau import Bureau
from jobs.log import event as log
from jobs.outcome import accepted, refused
from jobs.wording import Ready
from ledger import events
from ledger.engine import Ledger
from ledger.letters import Letter
from ledger.tables import event
from mailroom.relay import Mail, Outcome, Reply
from mailroom.written import Written

TEMPLATE_FAILED = "template.failed"
"""What is noted of an attempt with the built-in letter, at the very instant of its outcome."""

_PLAIN_BEFORE = select(event.c.id).where(
    event.c.letter_id == bindparam("letter"), event.c.what == TEMPLATE_FAILED
)


class Carried(NamedTuple):
    """A letter that was handed to the relay, and what the relay said."""

    ready: Ready
    written: Written
    mail: Mail
    reply: Reply


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that the relay accepted, for whoever keeps a journal."""

    at: datetime
    ready: Ready
    mail: Mail
    written: Written


def mark(
    ledger: Ledger,
    bureaus: Mapping[int, Bureau],
    owner: str,
    done: Sequence[Carried],
    now: datetime,
    *,
    others: bool,
    also: Callable[[Connection], None] = lambda connection: None,
) -> list[Sent]:
    """Write down what became of letters, in one transaction; gives those that were accepted.

    `others` says that other letters got in with this delivery, or may still; `also` writes more in
    the same transaction. Raises LedgerError.
    """
    good = [one for one in done if one.reply.outcome is Outcome.ACCEPTED]
    others = others or bool(good)
    with ledger.write() as connection:
        for one in done:
            row = one.ready.row
            if one.reply.outcome is not Outcome.ACCEPTED:
                bureau, shown = bureaus[row.plan_id], _shown(one)
                refused(
                    connection, ledger, bureau, row, one.reply, shown, owner, now, others=others
                )
            if one.written.fallback:
                _note_plain(connection, bureaus[row.plan_id], row, one.written.fallback, now)
        if good:
            bureau = bureaus[good[0].ready.row.plan_id]
            rows = [(one.ready.row, _shown(one)) for one in good]
            accepted(connection, ledger, bureau, rows, now)
        also(connection)
    return [Sent(now, one.ready, one.mail, one.written) for one in good]


def note(connection: Connection, row: Letter, now: datetime, what: str, **data: Any) -> None:
    """Log what happened to a letter."""
    events.record(connection, now, what, plan=row.plan_id, letter=row.id, **data)


def _note_plain(
    connection: Connection, bureau: Bureau, row: Letter, reason: str, now: datetime
) -> None:
    """Write down that this attempt had the built-in letter; the log hears of a letter's first."""
    if connection.execute(_PLAIN_BEFORE, {"letter": row.id}).first() is None:
        log(TEMPLATE_FAILED, logging.WARNING, letter=row.id, plan=bureau.plan.id, reason=reason)
    note(connection, row, now, TEMPLATE_FAILED, reason=reason)


def _shown(one: Carried) -> dict[str, Any]:
    facts = one.ready.facts
    return {
        "recipient": facts.recipient,
        "address": one.ready.address,
        "light": facts.light and facts.light.value,
        "subject": one.written.subject,
        "reply": _said(one.reply),
    }


def _said(reply: Reply) -> str:
    """The relay's words with their code in front, as SMTP has them."""
    code = str(reply.code or "")
    return reply.text if reply.text.startswith(code) else f"{code} {reply.text}"
