"""Queueing the letters that are not rungs: receipts, closing notes, notices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.letters import Recipient
from ledger import events
from ledger.engine import Ledger
from ledger.letters import join_unsent, queue
from ledger.mentions import mention_all
from ledger.tables import Addressee, LetterState, MentionState, letter, mention

_JOINED = (LetterKind.RECEIPT, LetterKind.CLOSING)
"""Several of these that wait for the same hour go out as one."""


def mail_domain(bureau: Bureau) -> str:
    """The domain of Message-IDs: the office's own."""
    return bureau.plan.mailbox(bureau.plan.office).rpartition("@")[2]


def post(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    plan_id: int,
    kind: LetterKind,
    recipient: Recipient,
    now: datetime,
    obligations: Sequence[Row[Any]] = (),
    data: dict[str, Any] | None = None,
) -> int:
    """Queue one letter about obligations, or with a text of its own in `data`; gives its id."""
    letter_id = queue(
        connection, ledger, plan_id, kind, recipient, now, mail_domain(bureau), data=data
    )
    mention_all(
        connection,
        [
            {
                "obligation_id": o.id,
                "letter_id": letter_id,
                "round": o.round,
                "state": MentionState.QUEUED.value,
            }
            for o in obligations
        ],
    )
    events.record(connection, now, "letter.queued", plan=plan_id, letter=letter_id, kind=kind.value)
    if kind in _JOINED:
        addressee = Addressee.POST if recipient.official else Addressee.SECTION
        key = kind.value, addressee.value, recipient.name
        join_unsent(connection, plan_id, {key: letter_id})
    return letter_id


def notify_office(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    plan_id: int,
    now: datetime,
    title: str,
    message: Iterable[str],
    details: Iterable[str] = (),
) -> int:
    """Tell the office that something needs its hand, in plain words."""
    data = {"title": title, "message": list(message), "details": list(details)}
    recipient = Recipient(bureau.plan.office.name)
    return post(connection, ledger, bureau, plan_id, LetterKind.NOTICE, recipient, now, data=data)


def alarmed_posts(connection: Connection, obligation_id: int) -> list[str]:
    """The posts of the officials who were alarmed and have not been told that it is good.

    An escalation that is being sent at this moment counts as sent: nobody can call it back.
    """
    rows = connection.execute(
        select(letter.c.name, letter.c.kind)
        .join(mention, mention.c.letter_id == letter.c.id)
        .where(
            mention.c.obligation_id == obligation_id,
            letter.c.addressee == Addressee.POST.value,
            or_(
                and_(
                    letter.c.kind == LetterKind.ESCALATION.value,
                    letter.c.state.in_((LetterState.SENT.value, LetterState.CLAIMED.value)),
                    mention.c.state.in_((MentionState.SENT.value, MentionState.QUEUED.value)),
                ),
                and_(
                    letter.c.kind == LetterKind.CLOSING.value,
                    letter.c.state != LetterState.WITHDRAWN.value,
                ),
            ),
        )
        .order_by(letter.c.id)
    ).all()
    alarmed = {row.name: row.kind == LetterKind.ESCALATION.value for row in rows}
    return [name for name, still in alarmed.items() if still]
