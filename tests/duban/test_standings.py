"""How an obligation stands at an instant, and the word for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.standings import Standing, State, standing

DUE = datetime(2023, 3, 24, 9, 30, tzinfo=UTC)
BEFORE = DUE - timedelta(seconds=1)
AFTER = DUE + timedelta(seconds=1)
SETTLED = {
    State.SUBMITTED: Standing.SUBMITTED,
    State.EXEMPT: Standing.EXEMPT,
    State.BEFORE: Standing.BEFORE,
    State.DROPPED: Standing.DROPPED,
}
seconds = st.integers(-(10**7), 10**7).map(lambda n: DUE + timedelta(seconds=n))


def test_an_open_obligation_is_pending_until_its_deadline() -> None:
    assert standing(State.OPEN, DUE, False, BEFORE) is Standing.PENDING


def test_the_deadline_itself_is_still_in_time() -> None:
    assert standing(State.OPEN, DUE, False, DUE) is Standing.PENDING


def test_an_open_obligation_is_overdue_after_its_deadline() -> None:
    assert standing(State.OPEN, DUE, False, AFTER) is Standing.OVERDUE


def test_a_returned_obligation_is_returned_until_its_deadline_and_then_overdue() -> None:
    assert standing(State.RETURNED, DUE, False, DUE) is Standing.RETURNED
    assert standing(State.RETURNED, DUE, False, AFTER) is Standing.OVERDUE


@given(seconds)
def test_what_was_accepted_stays_on_time_or_late_for_good(now: datetime) -> None:
    assert standing(State.ACCEPTED, DUE, False, now) is Standing.ON_TIME
    assert standing(State.ACCEPTED, DUE, True, now) is Standing.LATE


@pytest.mark.parametrize(("state", "expected"), SETTLED.items())
@given(now=seconds, late=st.booleans())
def test_other_states_do_not_depend_on_the_clock(
    state: State, expected: Standing, now: datetime, late: bool
) -> None:
    assert standing(state, DUE, late, now) is expected


@given(st.sampled_from(State), st.booleans(), seconds)
def test_only_what_is_owed_can_be_overdue(state: State, late: bool, now: datetime) -> None:
    found = standing(state, DUE, late, now)
    assert (found is Standing.OVERDUE) == (state.owed and now > DUE)


def test_open_and_returned_are_owed_and_nothing_else_is() -> None:
    assert [state for state in State if state.owed] == [State.OPEN, State.RETURNED]


def test_each_standing_has_its_own_word() -> None:
    assert {s.value: s.chinese for s in Standing} == {
        "pending": "未到期",
        "submitted": "待核",
        "on_time": "按时",
        "late": "迟报",
        "overdue": "逾期",
        "exempt": "免报",
        "returned": "退回",
        "before": "此前",
        "dropped": "撤销",
    }
