"""One statement for many rows: worked out once, and its rows handed to the driver as they are.

SQLAlchemy looks anew at every value of every row; for what a delivery writes that takes longer than
the database needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import Insert, Update

_Row = Mapping[str, Any]
_Giver = Callable[[_Row], Any]


class Bulk:
    """An INSERT or UPDATE of which every row gives the same `values`, by the parameters' names."""

    def __init__(self, statement: Insert | Update, *values: str) -> None:
        self._statement, self._values = statement, values
        self._known: dict[str, tuple[str, _Giver]] = {}

    def run(self, connection: Connection, rows: Sequence[_Row]) -> None:
        """Execute it with each row; does nothing where there is none. Raises KeyError for a gap."""
        if not rows:
            return
        dialect = connection.dialect
        if dialect.name not in self._known:
            self._known[dialect.name] = self._worked_out(dialect)
        text, giver = self._known[dialect.name]
        connection.exec_driver_sql(text, [giver(row) for row in rows])

    def _worked_out(self, dialect: Dialect) -> tuple[str, _Giver]:
        """The statement as the dialect has it, and what makes a row what its driver wants."""
        columns = [*self._values] if isinstance(self._statement, Insert) else None
        compiled: Any = self._statement.compile(
            dialect=dialect, column_keys=columns, for_executemany=True
        )
        ways = [
            (name, self._way(name, compiled.binds[name], dialect))
            for name in compiled.positiontup or compiled.params
        ]
        if compiled.positional:
            ordered = [way for _, way in ways]
            return str(compiled), lambda row: tuple([way(row) for way in ordered])
        return str(compiled), lambda row: {name: way(row) for name, way in ways}

    def _way(self, name: str, bind: Any, dialect: Dialect) -> _Giver:
        """How the driver's value of one parameter comes from a row."""
        processed = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if name not in self._values:
            fixed = processed(bind.value) if processed else bind.value
            return lambda row: fixed
        if processed is None:
            return lambda row: row[name]
        return lambda row: processed(row[name])
