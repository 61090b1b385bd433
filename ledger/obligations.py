"""Questions about obligations that several jobs ask."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, select, update

from ledger.tables import obligation, plan

_NEXT_ACTION = select(
    func.min(
        select(func.min(obligation.c.next_action_at))
        .where(obligation.c.plan_id == plan.c.id)
        .scalar_subquery()
    )
).select_from(plan)
_WITH_WORK = select(plan.c.id).where(
    plan.c.id.in_(bindparam("plans", expanding=True)),
    exists().where(
        obligation.c.plan_id == plan.c.id, obligation.c.next_action_at <= bindparam("now")
    ),
)


def next_action(connection: Connection) -> datetime | None:
    """When the next rung of any obligation comes due."""
    return connection.execute(_NEXT_ACTION).scalar()


def plans_with_work(connection: Connection, plan_ids: Collection[int], now: datetime) -> list[int]:
    """Which of these plans have a rung that is due: one look into an index for each."""
    found = connection.execute(_WITH_WORK, {"plans": list(plan_ids), "now": now})
    return sorted(found.scalars())


def look_again(connection: Connection, now: datetime) -> None:
    """Decide anew at `now` whatever was to be looked at later."""
    connection.execute(
        update(obligation).where(obligation.c.next_action_at > now).values(next_action_at=now)
    )


def find(connection: Connection, plan_id: int, key: str) -> Row[Any] | None:
    """One obligation by its key."""
    return connection.execute(
        select(obligation).where(obligation.c.plan_id == plan_id, obligation.c.key == key)
    ).one_or_none()


def lock(connection: Connection, plan_id: int, key: str) -> Row[Any] | None:
    """One obligation by its key, kept from other writers until the commit.

    SQLite has one writer at a time anyway; on PostgreSQL two could else act upon the same state.
    """
    return connection.execute(
        select(obligation)
        .where(obligation.c.plan_id == plan_id, obligation.c.key == key)
        .with_for_update()
    ).one_or_none()
