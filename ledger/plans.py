"""The plans that a ledger keeps, and small marks beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from ledger.tables import mark, plan


def find(connection: Connection, key: str) -> Row[Any] | None:
    """The plan's row, or None before its first day in this ledger."""
    return connection.execute(select(plan).where(plan.c.key == key)).one_or_none()


def bear(connection: Connection, key: str, title: str, now: datetime) -> Row[Any]:
    """Enter a plan: what was due before `now` will not be chased."""
    connection.execute(insert(plan).values(key=key, title=title, born_at=now, reconciled=""))
    return connection.execute(select(plan).where(plan.c.key == key)).one()


def ids(connection: Connection) -> dict[str, int]:
    """The ids of all plans by their keys."""
    return {row.key: row.id for row in connection.execute(select(plan.c.key, plan.c.id))}


def stamps(connection: Connection) -> dict[str, tuple[int, str]]:
    """Of all plans by their keys: the id, and what the plan was last reconciled with."""
    rows = connection.execute(select(plan.c.key, plan.c.id, plan.c.reconciled))
    return {row.key: (row.id, row.reconciled) for row in rows}


def change(connection: Connection, plan_id: int, **values: Any) -> None:
    """Write columns of a plan's row."""
    connection.execute(update(plan).where(plan.c.id == plan_id).values(**values))


def set_mark(connection: Connection, key: str, value: Any, now: datetime) -> None:
    """Remember one value, such as the last tick."""
    changed = connection.execute(update(mark).where(mark.c.key == key).values(value=value, at=now))
    if not changed.rowcount:
        connection.execute(insert(mark).values(key=key, value=value, at=now))


def get_mark(connection: Connection, key: str) -> Any:
    """One remembered value, None where there is none."""
    return connection.execute(select(mark.c.value).where(mark.c.key == key)).scalar_one_or_none()


def marks(connection: Connection) -> dict[str, tuple[Any, datetime]]:
    """All marks: the value and when it was set."""
    return {row.key: (row.value, row.at) for row in connection.execute(select(mark))}
