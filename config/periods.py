"""The periods of an item: how they are named, and the date in the plan of each."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from datetime import date

from config.model import About, Due, Item, Milestone, Project, Rule


def nominal_dates(item: Item, about: About, years: Iterable[int]) -> list[tuple[str, date]]:
    """Each period of `item` in `years` with its nominal date, in order, within what the plan runs.

    Days are of the plan's time zone. An undated project has none.
    """
    if not isinstance(item, Rule):
        day = nominal_day(item)
        return [] if day is None else [(f"{day:%Y-%m}", day)]
    found = (pair for year in sorted(set(years)) for pair in of_year(item.due, year))
    return [(period, day) for period, day in found if _within(item, about, day)]


def nominal_day(item: Item) -> date | None:
    """The date in the plan of a milestone or project: a month means its last day.

    A milestone with both a month and a day, which is a mistake, has none.
    """
    if isinstance(item, Milestone) and item.month is not None:
        if item.on is not None:
            return None
        return clamped(int(item.month[:4]), int(item.month[5:]), 31)
    return item.on if isinstance(item, Milestone | Project) else None


def _within(rule: Rule, about: About, day: date) -> bool:
    month = f"{day.year:04d}-{day.month:02d}"
    if (rule.since is not None and month < rule.since) or (rule.until or "9999-12") < month:
        return False
    return about.starts <= day and (about.ends is None or day <= about.ends)


def of_year(due: Due, year: int) -> Iterator[tuple[str, date]]:
    """A rule's periods in one year with their nominal dates, whether the plan runs or not."""
    if due.monthly is not None:
        for month in range(1, 13):
            day = clamped(year, month, 31 if due.monthly == "last" else due.monthly)
            yield f"{day:%Y-%m}", day
        return
    yearly = due.yearly or ()
    form = "%Y" if len(yearly) == 1 else "%Y-%m"
    if len({text[:2] for text in yearly}) < len(yearly):
        form = "%Y-%m-%d"
    for text in sorted(yearly):
        day = clamped(year, int(text[:2]), int(text[3:]))
        yield f"{day:{form}}", day


def clamped(year: int, month: int, day: int) -> date:
    """The day of the month, or the month's last where it has no such day (31 April)."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
