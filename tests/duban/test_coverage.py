"""When the office is told that a year's holidays are not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from config.holidays import Notice
from config.loader import load_plan
from config.plan import Plan
from duban.calendar import WorkCalendar
from duban.coverage import coverage_warnings
from tests.support.small_plan import PLAN, changed, save


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan without an end."""
    loaded = load_plan(save(tmp_path, changed("  ends: 2023-12-31\n", "")))
    assert loaded.plan is not None
    return loaded.plan


UNKNOWN = next(year for year in range(2024, 2100) if not WorkCalendar({}).announced(year))
"""The first year that neither a notice nor the calendar's own table knows."""


def test_next_year_is_no_worry_before_november(plan: Plan) -> None:
    assert coverage_warnings(plan, date(UNKNOWN - 1, 10, 31)) == []


def test_f25_from_november_on_an_unknown_next_year_is_a_warning(plan: Plan) -> None:
    (warning,) = coverage_warnings(plan, date(UNKNOWN - 1, 11, 1))
    assert (warning.severity, warning.file) == ("warning", f"holidays/{UNKNOWN}.txt")
    assert f"the holidays of {UNKNOWN} are not known" in warning.message


def test_f25_an_unknown_year_that_has_begun_is_a_warning(plan: Plan) -> None:
    (warning,) = coverage_warnings(plan, date(UNKNOWN, 3, 1))
    assert warning.file == f"holidays/{UNKNOWN}.txt"


def test_a_notice_ends_the_warning(plan: Plan) -> None:
    known = replace(plan, notices={UNKNOWN: Notice(UNKNOWN, {}, {})})
    assert coverage_warnings(known, date(UNKNOWN - 1, 12, 1)) == []


def test_a_plan_that_has_ended_needs_no_holidays(tmp_path: Path) -> None:
    plan = load_plan(save(tmp_path)).plan
    assert plan is not None
    assert coverage_warnings(plan, date(UNKNOWN, 1, 1)) == []


def test_a_plan_that_has_not_begun_needs_its_first_year(tmp_path: Path) -> None:
    text = PLAN.replace("starts: 2023", f"starts: {UNKNOWN}").replace("  ends: 2023-12-31\n", "")
    text = text.replace("month: 2023-02", f"month: {UNKNOWN}-02")
    plan = load_plan(save(tmp_path, text)).plan
    assert plan is not None
    (warning,) = coverage_warnings(plan, date(UNKNOWN - 2, 12, 1))
    assert warning.file == f"holidays/{UNKNOWN}.txt"
