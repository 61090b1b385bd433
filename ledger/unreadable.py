"""Which rows of a damaged file hold what cannot be read; only SQLite lets such a thing in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Table,
    Text,
    func,
    select,
    type_coerce,
)

from ledger.tables import metadata
from ledger.types import UTC_, instant

_READ: Final[dict[str, Callable[[Any], object]]] = {
    "no_instant": instant,
    "no_day": date.fromisoformat,
    "no_json": json.loads,
}


class Unreadable(NamedTuple):
    """One value that cannot be read, by its table, its row's key and its column."""

    table: str
    row: int | str
    column: str

    def __str__(self) -> str:
        return f"{self.table} row {self.row} ({self.column})"


def unreadable(connection: Connection, tables: Iterable[Table] | None = None) -> list[Unreadable]:
    """All that cannot be read in these tables, or in all of them; reads every row."""
    if connection.dialect.name != "sqlite":
        return []
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - what the dialect's name says
    for function, read in _READ.items():
        driver.create_function(function, 1, _fails(read), deterministic=True)
    return [
        Unreadable(table.name, row, column.name)
        for table in tables or metadata.sorted_tables
        for column in table.c
        if (name := _reader(column)) is not None
        for row in connection.execute(_failing(table, column, name)).scalars()
    ]


def _reader(column: Column[Any]) -> str | None:
    kind = column.type
    if isinstance(kind, UTC_):
        return "no_instant"
    if isinstance(kind, Date):
        return "no_day"
    return "no_json" if isinstance(getattr(kind, "impl", kind), JSON) else None


def _failing(table: Table, column: Column[Any], name: str) -> Any:
    (key,) = table.primary_key
    as_it_is = type_coerce(column, Text)
    return select(key).where(column.is_not(None), getattr(func, name)(as_it_is, type_=Boolean))


def _fails(read: Callable[[Any], object]) -> Callable[[Any], bool]:
    def fails(value: Any) -> bool:
        try:
            read(value)
        except (TypeError, ValueError):
            return True
        return False

    return fails
