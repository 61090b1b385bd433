"""What a calendar shows: a section's deadlines, or those that an official answers for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from config.model import Audience
from duban.bureau import Bureau
from duban.facts import ItemFacts, LetterKind
from duban.standings import State
from jobs.content import Content
from jobs.links import Feed, ForgedError
from ledger.tables import event, obligation

BACK: Final = timedelta(days=92)
"""How long a deadline stays in the calendar after it has passed."""

_HIDDEN: Final = (State.BEFORE.value,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One deadline. `changed_at` is the last time that anything happened to it."""

    id: int
    facts: ItemFacts
    state: State
    round: int
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """One calendar at an instant; `name` is the section's or the official's."""

    bureau: Bureau
    now: datetime
    name: str
    official: bool
    entries: tuple[Entry, ...]


def read_feed(
    connection: Connection, bureaus: Mapping[int, Bureau], feed: Feed, now: datetime
) -> Deadlines:
    """The deadlines of a feed. Raises ForgedError for one that the plan no longer names."""
    bureau = bureaus.get(feed.plan)
    if bureau is None:
        raise ForgedError("there is no such plan")
    content = Content(connection, bureau, feed.plan, now)
    name = _name(bureau, feed, now)
    return Deadlines(
        bureau=bureau,
        now=content.now,
        name=name,
        official=feed.recipient.official,
        entries=tuple(
            Entry(
                id=row.id,
                facts=content.item(row, LetterKind.NOTICE),
                state=State(row.state),
                round=row.round,
                changed_at=row.changed_at,
            )
            for row in _rows(connection, feed, now)
            if not feed.recipient.official or _answers(bureau, feed.recipient.name, row, now)
        ),
    )


def _name(bureau: Bureau, feed: Feed, now: datetime) -> str:
    try:
        if feed.recipient.official:
            return bureau.plan.official(feed.recipient.name).holder(bureau.day(now)).name
        return bureau.plan.section(feed.recipient.name).name
    except KeyError:
        raise ForgedError("the plan no longer names it") from None


def _rows(connection: Connection, feed: Feed, now: datetime) -> list[Row[Any]]:
    changed = (
        select(func.max(event.c.at)).where(event.c.obligation_id == obligation.c.id)
    ).scalar_subquery()
    wanted = select(obligation, changed.label("changed_at")).where(
        obligation.c.plan_id == feed.plan,
        obligation.c.deadline > now - BACK,
        obligation.c.state.not_in(_HIDDEN),
    )
    if not feed.recipient.official:
        wanted = wanted.where(obligation.c.section == feed.recipient.name)
    ordered = wanted.order_by(obligation.c.deadline, obligation.c.id)
    return list(connection.execute(ordered))


def _answers(bureau: Bureau, post: str, row: Row[Any], now: datetime) -> bool:
    overdue = State(row.state).owed and row.deadline < now
    return answers_for(bureau, post, row.item, row.section, overdue=overdue)


def answers_for(bureau: Bureau, post: str, item: str, section: str, *, overdue: bool) -> bool:
    """Whether an official leads it; the head of the group sees whatever is overdue as well."""
    if item not in bureau.plan.items:
        return False
    if post in bureau.posts(item, section, Audience.LEADER):
        return True
    return overdue and post in bureau.posts(item, section, Audience.HEAD)
