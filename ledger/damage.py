"""Rows of which a file that was damaged holds what cannot be read: one must not hide the others.

For tables whose rows are read many at a time. A value that cannot be read becomes one that says
so and that whoever shows it can go on with; whoever acts upon a row calls `check_sound` first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from ledger.types import UTC_

if TYPE_CHECKING:
    from ledger.letters import Letter


class DamagedRowError(ValueError):
    """A row holds what cannot be read; the message names the columns."""


class DamagedTime(datetime):
    """Stands for an instant that cannot be read: what reckons with it goes on."""


class DamagedJSON(dict[str, Any]):
    """Stands for JSON that cannot be read: who looks for something in it finds nothing."""


_MARKERS = frozenset({DamagedTime, DamagedJSON})
_SOME_TIME = DamagedTime(1970, 1, 1, tzinfo=UTC)


def sound(at: datetime | None) -> datetime | None:
    """An instant, or None where it cannot be read: nobody is told of a day that nobody wrote."""
    return None if isinstance(at, DamagedTime) else at


def check_sound(row: Letter) -> None:
    """Raise DamagedRowError where a letter's row holds what cannot be read."""
    if not _MARKERS.isdisjoint(map(type, row)):
        columns = [name for name, value in row._asdict().items() if type(value) in _MARKERS]
        raise DamagedRowError(f"its row in the ledger is damaged ({', '.join(columns)})")


class LenientUTC(UTC_):
    """An instant that reads as a DamagedTime where the file holds none."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """What reads the database's value."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return _time


@lru_cache(maxsize=4096)
def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return _SOME_TIME
    return read if read.tzinfo is not None else _SOME_TIME


class LenientJSON(TypeDecorator[Any]):
    """JSON that reads as a DamagedJSON where the file holds none."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """What reads the database's value."""
        strict = super().result_processor(dialect, coltype)
        if strict is None:  # the driver reads it, and its database lets nothing else in
            return None

        def read(value: Any) -> Any:
            if value is None:
                return None
            try:
                return strict(value)
            except (TypeError, ValueError):
                return DamagedJSON()

        return read
