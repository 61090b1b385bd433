"""What lies on the office's desk: hand-ins to accept, and requests for more time. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from duban.bureau import Bureau
from duban.standings import State
from jobs.content import Content
from jobs.extensions import open_requests
from jobs.letterpage import PageItem, items_of
from ledger import events, mails
from ledger.tables import event, obligation
from mailroom.groups import LONG_WAIT_DAYS

MOST_SHOWN: Final = 100
_LIMIT_WORKING_DAYS: Final = 3
"""The new time limit that a return suggests."""

_SUBMITTED = (
    select(obligation)
    .where(obligation.c.plan_id == bindparam("plan"), obligation.c.state == State.SUBMITTED.value)
    .order_by(obligation.c.submitted_at, obligation.c.id)
    .limit(MOST_SHOWN)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One obligation before an officer; times are in the plan's zone.

    `seen` is the id of the latest deed about it, 0 for none: an act that carries it is refused
    once there is another. `waited` counts the working days that a hand-in has lain here.
    """

    item: PageItem
    plan: int
    bureau: Bureau
    now: datetime
    seen: int
    waited: int = 0

    @property
    def long(self) -> bool:
        """Whether its hand-in has lain here for too long."""
        return self.waited >= LONG_WAIT_DAYS

    @property
    def later(self) -> date:
        """The first day that gives more time."""
        return max(self.item.facts.deadline.date(), self.now.date()) + timedelta(days=1)

    @property
    def limit(self) -> date:
        """A time limit for mending that is neither past nor before the deadline."""
        soon = self.bureau.calendar.shift(self.now.date(), _LIMIT_WORKING_DAYS)
        return max(soon, self.item.facts.deadline.date())


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits for the office, for the headings of its pages."""

    submitted: int
    requests: int
    mails: int
    addresses: int


def counts(connection: Connection, bureaus: Mapping[int, Bureau]) -> Counts:
    """How much waits for the office in the plans at work."""
    submitted = select(func.count()).where(
        obligation.c.plan_id.in_(bureaus), obligation.c.state == State.SUBMITTED.value
    )
    return Counts(
        submitted=connection.execute(submitted).scalar_one(),
        requests=sum(len(open_requests(connection, plan_id)) for plan_id in bureaus),
        mails=mails.waiting(connection),
        addresses=len(mails.marked_addresses(connection)),
    )


def to_accept(connection: Connection, bureaus: Mapping[int, Bureau], now: datetime) -> list[Task]:
    """What was handed in and waits for acceptance, what has lain longest first."""
    found: list[Task] = []
    for plan_id, bureau in bureaus.items():
        rows = connection.execute(_SUBMITTED, {"plan": plan_id}).all()
        found += _tasks(connection, bureau, plan_id, rows, now)
    return sorted(found, key=lambda task: -task.waited)


def asked_for_time(
    connection: Connection, bureaus: Mapping[int, Bureau], now: datetime
) -> list[Task]:
    """The requests for more time that wait for an answer, the earliest deadline first."""
    found: list[Task] = []
    for plan_id, bureau in bureaus.items():
        rows = open_requests(connection, plan_id)[:MOST_SHOWN]
        found += _tasks(connection, bureau, plan_id, rows, now)
    return sorted(found, key=lambda task: task.item.facts.deadline)


def one_task(
    connection: Connection, bureaus: Mapping[int, Bureau], which: int, now: datetime
) -> Task | None:
    """The obligation of a row's id, None where no plan at work has it."""
    row = connection.execute(select(obligation).where(obligation.c.id == which)).one_or_none()
    if row is None or row.plan_id not in bureaus:
        return None
    return _tasks(connection, bureaus[row.plan_id], row.plan_id, [row], now)[0]


def deed(connection: Connection, which: int) -> Row[Any] | None:
    """One line of the log by its id."""
    return connection.execute(select(event).where(event.c.id == which)).one_or_none()


def _tasks(
    connection: Connection,
    bureau: Bureau,
    plan_id: int,
    rows: Sequence[Row[Any]],
    now: datetime,
) -> list[Task]:
    local = bureau.local(now)
    done = events.latest_deeds(connection, [row.id for row in rows])
    items = items_of(Content(connection, bureau, plan_id, now), rows)
    return [
        Task(
            item=item,
            plan=plan_id,
            bureau=bureau,
            now=local,
            seen=done[item.id].id if item.id in done else 0,
            waited=_waited(bureau, item, local),
        )
        for item in items
    ]


def _waited(bureau: Bureau, item: PageItem, now: datetime) -> int:
    waits = item.latest if item.state is State.SUBMITTED else None
    return bureau.calendar.count(waits.at.date(), now.date()) if waits else 0
