"""Days and instants on the command line: as they are typed, and as they are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

import click

from config.scalars import parse_date, parse_instant
from scheduler.cli.texts import chinese, say

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CHINESE_WEEKDAYS: Final = "一二三四五六日"


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """`2023-03-25` as a date."""
        try:
            day: date = parse_date(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)
        return day


class _Instant(click.ParamType[date | datetime]):
    name = "date or time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | datetime:
        """`2023-03-25`, `2023-03-25 12:00`, or RFC 3339."""
        try:
            when: date | datetime = parse_instant(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)
        return when


DAY: Final = _Day()
INSTANT: Final = _Instant()


def weekday(day: date) -> str:
    """`周五`, or `Fri` for readers of English."""
    return f"周{_CHINESE_WEEKDAYS[day.weekday()]}" if chinese() else _WEEKDAYS[day.weekday()]


def moment(at: datetime | None) -> str:
    """`2023-03-24 周五 17:30`, or a dash for no moment."""
    return say("nothing") if at is None else f"{at:%Y-%m-%d} {weekday(at)} {at:%H:%M}"
