"""Letters that want a hand: those that an attempt did not get through, and those given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    type_coerce,
)

from jobs.reasons import why
from ledger.damage import LenientUTC, sound
from ledger.tables import LetterState, event, letter
from mailroom.words import answer

SHOWN = 20
"""So many of a plan's letters are read; their number is always whole."""

LISTED_FOR = timedelta(days=30)
"""So long after a letter was given up somebody may still act upon it."""

_LOOKED_BACK = timedelta(days=90)
"""Letters are found by when they were written; those older than that were given up long ago."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A letter that an attempt did not get through, or that the relay refused for good.

    `since` is when it was first tried, `given_up_at` when it was given up, if it was; None where a
    damaged row does not say.
    """

    letter: int
    recipient: str
    address: str
    subject: str
    since: datetime | None
    attempts: int
    reason: str
    given_up_at: datetime | None = None

    @property
    def said(self) -> str:
        """The reason in Chinese."""
        ours = why(self.reason)
        return answer(self.reason) if ours == self.reason else ours


@dataclass(frozen=True, slots=True)
class Listed:
    """The newest of a plan's letters that want a hand, and how many there are in all."""

    newest: tuple[Stuck, ...] = ()
    count: int = 0


NONE = Listed()

_COLUMNS = (
    letter.c.id,
    letter.c.plan_id,
    letter.c.name,
    letter.c.recipient,
    letter.c.address,
    letter.c.subject,
    letter.c.created_at,
    letter.c.first_tried_at,
    letter.c.attempts,
    letter.c.reply,
    letter.c.reason,
)


def _newest(found: Select[Any], wanted: ColumnElement[bool]) -> Select[Any]:
    """The newest letters of each plan, each with the number of all of that plan."""
    plan = letter.c.plan_id
    ranked = (
        found.add_columns(
            func.count().over(partition_by=plan).label("in_all"),
            func.row_number().over(partition_by=plan, order_by=letter.c.id.desc()).label("place"),
        )
        .where(wanted)
        .subquery()
    )
    return select(ranked).where(ranked.c.place <= SHOWN).order_by(ranked.c.place)


_RETRIED = _newest(
    select(*_COLUMNS),
    and_(
        letter.c.due_at.is_not(None),
        letter.c.state == LetterState.QUEUED.value,
        letter.c.attempts > 0,
        or_(letter.c.reply.is_not(None), letter.c.reason.is_not(None)),
    ),
)

_reached = (
    select(
        letter.c.plan_id,
        letter.c.addressee,
        letter.c.name,
        func.max(letter.c.sent_at).label("at"),
    )
    .where(letter.c.state == LetterState.SENT.value, letter.c.created_at >= bindparam("since"))
    .group_by(letter.c.plan_id, letter.c.addressee, letter.c.name)
    .subquery()
)
_ended = (
    select(func.max(event.c.at))
    .where(
        event.c.letter_id == letter.c.id,
        event.c.what.in_(("letter.failed", "letter.came_back")),
    )
    .scalar_subquery()
)
_given_up_at = func.coalesce(_ended, letter.c.first_tried_at, letter.c.created_at)
_FAILED = _newest(
    select(*_COLUMNS, type_coerce(_given_up_at, LenientUTC).label("given_up_at")).outerjoin(
        _reached,
        and_(
            _reached.c.plan_id == letter.c.plan_id,
            _reached.c.addressee == letter.c.addressee,
            _reached.c.name == letter.c.name,
        ),
    ),
    and_(
        letter.c.state == LetterState.FAILED.value,
        letter.c.created_at >= bindparam("since"),
        _given_up_at >= bindparam("listed_since"),
        or_(_reached.c.at.is_(None), _reached.c.at <= _given_up_at),
    ),
)

_LAST_EVENT = select(event.c.at).order_by(event.c.id.desc()).limit(1)


def retried(connection: Connection) -> dict[int, Listed]:
    """The letters that wait for another attempt, by their plan's id; no plan without one."""
    return _listed(connection.execute(_RETRIED).all())


def failed(connection: Connection, now: datetime) -> dict[int, Listed]:
    """The letters given up that still want a hand, by their plan's id; no plan without one.

    One leaves the list when a later letter reached the same addressee, and after `LISTED_FOR`. In
    a copy or a simulated year, to which nothing happens any more, nothing grows old.
    """
    last = connection.execute(_LAST_EVENT).scalar()
    now = min(now, last or now)
    bounds = {"since": now - _LOOKED_BACK, "listed_since": now - LISTED_FOR}
    return _listed(connection.execute(_FAILED, bounds).all())


def _listed(rows: Any) -> dict[int, Listed]:
    found: dict[int, list[Stuck]] = {}
    counts: dict[int, int] = {}
    for row in rows:
        found.setdefault(row.plan_id, []).append(_stuck(row))
        counts[row.plan_id] = row.in_all
    return {plan_id: Listed(tuple(some), counts[plan_id]) for plan_id, some in found.items()}


def _stuck(row: Any) -> Stuck:
    return Stuck(
        letter=row.id,
        recipient=row.recipient or row.name,
        address=row.address or "",
        subject=row.subject or "",
        since=sound(row.first_tried_at) or sound(row.created_at),
        attempts=row.attempts,
        reason=row.reason or row.reply or "",
        given_up_at=sound(row._mapping.get("given_up_at")),
    )
