"""Working days, by the published table alone."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from functools import cache

import chinese_calendar

FIRST, LAST = date(2004, 1, 1), date(2026, 12, 31)


@cache
def _working() -> list[date]:
    days = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    return [day for day in days if chinese_calendar.is_workday(day)]


@cache
def works(day: date) -> bool:
    """Whether offices work on this day, make-up days included."""
    return bool(chinese_calendar.is_workday(day))


@cache
def shift(day: date, count: int) -> date:
    """`count` working days from `day`; a day off counts as the working day before it."""
    return _working()[bisect_right(_working(), day) - 1 + count]
