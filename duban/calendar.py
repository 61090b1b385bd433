"""Working days: the State Council's notices over chinesecalendar's table, and a guess beyond both.

A year's arrangement comes from the notice that the office pasted, else from the built-in table,
else from weekends and the holidays with a fixed date (全国年节及纪念日放假办法, article 2). An
arrangement may name days of the December before its year and of the January after it: 2011-12-31,
a Saturday, was a working day by the notice of 2012. What a later year's arrangement names therefore
goes over what the day's own year says.

All days are dates in the plan's time zone. Years outside 1990 to 2100 raise ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from types import MappingProxyType

import chinese_calendar
from chinese_calendar.constants import holidays as _table_off
from chinese_calendar.constants import workdays as _table_work

from config.holidays import Notice

FIRST_YEAR = 1990
LAST_YEAR = 2100
SATURDAY = 5
WEEKDAYS = "一二三四五六日"

_NEW_YEAR = "New Year's Day"
_CHINESE = {
    _NEW_YEAR: "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
}
_NO_NOTICES: Mapping[int, Notice] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Mark:
    """What an arrangement says of a day: the festival, on or off, and the arrangement's year."""

    festival: str
    working: bool
    year: int


@dataclass(frozen=True, slots=True)
class _Year:
    """One year's days: `running[i]` counts the working days among the year's first `i` days."""

    first: int
    running: tuple[int, ...]
    working: tuple[date, ...]
    marks: Mapping[date, _Mark]


@cache
def _table() -> Mapping[int, Mapping[date, _Mark]]:
    """chinesecalendar's days by the year whose notice named them (a 元旦 in December: the next)."""
    years: dict[int, dict[date, _Mark]] = {}
    for days, working in ((_table_off, False), (_table_work, True)):
        for day, festival in days.items():
            year = day.year + (festival == _NEW_YEAR and day.month == 12)
            mark = _Mark(_CHINESE.get(festival, festival), working, year)
            years.setdefault(year, {})[day] = mark
    return years


def _fixed(year: int) -> dict[date, _Mark]:
    """The statutory holidays with a fixed date; lunar ones and 清明 are not guessed."""
    days = {(1, 1): "元旦", (5, 1): "劳动节"}
    if year >= 2025:
        days[5, 2] = "劳动节"
    days |= {(10, day): "国庆节" for day in (1, 2, 3)}
    return {date(year, *day): _Mark(name, False, year) for day, name in days.items()}


def _noticed(notice: Notice) -> dict[date, _Mark]:
    """The days that a notice names."""
    marks = {day: _Mark(name, False, notice.year) for day, name in notice.off.items()}
    return marks | {day: _Mark(name, True, notice.year) for day, name in notice.work.items()}


def _tabulate(year: int, marks: Mapping[date, _Mark]) -> _Year:
    """Count a year's working days once, so that every later question is a look-up."""
    first = date(year, 1, 1)
    days = [first + timedelta(days=i) for i in range((date(year + 1, 1, 1) - first).days)]
    working = [marks[day].working if day in marks else day.weekday() < SATURDAY for day in days]
    return _Year(
        first=first.toordinal(),
        running=tuple(accumulate(working, initial=0)),
        working=tuple(day for day, works in zip(days, working, strict=True) if works),
        marks={day: mark for day, mark in marks.items() if day.year == year},
    )


def _assemble(year: int, notices: Mapping[int, Notice], last_known: int) -> _Year:
    """The days of `year` as its own arrangement and those of its neighbours name them."""
    marks: dict[date, _Mark] = {}
    for source in (year - 1, year, year + 1):
        if source in notices:
            marks |= _noticed(notices[source])
        elif source in _table() and source <= last_known:
            marks |= _table()[source]
        elif source == year:
            marks |= _fixed(year)
    return _tabulate(year, marks)


@cache
def _built_in(year: int, last_known: int) -> _Year:
    """A year that no notice touches, shared by all calendars."""
    return _assemble(year, _NO_NOTICES, last_known)


