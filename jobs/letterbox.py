"""Queueing the letters that are not rungs: receipts, closing notes, notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.letters import Recipient
from ledger import events
from ledger.engine import Ledger
from ledger.letters import join_unsent, queue, withdraw
from ledger.mentions import mention_all
from ledger.tables import Addressee, LetterState, MentionState, letter, mention

_JOINED = (LetterKind.RECEIPT, LetterKind.CLOSING)
"""Several of these that wait for the same hour go out as one."""

HAND_INS = "hand_ins"
"""In the data of a notice that tells the office of hand-ins: a line for each obligation's key."""


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


def tell_of_hand_in(
    connection: Connection, ledger: Ledger, bureau: Bureau, row: Row[Any], now: datetime, line: str
) -> None:
    """Tell the office what a section has handed in; what waits for the same hour is one letter."""
    told = _unsent_notice(connection, bureau, row.plan_id)
    lines = {**(told.data[HAND_INS] if told is not None else {}), row.key: line}
    if told is not None:
        _say_hand_ins(connection, told.id, lines)
    else:
        kind, office = LetterKind.NOTICE, Recipient(bureau.plan.office.name)
        data = _hand_ins(lines)
        post(connection, ledger, bureau, row.plan_id, kind, office, now, data=data)


def untell_hand_in(connection: Connection, bureau: Bureau, row: Row[Any]) -> None:
    """Say nothing of a hand-in that was taken back before the office has heard of it."""
    told = _unsent_notice(connection, bureau, row.plan_id)
    lines = {k: v for k, v in told.data[HAND_INS].items() if k != row.key} if told else {}
    if told is not None and lines:
        _say_hand_ins(connection, told.id, lines)
    elif told is not None:
        withdraw(connection, told.id, "withdrawn meanwhile")


def _unsent_notice(connection: Connection, bureau: Bureau, plan_id: int) -> Row[Any] | None:
    """The notice of hand-ins that waits to be sent and that no relay has seen."""
    waiting = connection.execute(
        select(letter)
        .where(
            letter.c.plan_id == plan_id,
            letter.c.kind == LetterKind.NOTICE.value,
            letter.c.name == bureau.plan.office.name,
            letter.c.state == LetterState.QUEUED.value,
            letter.c.attempts == 0,
        )
        .order_by(letter.c.id)
        .with_for_update()
    )
    return next((row for row in waiting if HAND_INS in (row.data or {})), None)


def _say_hand_ins(connection: Connection, letter_id: int, lines: Mapping[str, str]) -> None:
    connection.execute(update(letter).where(letter.c.id == letter_id).values(data=_hand_ins(lines)))


def _hand_ins(lines: Mapping[str, str]) -> dict[str, Any]:
    first = next(iter(lines.values()))
    return {
        "title": f"收到{len(lines)}项报送" if len(lines) > 1 else f"收到报送：{first}",
        "message": ["下列材料已从报送页交来，提醒已停。请在网页“办理”中核收，或退回限期整改。"],
        "details": list(lines.values()),
        HAND_INS: dict(lines),
    }


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
