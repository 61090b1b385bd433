"""A month as a calendar: its weeks from Monday on, what each day is, and what is due on it."""

from __future__ import annotations

from calendar import Calendar
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from board.wall import Mark, ordered
from duban.calendar import WorkCalendar
from jobs.wall import Posted

WEEKDAYS: Final = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Day:
    """One day: `word` names a holiday or make-up day, `marks` count what is due on it.

    `kind` is `off`, `working` (a make-up day) or empty; `label` says all of it in words.
    """

    day: date
    kind: str
    word: str
    marks: tuple[tuple[Mark, int], ...]
    label: str


def weeks(
    first: date, due: Iterable[tuple[Posted, Mark]], calendar: WorkCalendar
) -> list[list[Day | None]]:
    """The weeks of the month that begins with `first`; None for a day of another month."""
    by_day: dict[date, list[Mark]] = {}
    for one, mark in due:
        by_day.setdefault(one.deadline.date(), []).append(mark)
    return [
        [
            _day(day, by_day.get(day, ()), calendar) if day.month == first.month else None
            for day in w
        ]
        for w in Calendar().monthdatescalendar(first.year, first.month)
    ]


def _day(day: date, marks: Sequence[Mark], calendar: WorkCalendar) -> Day:
    working, name = calendar.is_working(day), calendar.name(day)
    plain = name == "工作日" or name.startswith("周")
    kind = "off" if not working else "" if plain else "working"
    counted = ordered(Counter(marks))
    said = [f"{day.month}月{day.day}日", "" if plain else name]
    said += [f"{mark.word}{count}项" for mark, count in counted]
    word = "" if plain else "班" if working else name
    return Day(day, kind, word, counted, "，".join(filter(None, said)))
