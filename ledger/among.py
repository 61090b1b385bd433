"""A column among many numbers, given to the database as one value.

SQLAlchemy spells an `IN` out with one parameter for each number and anew each time; with the plans
of a province that takes longer than the query.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine


class _Numbers(TypeDecorator[Iterable[int]]):
    """Whole numbers as one text: a list in JSON, or an array as PostgreSQL writes it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> str:
        numbers = ",".join(map(str, value or ()))
        return f"{{{numbers}}}" if dialect.name == "postgresql" else f"[{numbers}]"


class _Among(FunctionElement[Any]):
    """Of two clauses: the column, and the numbers."""

    name = "among"
    # were it called a Boolean, SQLite would be asked whether it is 1, and would use no index
    type: TypeEngine[Any] = NullType()
    inherit_cache = True


def among(column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Whether `column` is among the whole numbers given as the parameter `name`."""
    return _Among(column, bindparam(name, type_=_Numbers()))


@compiles(_Among, "sqlite")
def _sqlite(element: _Among, compiler: SQLCompiler, **more: Any) -> str:
    column, numbers = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{column} IN (SELECT CAST(value AS INTEGER) FROM json_each({numbers}))"  # noqa: S608


@compiles(_Among, "postgresql")
def _postgresql(element: _Among, compiler: SQLCompiler, **more: Any) -> str:
    # an array is taken for short, and the index is used; the rows of a JSON list are not
    column, numbers = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{column} = ANY (CAST({numbers} AS INTEGER[]))"
