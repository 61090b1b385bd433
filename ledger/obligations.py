"""Questions about obligations that several jobs ask."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ledger.tables import obligation


def next_action(connection: Connection) -> datetime | None:
    """When the next rung of any obligation comes due."""
    return connection.execute(select(func.min(obligation.c.next_action_at))).scalar()


def find(connection: Connection, plan_id: int, key: str) -> Row[Any] | None:
    """One obligation by its key."""
    return connection.execute(
        select(obligation).where(obligation.c.plan_id == plan_id, obligation.c.key == key)
    ).one_or_none()
