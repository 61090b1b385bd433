"""Warnings of a year whose holidays nobody has announced yet, for `duban check`."""

from __future__ import annotations

from datetime import date

from config.plan import Plan
from config.problems import Problem
from duban.calendar import WorkCalendar

_WARN_FROM_MONTH = 11
"""The State Council announces a year's holidays in November of the year before."""


def coverage_warnings(plan: Plan, today: date) -> list[Problem]:
    """A warning for each year that matters by `today` (the plan's zone) and is not announced.

    That is the year of `today`, or the plan's first where it has not begun, and from 1 November on
    the year after: reminders of December's deadlines may fall into it, wherever the plan ends.
    """
    day = max(today, plan.about.starts)
    ends = plan.about.ends
    if ends is not None and day > ends:
        return []
    years = [day.year]
    if today.year == day.year and today.month >= _WARN_FROM_MONTH:
        years.append(day.year + 1)
    calendar = WorkCalendar(plan.notices)
    return [_warning(year) for year in years if not calendar.announced(year)]


def _warning(year: int) -> Problem:
    message = (
        f"the holidays of {year} are not known, so its deadlines are provisional (未公布); "
        "paste the State Council's notice into this file"
    )
    return Problem(f"holidays/{year}.txt", 1, 1, message, "warning")
