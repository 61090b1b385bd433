"""Mail that was read: what is known of it, and what waits for the office."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger.tables import (
    LetterState,
    MentionState,
    letter,
    mail,
    mention,
    obligation,
    returned_address,
)

READ: Final = "inbox.read"
"""The mark of the last reading of the mailbox: when it began."""

TROUBLE: Final = "inbox.trouble"
"""The mark of a mailbox that cannot be read: since when, why, and whether the office knows."""


class MailState(StrEnum):
    """What became of a mail that was read."""

    OPEN = "open"
    """It waits for the office."""
    TAKEN = "taken"
    ASKED = "asked"
    """The section was asked which of several obligations it means."""
    BOUNCE = "bounce"
    IGNORED = "ignored"
    ASSIGNED = "assigned"
    DISMISSED = "dismissed"
    AGAIN = "again"
    """Read before under another number."""


def last_uid(connection: Connection, account: str, validity: int) -> int:
    """The highest number that was read under this UIDVALIDITY, 0 before the first."""
    highest = select(func.max(mail.c.uid)).where(
        mail.c.account == account, mail.c.uidvalidity == validity
    )
    return int(connection.execute(highest).scalar() or 0)


def recorded(
    connection: Connection, account: str, validity: int, uid: int
) -> tuple[int, datetime] | None:
    """Size and arrival of the mail that was read under this number, None before."""
    row = connection.execute(
        select(mail.c.size, mail.c.arrived_at).where(
            mail.c.account == account, mail.c.uidvalidity == validity, mail.c.uid == uid
        )
    ).one_or_none()
    return (row.size, row.arrived_at) if row is not None else None


def seen(connection: Connection, account: str, sha256: str) -> bool:
    """Whether the same bytes were read in this account."""
    found = select(mail.c.id).where(mail.c.account == account, mail.c.sha256 == sha256).limit(1)
    return connection.execute(found).first() is not None


def forget(connection: Connection, account: str, validity: int, uid: int) -> None:
    """Give a number free that now means another mail: only where UIDVALIDITY is 0."""
    mine = mail.c.account == account, mail.c.uidvalidity == validity
    lowest = connection.execute(select(func.min(mail.c.uid)).where(*mine)).scalar() or 0
    connection.execute(update(mail).where(*mine, mail.c.uid == uid).values(uid=min(lowest, 0) - 1))


def enter(connection: Connection, **values: Any) -> int | None:
    """Record a mail; gives its id, None where another process has recorded it already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    made = dialect.insert(mail).values(**values).on_conflict_do_nothing().returning(mail.c.id)
    return connection.execute(made).scalar()


def change(connection: Connection, mail_id: int, **values: Any) -> None:
    """Write columns of a mail's row."""
    connection.execute(update(mail).where(mail.c.id == mail_id).values(**values))


def get(connection: Connection, mail_id: int) -> Row[Any] | None:
    """One mail."""
    return connection.execute(select(mail).where(mail.c.id == mail_id)).one_or_none()


def lock(connection: Connection, mail_id: int) -> Row[Any] | None:
    """One mail, kept from other writers until the commit."""
    return connection.execute(select(mail).where(mail.c.id == mail_id).with_for_update()).first()


def listed(connection: Connection, states: Collection[MailState] | None = None) -> list[Row[Any]]:
    """The mails in these states, or all, the oldest first."""
    asked = select(mail).order_by(mail.c.id)
    if states is not None:
        asked = asked.where(mail.c.state.in_([s.value for s in states]))
    return list(connection.execute(asked))


def waiting(connection: Connection) -> int:
    """How many mails wait for the office."""
    counted = select(func.count()).where(mail.c.state == MailState.OPEN.value)
    return int(connection.execute(counted).scalar_one())


def letter_answered(connection: Connection, message_ids: Sequence[str]) -> Row[Any] | None:
    """The letter of ours with the first of these Message-IDs that is one."""
    if not message_ids:
        return None
    rows = connection.execute(select(letter).where(letter.c.message_id.in_(message_ids)))
    found = {row.message_id: row for row in rows}
    return next((found[i] for i in message_ids if i in found), None)


def letter_by_id(connection: Connection, letter_id: int) -> Row[Any] | None:
    """One letter."""
    return connection.execute(select(letter).where(letter.c.id == letter_id)).one_or_none()


def mentioned(connection: Connection, letter_id: int) -> list[Row[Any]]:
    """The obligations that a letter spoke of, the most urgent first."""
    return list(
        connection.execute(
            select(obligation)
            .where(
                obligation.c.id.in_(
                    select(mention.c.obligation_id).where(mention.c.letter_id == letter_id)
                )
            )
            .order_by(obligation.c.deadline, obligation.c.id)
        )
    )


def asked_about(connection: Connection, letter_id: int) -> bool:
    """Whether an answer to this letter was answered with a question already."""
    found = select(mail.c.id).where(
        mail.c.letter_id == letter_id, mail.c.state == MailState.ASKED.value
    )
    return connection.execute(found.limit(1)).first() is not None


def came_back(connection: Connection, letter_id: int, reason: str) -> None:
    """A letter that the relay had accepted did not arrive: nobody was reminded by it."""
    connection.execute(
        update(letter)
        .where(letter.c.id == letter_id)
        .values(state=LetterState.FAILED.value, reason=reason, due_at=None, owner=None)
    )
    connection.execute(
        update(mention)
        .where(
            and_(
                mention.c.letter_id == letter_id,
                mention.c.state.in_((MentionState.SENT.value, MentionState.QUEUED.value)),
            )
        )
        .values(state=MentionState.VOID.value, reason=reason)
    )


def mark_address(connection: Connection, address: str, **values: Any) -> bool:
    """Mark an address whose letter came back; says whether it was not marked before."""
    known = select(returned_address.c.address).where(returned_address.c.address == address)
    if connection.execute(known).first() is not None:
        return False
    connection.execute(insert(returned_address).values(address=address, **values))
    return True


def unmark_address(connection: Connection, address: str) -> bool:
    """Take a mark away; says whether there was one."""
    gone = delete(returned_address).where(returned_address.c.address == address)
    return connection.execute(gone).rowcount == 1


def marked_addresses(connection: Connection) -> dict[str, Row[Any]]:
    """All marked addresses, in lower case."""
    return {row.address: row for row in connection.execute(select(returned_address))}
