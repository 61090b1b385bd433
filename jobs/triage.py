"""What the mailbox brought and no rule decides: the office looks, and says what it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from duban.bureau import Bureau
from jobs.bounced import works_again
from jobs.collect import Act, RefusedError, submit_within
from jobs.inbox import VIA
from ledger import events, mails, plans
from ledger.engine import Ledger
from ledger.mails import MailState

_WAITS: Final = (MailState.OPEN.value, MailState.IGNORED.value)


def assign(
    ledger: Ledger, bureau: Bureau, mail_id: int, key: str, who: str, now: datetime
) -> tuple[str, str]:
    """The office says which obligation a mail hands in; gives the sender and the receipt's number.

    It counts as handed in when it arrived. What was passed over as automatic may be assigned too.
    Raises RefusedError for a mail that was decided about, or an obligation that is not owed.
    """
    with ledger.write() as connection:
        row = _find(connection, mail_id)
        if row.state not in _WAITS:
            raise RefusedError(f"mail {mail_id} is {row.state}: nothing is left to decide")
        act = Act(
            key,
            min(row.arrived_at, now),
            row.sender or who,
            via=VIA,
            reason=row.words or None,
            attachments=tuple((row.data or {}).get("attachments", ())),
            message_id=row.message_id,
        )
        number = submit_within(connection, ledger, bureau, act)
        _decide(connection, row, MailState.ASSIGNED, who, now, key=key, number=number)
        plan = plans.find(connection, bureau.plan.id)
        mails.change(connection, mail_id, plan_id=plan.id if plan is not None else None)
    return row.sender, number


def dismiss(ledger: Ledger, mail_id: int, who: str, now: datetime, reason: str | None) -> None:
    """The office says that a mail hands nothing in. Raises RefusedError if it does not wait."""
    with ledger.write() as connection:
        row = _find(connection, mail_id)
        if row.state != MailState.OPEN.value:
            raise RefusedError(f"mail {mail_id} is {row.state}: it does not wait for the office")
        _decide(connection, row, MailState.DISMISSED, who, now, why=reason)


def say_works(ledger: Ledger, address: str, who: str, now: datetime) -> None:
    """The office says that an address works whose letters came back. Raises RefusedError."""
    with ledger.write() as connection:
        if not works_again(connection, address, now, who):
            raise RefusedError(f"no letter to {address} has come back")


def _find(connection: Connection, mail_id: int) -> Row[Any]:
    row = mails.lock(connection, mail_id)
    if row is None:
        raise RefusedError(f"there is no mail {mail_id}; 'duban inbox list --all' lists them")
    return row


def _decide(
    connection: Connection,
    row: Row[Any],
    state: MailState,
    who: str,
    now: datetime,
    **data: Any,
) -> None:
    mails.change(connection, row.id, state=state.value, decided_at=now, decided_by=who)
    events.record(
        connection,
        now,
        f"mail.{state.value}",
        who,
        plan=row.plan_id,
        letter=row.letter_id,
        mail=row.id,
        **data,
    )
