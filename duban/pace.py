"""A relay's limit: so many letters a minute, kept as a window that slides.

Turns are spaced evenly, and a letter that misses its turn by more than MARGIN gets another one. So
of any N + 1 letters the last leaves at least a minute after the first, whichever process sent them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
MARGIN = timedelta(seconds=3)
"""How late a letter may leave at its turn."""


def interval(per_minute: int) -> timedelta:
    """The time from one turn to the next, rounded up to a microsecond."""
    return -(-(MINUTE + MARGIN) // per_minute)


def turns(
    free: datetime | None, now: datetime, until: datetime, per_minute: int, at_most: int
) -> list[datetime]:
    """The next turns from `now` (aware) to `until`; `free` is the first that nobody has yet."""
    first = now if free is None else max(free, now)
    gap = interval(per_minute)
    if first > until:
        return []
    count = min(at_most, (until - first) // gap + 1)
    return [first + gap * number for number in range(count)]


def missed(turn: datetime, now: datetime) -> bool:
    """Whether it is too late for a letter to leave at its turn."""
    return now > turn + MARGIN
