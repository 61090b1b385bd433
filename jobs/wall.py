"""A plan's year on one wall: every obligation, how it stands, and its light. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from config.model import Kind, Light
from config.plan import kind_of
from duban.bureau import Bureau
from duban.standings import Standing, State, standing
from ledger.tables import obligation


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One obligation on the wall. Instants are in the plan's zone; `month` is its nominal date's.

    `light` is that of the latest step of its ladder that has come, None before the first one and
    for what is not pending; `late` says that some hand-in came late, for good.
    """

    id: int
    key: str
    item: str
    section: str
    month: int
    kind: str
    title: str
    label: str
    period: str
    deadline: datetime
    standing: Standing
    late: bool
    light: Light | None = None
    submitted_at: datetime | None = None
    reason: str = ""


def read_wall(
    connection: Connection, bureau: Bureau, plan_id: int, year: int, now: datetime
) -> list[Posted]:
    """What a plan asks for in a year, by deadline: one query, however many sections there are."""
    in_year = obligation.c.nominal.between(date(year, 1, 1), date(year, 12, 31))
    return read_posted(connection, bureau, plan_id, now, in_year)


def read_posted(
    connection: Connection,
    bureau: Bureau,
    plan_id: int,
    now: datetime,
    *wanted: ColumnElement[bool],
) -> list[Posted]:
    """The obligations of a plan that are `wanted`, by deadline; what was dropped is not shown."""
    rows = connection.execute(
        select(obligation)
        .where(obligation.c.plan_id == plan_id, obligation.c.state != State.DROPPED.value, *wanted)
        .order_by(obligation.c.deadline, obligation.c.id)
    )
    lights = _Lights(bureau, now)
    return [_posted(bureau, row, lights, now) for row in rows]


def _posted(bureau: Bureau, row: Row[Any], lights: _Lights, now: datetime) -> Posted:
    item = bureau.plan.items.get(row.item)
    stands = standing(State(row.state), row.deadline, row.late, now)
    pending = stands is Standing.PENDING and item is not None
    return Posted(
        id=row.id,
        key=row.key,
        item=row.item,
        section=row.section,
        month=row.nominal.month,
        kind=(kind_of(item) if item else Kind.REPORT).value,
        title=item.title if item else row.item,
        label=item.label if item else row.item,
        period=row.period,
        deadline=bureau.local(row.deadline),
        standing=stands,
        late=row.late,
        light=lights.of(row.item, row.deadline) if pending else None,
        submitted_at=bureau.local(row.submitted_at) if row.submitted_at else None,
        reason=row.reason or "",
    )


class _Lights:
    """The lights at one instant; all sections with an item and a deadline share one."""

    def __init__(self, bureau: Bureau, now: datetime) -> None:
        self._bureau, self._now = bureau, now
        self._known: dict[tuple[str, datetime], Light | None] = {}

    def of(self, item: str, deadline: datetime) -> Light | None:
        """The light of a pending obligation."""
        which = item, deadline
        if which not in self._known:
            steps = self._bureau.ladder(item, deadline, self._now)
            come = [step.light for step in steps if step.at <= self._now]
            self._known[which] = come[-1] if come else None
        return self._known[which]
