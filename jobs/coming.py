"""What will be mailed in the next days, if nobody reports and nothing changes. Only reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from config.model import Audience, Light
from duban.bureau import Bureau
from duban.standings import State
from jobs.wall import Posted, read_posted
from ledger.tables import Addressee, LetterState, letter, obligation

_WAITING: Final = (LetterState.QUEUED.value, LetterState.CLAIMED.value)


@dataclass(frozen=True, slots=True)
class Coming:
    """One letter to come: when, to whom (a section's or a post's name), how pressing, about what.

    `at` is in the plan's zone.
    """

    at: datetime
    to: str
    official: bool
    light: Light
    about: tuple[Posted, ...]


def coming(
    connection: Connection, bureau: Bureau, plan_id: int, now: datetime, until: datetime
) -> list[Coming]:
    """The reminders and escalations after `now` up to `until`, by time, one for each recipient."""
    owed = [state.value for state in State if state.owed]
    rows = read_posted(
        connection,
        bureau,
        plan_id,
        now,
        obligation.c.state.in_(owed),
        obligation.c.next_action_at <= until,
    )
    letters: dict[tuple[datetime, bool, str], list[tuple[Light, Posted]]] = {}
    for row in rows:
        for at, light, official, to in _rungs(bureau, row, now, until):
            letters.setdefault((at, official, to), []).append((light, row))
    return [
        Coming(
            at=at,
            to=to,
            official=official,
            light=max((light for light, _ in about), key=lambda light: light.rank),
            about=tuple(row for _, row in about),
        )
        for (at, official, to), about in sorted(letters.items(), key=lambda found: found[0])
    ]


def _rungs(
    bureau: Bureau, row: Posted, now: datetime, until: datetime
) -> Iterator[tuple[datetime, Light, bool, str]]:
    if row.item not in bureau.plan.items:
        return
    for step in bureau.ladder(row.item, row.deadline, until):
        if not now < step.at <= until:
            continue
        for audience in step.audience:
            if audience is Audience.SECTION:
                yield step.at, step.light, False, row.section
            for post in bureau.posts(row.item, row.section, audience):
                yield step.at, step.light, True, post


def waiting(connection: Connection, plan_id: int, most: int) -> list[Row[Any]]:
    """The letters that are queued or under way, the one that is due first before the others."""
    rows = connection.execute(
        select(letter)
        .where(
            letter.c.due_at.is_not(None),
            letter.c.plan_id == plan_id,
            letter.c.state.in_(_WAITING),
        )
        .order_by(letter.c.due_at, letter.c.id)
        .limit(most)
    )
    return list(rows)


def written_to(
    connection: Connection, plan_id: int, name: str, *, official: bool, most: int
) -> list[Row[Any]]:
    """The latest letters to a section or a post, the newest first."""
    addressee = Addressee.POST if official else Addressee.SECTION
    rows = connection.execute(
        select(letter)
        .where(
            letter.c.plan_id == plan_id,
            letter.c.addressee == addressee.value,
            letter.c.name == name,
            letter.c.state != LetterState.WITHDRAWN.value,
        )
        .order_by(letter.c.id.desc())
        .limit(most)
    )
    return list(rows)
