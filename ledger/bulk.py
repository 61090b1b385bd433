"""One statement for many rows: worked out once, and its rows handed to the driver as they are.

SQLAlchemy looks anew at every value of every row; for what a delivery writes that takes longer than
the database needs. PostgreSQL gets all rows as one value: with a message for each it would spend
its time on the messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import JSON, BindParameter, Connection, Text, bindparam, cast, column, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import Insert, Update
from sqlalchemy.sql.visitors import replacement_traverse

_Row = Mapping[str, Any]
_Rows = Sequence[_Row]
_Giver = Callable[[_Row], Any]


class Bulk:
    """An INSERT or UPDATE of which every row gives the same `values`, by the parameters' names."""

    def __init__(self, statement: Insert | Update, *values: str) -> None:
        self._statement, self._values = statement, values
        self._known: dict[str, tuple[str, Callable[[_Rows], Any]]] = {}

    def run(self, connection: Connection, rows: _Rows) -> None:
        """Execute it with each row; does nothing where there is none. Raises KeyError for a gap."""
        if not rows:
            return
        dialect = connection.dialect
        if dialect.name not in self._known:
            one = dialect.name == "postgresql"
            self._known[dialect.name] = (self._as_one if one else self._one_by_one)(dialect)
        text, giver = self._known[dialect.name]
        connection.exec_driver_sql(text, giver(rows))

    def _one_by_one(self, dialect: Dialect) -> tuple[str, Callable[[_Rows], Any]]:
        """The statement as the dialect has it, and what makes the rows what its driver wants."""
        compiled = self._compiled(dialect)
        ways = [
            self._way(name, compiled.binds[name], dialect)
            for name in compiled.positiontup or compiled.params
        ]
        return str(compiled), lambda rows: [tuple([way(row) for way in ways]) for row in rows]

    def _as_one(self, dialect: Dialect) -> tuple[str, Callable[[_Rows], Any]]:
        """The statement from a list in JSON, and what makes that of the rows."""
        binds = self._compiled(dialect).binds
        listed = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
        named = (column(name, binds[name].type) for name in self._values)
        table = listed.table_valued(*named).render_derived(name="listed", with_types=True)
        # else PostgreSQL expects a hundred rows, and reads the whole letters to find them
        given = select(table).limit(bindparam("count")).subquery("given")

        def of_row(element: Any, **_: Any) -> Any:
            mine = isinstance(element, BindParameter) and element.key in self._values
            return given.c[element.key] if mine else None

        statement: Any = self._statement
        if isinstance(statement, Insert):
            statement = statement.from_select(self._values, select(given))
        else:
            statement = replacement_traverse(statement, {}, of_row)
        compiled = statement.compile(dialect=dialect)
        ways = {name: self._way(name, binds[name], dialect) for name in self._values}
        own = {"rows", "count"}
        fixed = {name: value for name, value in compiled.params.items() if name not in own}

        def giver(rows: _Rows) -> dict[str, Any]:
            plain = [{name: way(row) for name, way in ways.items()} for row in rows]
            text = json.dumps(plain, ensure_ascii=False, default=_plain)
            return fixed | {"rows": text, "count": len(rows)}

        return str(compiled), giver

    def _compiled(self, dialect: Dialect) -> Any:
        columns = [*self._values] if isinstance(self._statement, Insert) else None
        return self._statement.compile(dialect=dialect, column_keys=columns, for_executemany=True)

    def _way(self, name: str, bind: Any, dialect: Dialect) -> _Giver:
        """How the driver's value of one parameter comes from a row."""
        kind = bind.type.dialect_impl(dialect)
        as_it_is = isinstance(kind, JSON) and dialect.name == "postgresql"
        processed = None if as_it_is else kind.bind_processor(dialect)
        if name not in self._values:
            fixed = processed(bind.value) if processed else bind.value
            return lambda row: fixed
        if processed is None:
            return lambda row: row[name]
        return lambda row: processed(row[name])


def _plain(value: Any) -> str:
    """A day or an instant as PostgreSQL reads it."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written in bulk")
