"""Mail on the office's desk: what no rule decided, and the addresses that letters come back from.

Only reads; `jobs.triage` acts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import Connection, Row, func, or_, select

from duban.bureau import Bureau
from duban.standings import State
from jobs.bounced import CAME_BACK
from jobs.collect import spoken_period
from jobs.verdict import Why
from ledger import mails
from ledger.attachments import by_ids
from ledger.mails import MailState
from ledger.tables import LetterState, event, letter, mention, obligation
from mailroom import words

MOST_SHOWN: Final = 100
_MOST_OF_ADDRESS: Final = 20
_AHEAD: Final = timedelta(days=45)
"""How early a report may come that nobody has written about yet."""
_ASSIGNABLE: Final = [s.value for s in State if s.owed or s is State.BEFORE]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTask:
    """A mail with its files; `why` says in Chinese why it waits, `at` is in the plan's zone."""

    row: Row[Any]
    at: datetime
    now: datetime
    why: str
    files: Sequence[Row[Any]]
    letter: Row[Any] | None

    @property
    def waits(self) -> bool:
        """Whether it may be assigned to an obligation; what was passed over may be, too."""
        return self.row.state in (MailState.OPEN.value, MailState.IGNORED.value)

    @property
    def may_dismiss(self) -> bool:
        """Whether it is the office's to say that it hands nothing in."""
        return bool(self.row.state == MailState.OPEN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An obligation that a mail may hand in; `likely` ones are those of its letter or sender."""

    id: int
    called: str
    likely: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """An address whose letters come back: what was said, and who was not reminded of what."""

    address: str
    since: datetime
    now: datetime
    said: str
    recipient: str
    unread: Sequence[Row[Any]]
    queued: Sequence[Row[Any]]
    owed: Sequence[str]


def zone_of(bureaus: Mapping[int, Bureau]) -> tzinfo:
    """The zone in which a mail's hour is shown: that of the plans at work."""
    return next((bureau.plan.zone for bureau in bureaus.values()), UTC)


def waiting_mails(
    connection: Connection, bureaus: Mapping[int, Bureau], now: datetime
) -> list[MailTask]:
    """What waits for the office, the oldest first."""
    rows = mails.listed(connection, (MailState.OPEN,))[:MOST_SHOWN]
    return [_mail(connection, row, bureaus, now) for row in rows]


def one_mail(
    connection: Connection, bureaus: Mapping[int, Bureau], which: int, now: datetime
) -> MailTask | None:
    """The mail of a row's id, decided or not."""
    row = mails.get(connection, which)
    return _mail(connection, row, bureaus, now) if row is not None else None


def _mail(
    connection: Connection, row: Row[Any], bureaus: Mapping[int, Bureau], now: datetime
) -> MailTask:
    zone = zone_of(bureaus)
    return MailTask(
        row=row,
        at=row.arrived_at.astimezone(zone),
        now=now.astimezone(zone),
        why=Why(row.reason).chinese,
        files=by_ids(connection, (row.data or {}).get("attachments", ())),
        letter=mails.letter_by_id(connection, row.letter_id) if row.letter_id else None,
    )


def choices(
    connection: Connection, bureaus: Mapping[int, Bureau], task: MailTask, now: datetime
) -> list[Choice]:
    """What a mail may hand in: what its letter spoke of and its sender owes first."""
    answered = mails.mentioned(connection, task.letter.id) if task.letter is not None else []
    likely = {row.id for row in answered}
    rows = connection.execute(
        select(obligation)
        .where(
            obligation.c.plan_id.in_(bureaus),
            obligation.c.state.in_(_ASSIGNABLE),
            obligation.c.deadline < now + _AHEAD,
        )
        .order_by(obligation.c.section, obligation.c.deadline, obligation.c.id)
    ).all()
    found = []
    for row in rows:
        bureau = bureaus[row.plan_id]
        near = row.id in likely or task.row.sender.lower() in _senders(bureau, row.section)
        found.append(Choice(id=row.id, called=called(bureau, row, task.now), likely=near))
    return sorted(found, key=lambda choice: not choice.likely)


def called(bureau: Bureau, row: Row[Any], now: datetime) -> str:
    """`财务科 3月月报（3月24日）`: an obligation in a list."""
    item = bureau.plan.items.get(row.item)
    name = spoken_period(row.period) + (item.label if item is not None else row.item)
    return f"{row.section} {name}（{words.plain_day(bureau.day(row.deadline), now)}）"


def _senders(bureau: Bureau, section: str) -> frozenset[str]:
    try:
        return frozenset(bureau.plan.senders(bureau.plan.section(section)))
    except KeyError:
        return frozenset()


def returned_addresses(
    connection: Connection, bureaus: Mapping[int, Bureau], now: datetime
) -> list[Returned]:
    """The marked addresses, the oldest first."""
    zone = zone_of(bureaus)
    marked = sorted(mails.marked_addresses(connection).values(), key=lambda row: row.since)
    return [_returned(connection, bureaus, row, now.astimezone(zone)) for row in marked]


def _returned(
    connection: Connection, bureaus: Mapping[int, Bureau], row: Row[Any], now: datetime
) -> Returned:
    first = mails.letter_by_id(connection, row.letter_id)
    assert first is not None  # noqa: S101 - a foreign key
    mine = letter.c.plan_id == first.plan_id, letter.c.name == first.name
    shown = select(letter).order_by(letter.c.id.desc()).limit(_MOST_OF_ADDRESS)
    unread = connection.execute(
        shown.where(
            *mine,
            letter.c.state == LetterState.FAILED.value,
            func.lower(letter.c.address) == row.address,
            or_(letter.c.reason.startswith(CAME_BACK), letter.c.id == first.id),
        )
    ).all()
    queued = connection.execute(
        shown.where(*mine, letter.c.due_at.is_not(None), letter.c.addressee == first.addressee)
    ).all()
    bureau = bureaus.get(first.plan_id)
    return Returned(
        address=row.address,
        since=row.since.astimezone(now.tzinfo),
        now=now,
        said=row.said,
        recipient=first.recipient or first.name,
        unread=unread,
        queued=queued,
        owed=_owed(connection, bureau, unread, now) if bureau is not None else (),
    )


def _owed(
    connection: Connection, bureau: Bureau, letters: Sequence[Row[Any]], now: datetime
) -> list[str]:
    """What is still owed of that which letters spoke of that came back."""
    spoken = select(mention.c.obligation_id).where(
        mention.c.letter_id.in_([one.id for one in letters])
    )
    rows = connection.execute(
        select(obligation)
        .where(
            obligation.c.id.in_(spoken), obligation.c.state.in_([s.value for s in State if s.owed])
        )
        .order_by(obligation.c.deadline)
    )
    return [called(bureau, row, now) for row in rows]


def last_cleared(connection: Connection, address: str) -> Row[Any] | None:
    """The line of the log by which an address lost its mark for the last time."""
    rows = connection.execute(
        select(event).where(event.c.what == "address.works").order_by(event.c.id.desc())
    )
    return next((row for row in rows if (row.data or {}).get("to") == address), None)
