"""The plans that a ledger keeps, and small marks beside them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger.among import among
from ledger.tables import mark, plan

_FIND = select(plan).where(plan.c.key == bindparam("key"))


def find(connection: Connection, key: str) -> Row[Any] | None:
    """The plan's row, or None before its first day in this ledger."""
    return connection.execute(_FIND, {"key": key}).one_or_none()


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


_STAMPS_OF = select(plan.c.id, plan.c.reconciled).where(among(plan.c.id, "plans"))


def stamps_of(connection: Connection, plans: Iterable[int]) -> dict[int, str]:
    """What these plans were last reconciled with, by their ids."""
    rows = connection.execute(_STAMPS_OF, {"plans": plans})
    return {row.id: row.reconciled for row in rows}


_UNWRITTEN = (
    plan.c.id == bindparam("which"),
    or_(plan.c.digested_on.is_(None), plan.c.digested_on < bindparam("today")),
)
_ANY_UNWRITTEN = select(plan.c.id).where(*_UNWRITTEN)
_BEGIN_DIGEST = update(plan).where(*_UNWRITTEN).values(digested_on=bindparam("today"))


def wants_digest(connection: Connection, plan_id: int, today: date) -> bool:
    """Whether the day's digest is still to be written."""
    asked = {"which": plan_id, "today": today}
    return connection.execute(_ANY_UNWRITTEN, asked).first() is not None


def begin_digest(connection: Connection, plan_id: int, today: date) -> bool:
    """Note that the day's digest is written; False if it was already, by whomever."""
    changed = connection.execute(_BEGIN_DIGEST, {"which": plan_id, "today": today})
    return changed.rowcount == 1


def change(connection: Connection, plan_id: int, **values: Any) -> None:
    """Write columns of a plan's row."""
    connection.execute(update(plan).where(plan.c.id == plan_id).values(**values))


_INSERT: Final[dict[str, Any]] = {
    "sqlite": sqlite.insert(mark),
    "postgresql": postgresql.insert(mark),
}
_SET = {
    name: made.on_conflict_do_update(
        index_elements=[mark.c.key], set_={"value": made.excluded.value, "at": made.excluded.at}
    )
    for name, made in _INSERT.items()
}
_KEEP = {name: made.on_conflict_do_nothing() for name, made in _INSERT.items()}


_VALUE = select(mark.c.value).where(mark.c.key == bindparam("key"))


def set_mark(connection: Connection, key: str, value: Any, now: datetime) -> None:
    """Remember one value, such as the last tick."""
    connection.execute(_SET[connection.dialect.name], {"key": key, "value": value, "at": now})


def hold_mark(connection: Connection, key: str, now: datetime) -> Any:
    """One remembered value, None where there is none; nobody else changes it until the commit."""
    connection.execute(_KEEP[connection.dialect.name], {"key": key, "value": None, "at": now})
    wanted = select(mark.c.value).where(mark.c.key == key).with_for_update()
    return connection.execute(wanted).scalar_one()


def get_mark(connection: Connection, key: str) -> Any:
    """One remembered value, None where there is none."""
    return connection.execute(_VALUE, {"key": key}).scalar_one_or_none()


_TWO = select(mark.c.key, mark.c.value).where(
    or_(mark.c.key == bindparam("one"), mark.c.key == bindparam("other"))
)


def get_marks(connection: Connection, one: str, other: str) -> dict[str, Any]:
    """Two remembered values by their keys, without those that are not there."""
    rows = connection.execute(_TWO, {"one": one, "other": other})
    return {row.key: row.value for row in rows}


_DROP = delete(mark).where(mark.c.key == bindparam("key"))


def drop_mark(connection: Connection, key: str) -> None:
    """Forget one value."""
    connection.execute(_DROP, {"key": key})


def marks(connection: Connection) -> dict[str, tuple[Any, datetime]]:
    """All marks: the value and when it was set."""
    return {row.key: (row.value, row.at) for row in connection.execute(select(mark))}
