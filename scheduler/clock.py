"""The clock: the only place in duban that reads the time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

# CLOCK_MONOTONIC stands still while a Linux machine sleeps: waking would look like a jump
_UNSET: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Something that says what time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def elapsed(self) -> timedelta:
        """Time since some fixed moment, by a clock that nobody sets: it never jumps."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)

    def elapsed(self) -> timedelta:
        """Time since the machine started, its sleep included."""
        return timedelta(seconds=time.clock_gettime(_UNSET))


@dataclass
class VirtualClock:
    """A clock that stands until it is set: the simulator's."""

    instant: datetime

    def now(self) -> datetime:
        """The instant that it was set to."""
        return self.instant

    def elapsed(self) -> timedelta:
        """A virtual clock is never wrong: as much time passed as it went."""
        return self.instant - datetime.min.replace(tzinfo=UTC)