class WorkCalendar:
    """The working days of an office; cheap to build, each year is tabulated when first asked for.

    `notices` are the State Council's, by year; each replaces the built-in table for its year.
    `last_known` ends the built-in table with that year, as if later years were not announced yet.
    """

    def __init__(
        self, notices: Mapping[int, Notice] = _NO_NOTICES, *, last_known: int | None = None
    ) -> None:
        self._notices = dict(notices)
        newest = max(_table())
        self._last_known = newest if last_known is None else min(last_known, newest)
        self._years: dict[int, _Year] = {}

    def is_working(self, day: date) -> bool:
        """Whether the office works on `day`, make-up working days included."""
        year = self._year(day.year)
        index = day.toordinal() - year.first
        return year.running[index] != year.running[index + 1]

    def announced(self, year: int) -> bool:
        """Whether the arrangement of `year` is known, from a notice or from the built-in table."""
        return year in self._notices or (year in _table() and year <= self._last_known)

    def provisional(self, day: date) -> bool:
        """Whether a notice that is not known yet may still turn `day` into working or off.

        So may all days of a year that is not announced. Of an announced year whose successor is
        not, so may those of 28 to 31 December that the next 元旦 can touch: weekend days
        (2011-12-31 and 2018-12-29 became working days), and one or two weekdays between the last
        weekend and 1 January (2018-12-31 became a day off). Ask about a nominal date as well as
        the day to which it moved: a Sunday that turns into a working day changes the deadline.
        """
        self._check(day.year)
        if not self.announced(day.year):
            return True
        if (day.month, day.day) < (12, 28) or self.announced(day.year + 1):
            return False
        new_year = date(day.year + 1, 1, 1).weekday()
        return day.weekday() >= SATURDAY or (new_year in (1, 2) and day.weekday() < new_year)

    def name(self, day: date) -> str:
        """What the day is, in Chinese: 工作日, 周六, 端午节 or 调休上班（端午节）."""
        mark = self._year(day.year).marks.get(day)
        if mark is not None:
            return f"调休上班（{mark.festival}）" if mark.working else mark.festival
        return "工作日" if day.weekday() < SATURDAY else f"周{WEEKDAYS[day.weekday()]}"

    def why(self, day: date) -> str:
        """One sentence in Chinese: the day, what it is and which source says so."""
        parts = [f"{day.isoformat()} 周{WEEKDAYS[day.weekday()]}"]
        if day in self._year(day.year).marks:
            parts.append(self.name(day))
        parts.append("工作日" if self.is_working(day) else "休息日")
        return f"{'，'.join(parts)}（{self._source(day)}）"

    def on_or_before(self, day: date) -> date:
        """`day` if it is a working day, else the last working day before it."""
        return self.shift(day, 0)

    def on_or_after(self, day: date) -> date:
        """`day` if it is a working day, else the first working day after it."""
        return day if self.is_working(day) else self.shift(day, 1)

    def shift(self, day: date, n: int) -> date:
        """The day `n` working days from `day`.

        n = 0: the last working day on or before `day` (r0). n < 0: `-n` working days before r0.
        n > 0: the n-th working day strictly after `day`. So a day off counts as belonging to the
        working day before it, and `count(day, shift(day, n)) == n` for every n.
        """
        at = day.year
        year = self._year(at)
        rank = year.running[day.toordinal() - year.first + 1] + n
        while rank < 1:
            at -= 1
            year = self._year(at)
            rank += len(year.working)
        while rank > len(year.working):
            rank -= len(year.working)
            at += 1
            year = self._year(at)
        return year.working[rank - 1]

    def count(self, a: date, b: date) -> int:
        """The number of working days in (a, b], or the negative of those in (b, a] if b < a."""
        if b < a:
            return -self.count(b, a)
        between = sum(len(self._year(y).working) for y in range(a.year, b.year))
        return between + self._so_far(b) - self._so_far(a)

    def _so_far(self, day: date) -> int:
        year = self._year(day.year)
        return year.running[day.toordinal() - year.first + 1]

    def _year(self, year: int) -> _Year:
        known = self._years.get(year)
        if known is None:
            self._check(year)
            known = self._years[year] = self._build(year)
        return known

    def _build(self, year: int) -> _Year:
        if any(y in self._notices for y in (year - 1, year, year + 1)):
            return _assemble(year, self._notices, self._last_known)
        return _built_in(year, self._last_known)

    def _source(self, day: date) -> str:
        mark = self._year(day.year).marks.get(day)
        year = day.year if mark is None else mark.year
        if year in self._notices:
            source = f"holidays/{year}.txt"
        elif self.announced(year):
            source = f"chinesecalendar {chinese_calendar.__version__} 的 {year} 年表"
        else:
            return f"{year}年放假安排未公布，按周末和固定节日推算"
        if self.provisional(day):
            return f"{source}；{day.year + 1}年放假安排未公布，元旦调休可能改变这一天"
        return source

    @staticmethod
    def _check(year: int) -> None:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError(
                f"the working-day calendar covers {FIRST_YEAR} to {LAST_YEAR}, not {year}"
            )
