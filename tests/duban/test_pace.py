"""A relay's limit is kept in every minute, whoever sends and however late within the margin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from duban.pace import MARGIN, MINUTE, interval, missed, turns

START = datetime(2023, 3, 17, 1, tzinfo=UTC)
PAUSES = st.lists(st.floats(0, 200), min_size=1, max_size=12)
LATENESS = st.lists(st.floats(0, MARGIN.total_seconds()), min_size=1, max_size=40)


@given(per_minute=st.integers(1, 600), pauses=PAUSES, batch=st.integers(1, 50), late=LATENESS)
def test_no_minute_holds_more_letters_than_the_relay_takes(
    per_minute: int, pauses: list[float], batch: int, late: list[float]
) -> None:
    now, free, left = START, None, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        taken = turns(free, now, now + timedelta(minutes=3), per_minute, batch)
        free = taken[-1] + interval(per_minute) if taken else free
        left += taken
    sent = sorted(t + timedelta(seconds=late[i % len(late)]) for i, t in enumerate(left))
    for first, beyond in zip(sent, sent[per_minute:], strict=False):
        assert beyond - first >= MINUTE


@given(per_minute=st.integers(1, 600), batch=st.integers(1, 50))
def test_turns_begin_at_once_and_end_with_the_time_that_is_allowed(
    per_minute: int, batch: int
) -> None:
    until = START + timedelta(seconds=100)
    taken = turns(None, START, until, per_minute, batch)
    assert taken[0] == START
    assert taken[-1] <= until
    assert len(taken) == batch or taken[-1] + interval(per_minute) > until


def test_there_is_no_turn_while_others_have_them_all() -> None:
    assert turns(START + timedelta(minutes=9), START, START + timedelta(minutes=3), 60, 5) == []


def test_a_turn_is_missed_only_after_the_margin() -> None:
    assert not missed(START, START + MARGIN)
    assert missed(START, START + MARGIN + timedelta(microseconds=1))
