"""The clock: the only place in duban that reads the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that says what time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)


@dataclass
class VirtualClock:
    """A clock that stands until it is set: the simulator's."""

    instant: datetime

    def now(self) -> datetime:
        """The instant that it was set to."""
        return self.instant
