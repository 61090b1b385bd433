"""Letters that came back after the relay had accepted them: nobody was reminded by those."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from duban.bureau import Bureau
from jobs.letterbox import notify_office
from jobs.verdict import Why
from ledger import events, mails
from ledger.engine import Ledger
from ledger.mails import MailState
from ledger.tables import LetterState
from mailroom.reader.bounces import Bounce, Fate

CAME_BACK = "came back"


class NotYetError(Exception):
    """The letter is being sent at this moment: look at its report at the next reading."""


def came_back(
    connection: Connection,
    ledger: Ledger,
    bureaus: Mapping[int, Bureau],
    bounce: Bounce,
    now: datetime,
) -> tuple[MailState, Why, Row[Any] | None]:
    """Take note of a report about a letter; gives what to record of the mail that brought it.

    A letter that failed reminded nobody: its rungs do not count as warnings, so an escalation
    waits, and the office is told once for each address.
    """
    letter = mails.letter_answered(connection, bounce.message_ids)
    if letter is not None and letter.state == LetterState.CLAIMED.value:
        raise NotYetError  # faster than our own record that the relay has it
    if bounce.fate is Fate.DELIVERED:
        return MailState.IGNORED, Why.AUTOMATIC, letter
    if letter is None or letter.sent_at is None:
        return MailState.OPEN, Why.BOUNCE_UNKNOWN, letter
    said = f"{bounce.status} {bounce.said}".strip()[:300]
    told = {"plan": letter.plan_id, "letter": letter.id, "to": letter.address, "reply": said}
    if bounce.fate is Fate.DELAYED:
        events.record(connection, now, "letter.delayed", **told)
        return MailState.BOUNCE, Why.DELAYED, letter
    mails.came_back(connection, letter.id, f"{CAME_BACK}: {said}")
    events.record(connection, now, "letter.came_back", **told)
    _mark(connection, ledger, bureaus.get(letter.plan_id), letter, bounce, said, now)
    return MailState.BOUNCE, Why.BOUNCE, letter


def _mark(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau | None,
    letter: Row[Any],
    bounce: Bounce,
    said: str,
    now: datetime,
) -> None:
    address = (letter.address or bounce.recipient).lower()
    fresh = mails.mark_address(
        connection, address, since=now, letter_id=letter.id, status=bounce.status, said=said
    )
    if not fresh or bureau is None or address == bureau.plan.mailbox(bureau.plan.office).lower():
        return  # told already, or a notice would come back the same way
    notify_office(
        connection,
        ledger,
        bureau,
        letter.plan_id,
        now,
        f"致{letter.recipient}的函被退回",
        [
            f"发往 {letter.address} 的函件“{letter.subject}”被退回，对方没有收到提醒。",
            "在对方收到提醒之前，不会向领导报告逾期。请核对该邮箱地址，并在行动方案文件中更正；"
            "在此之前，请用电话通知对方。",
        ],
        [f"退信说明：{said}"] if said else [],
    )


def forget_unnamed(connection: Connection, bureaus: Mapping[int, Bureau], now: datetime) -> None:
    """Take the marks from addresses that no plan at work names any more: they were corrected."""
    named = {
        address.lower()
        for bureau in bureaus.values()
        for address in (
            *(bureau.plan.mailbox(section) for section in bureau.plan.file.sections),
            *(h.email for official in bureau.plan.file.officials for h in official.holders),
        )
    }
    for address in mails.marked_addresses(connection):
        if named and address not in named:
            works_again(connection, address, now)


def works_again(connection: Connection, address: str, now: datetime, who: str = "duban") -> bool:
    """Take the mark from an address: mail came from it, or the office says so."""
    if not mails.unmark_address(connection, address.lower()):
        return False
    events.record(connection, now, "address.works", who, to=address)
    return True
