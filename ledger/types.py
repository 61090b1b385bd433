"""Column types that refuse what would be read back as something else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class NaiveDatetimeError(ValueError):
    """A datetime without a time zone was about to be stored: nobody could say when it is."""


class UTC_(TypeDecorator[datetime]):  # noqa: N801 - reads as the type that it is
    """An instant: aware in Python, UTC in the database.

    SQLite has no such type and would drop the zone silently: there it is text in one fixed form,
    `2023-03-24 09:30:00.000000+00:00`, which sorts and compares like the instant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, a timestamp with time zone elsewhere."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else self.impl)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """An aware datetime as UTC; raises NaiveDatetimeError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveDatetimeError(f"naive datetime {value!r}: give it a time zone")
        return _utc_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The stored instant, aware, in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return instant(value)
        stored: datetime = value
        return stored.astimezone(UTC)


# One instant stands in many rows: what was queued or sent in one tick, what is due at one hour.
@lru_cache(maxsize=4096)
def _utc_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(" ", "microseconds")


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime:
    """The instant that SQLite holds; raises ValueError or TypeError for what is none."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"no time zone: {text!r}")
    return read
