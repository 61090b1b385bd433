"""When the machine's clock cannot be believed: it jumped, and officials might be alarmed by that.

Section's reminders go on by whatever the clock says: one too early or too late does little harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from duban.bureau import Bureau
from duban.ladder import next_morning

TOLERANCE = timedelta(days=1)
"""A jump up to this long is daylight saving, a drift put right, or the like."""


def jump(went: timedelta, passed: timedelta) -> timedelta | None:
    """How far the clock jumped, negative for back; None where it did not.

    `went` is how far the clock moved while, by a clock that never jumps, `passed` went by.
    """
    off = went - passed
    return off if abs(off) > TOLERANCE else None


def believed_again(bureaus: Iterable[Bureau], now: datetime) -> datetime:
    """When a clock that jumped at `now` is believed again: the next working day's reminders' hour.

    Until then the office, which is told at once, can have it put right. `now` without a bureau.
    """
    return max((next_morning(b.local(now), b.calendar, b.hours) for b in bureaus), default=now)
