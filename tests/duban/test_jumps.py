"""When a clock that jumped is noticed, and when it is believed again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.bureau import Bureau
from duban.jumps import believed_again, jump
from tests.support.ledgers import at, one_report

_DAYS = st.timedeltas(timedelta(0), timedelta(days=400))


@given(_DAYS)
def test_f21_a_clock_that_goes_with_the_time_never_jumps(passed: timedelta) -> None:
    assert jump(passed, passed) is None


@given(_DAYS, st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_f21_more_than_a_day_either_way_is_a_jump(passed: timedelta, off: timedelta) -> None:
    expected = off if abs(off) > timedelta(days=1) else None
    assert jump(passed + off, passed) == expected


@pytest.mark.parametrize(
    ("jumped", "believed"),
    [
        ("03-20 10:00", "03-21 09:00"),
        ("03-20 23:59", "03-21 09:00"),
        ("03-17 10:00", "03-20 09:00"),
        ("03-18 10:00", "03-20 09:00"),
    ],
)
def test_f21_a_clock_is_believed_again_on_the_next_working_morning(
    jumped: str, believed: str
) -> None:
    assert believed_again([Bureau(one_report())], at(jumped)) == at(believed)


def test_f21_without_a_plan_there_is_nobody_to_wait_for() -> None:
    now: datetime = at("03-20 10:00")
    assert believed_again([], now) == now
