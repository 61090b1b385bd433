"""A column among many numbers, given to the database as one value.

SQLAlchemy spells an `IN` out with one parameter for each number and anew each time; with the plans
of a province that takes longer than the query.
"""

from __future__ import annotations

from collections.abc import Iterable
from json import dumps
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, bindparam, cast, select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class _Json(TypeDecorator[Iterable[int]]):
    """Whole numbers as a list in JSON."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> str:
        return dumps(list(value or ()))


class _Numbers(FunctionElement[str]):
    """The numbers as the rows of a table with one column, `value`."""

    name = "numbers"
    inherit_cache = True


def among(column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Whether `column` is among the whole numbers given as the parameter `name`."""
    numbers = _Numbers(bindparam(name, type_=_Json())).table_valued("value")
    return column.in_(select(cast(numbers.c.value, Integer)))


@compiles(_Numbers, "sqlite")
def _sqlite(element: _Numbers, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **more)})"


@compiles(_Numbers, "postgresql")
def _postgresql(element: _Numbers, compiler: SQLCompiler, **more: Any) -> str:
    numbers = compiler.process(element.clauses, **more)
    return f"json_array_elements_text(CAST({numbers} AS JSON))"
