"""The periods that overrides may name are those for which obligations are made."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config import periods
from config.loader import load_plan
from config.plan import Plan
from duban import deadlines
from tests.support.small_plan import changed, save

ROOT = Path(__file__).parents[2]


def _both(plan: Plan) -> list[tuple[list[str], list[str]]]:
    until = date(2027, 12, 31)
    years = range(2020, until.year + 1)
    return [
        (
            [period for period, _ in periods.nominal_dates(item, plan.about, years)],
            deadlines.periods(plan, item, until),
        )
        for item in plan.items.values()
    ]


def test_the_real_plan_has_the_same_periods_on_both_sides() -> None:
    plan = load_plan(ROOT / "config" / "quanzhou-2023").plan
    assert plan is not None
    assert all(named == owed for named, owed in _both(plan))


@pytest.mark.parametrize(
    "due",
    [
        "{monthly: last}",
        "{monthly: 31}",
        "{yearly: 02-29}",
        "{yearly: [03-01, 03-15]}",
        "{yearly: [12-31, 01-01]}",
    ],
)
def test_every_way_to_fall_due_has_the_same_periods_on_both_sides(tmp_path: Path, due: str) -> None:
    plan = load_plan(save(tmp_path, changed("{yearly: [03-25, 09-25]}", due))).plan
    assert plan is not None
    assert all(named == owed for named, owed in _both(plan))
