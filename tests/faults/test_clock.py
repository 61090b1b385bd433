"""A clock that jumps by more than a day, in either direction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from jobs.remind import remind
from jobs.status import JUMP, TICK, status
from ledger import plans
from scheduler.jumps import ClockWatch
from tests.support.ledgers import CAIWU, Desk, at, told

_OFFICE, _DEPUTY, _SECTION = "office@edu.example", "deputy@edu.example", "caiwu@edu.example"


@dataclass
class Wrong:
    """A clock that can be set while time passes as ever."""

    true: datetime
    off: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return self.true + self.off

    def elapsed(self) -> timedelta:
        return self.true - at("01-01 00:00")


@dataclass
class Watched:
    """A desk whose clock is watched as the daemon does."""

    desk: Desk
    clock: Wrong
    watch: ClockWatch

    def beat(self, true: str | None = None) -> list[tuple[str, str]]:
        """What goes out at the true time, by whatever the clock says."""
        if true is not None:
            self.clock.true = at(true).astimezone(UTC)
        self.desk.clock.instant = self.clock.now()
        doubted = self.watch.look(self.desk.bureaus.values())
        remind(self.desk.ledger, self.desk.bureaus, self.desk.now, doubted=doubted)
        with self.desk.ledger.write() as connection:
            plans.set_mark(connection, TICK, self.desk.now.isoformat(), self.desk.now)
        return told(self.desk.deliver())

    def restart(self) -> None:
        self.watch = ClockWatch(self.desk.ledger, self.clock)


@pytest.fixture
def watched(desk: Desk) -> Watched:
    """A desk where 财务科 was reminded three times of a report that is due on Friday 24 March."""
    clock = Wrong(at("03-17 09:00").astimezone(UTC))
    made = Watched(desk, clock, ClockWatch(desk.ledger, clock))
    for hour in ("03-17 09:00", "03-22 09:00", "03-24 09:00"):
        assert [kind for kind, _ in made.beat(hour)] == ["reminder"]
    return made


def _forward(watched: Watched) -> list[tuple[str, str]]:
    """On Friday 24 March at 10:00 the clock says Monday 27, 10:00: past the escalation's hour."""
    watched.clock.off = timedelta(days=3)
    return watched.beat("03-24 10:00")


def test_f21_a_jump_forward_over_the_deadline_alarms_no_official(watched: Watched) -> None:
    sent = _forward(watched)
    assert [kind for kind, _ in sent] == ["notice", "reminder"]
    assert _DEPUTY not in dict(sent).values()
    (held,) = watched.desk.events("escalation.held")
    assert "the machine's clock jumped" in held.data["reason"]
    assert held.data["audience"] == "leader"


def test_f21_the_office_is_told_at_once_and_status_says_until_when(watched: Watched) -> None:
    _forward(watched)
    (notice,) = watched.desk.letters("notice")
    assert "系统时钟跳变" in notice.subject
    with watched.desk.ledger.read() as connection:
        found = status(connection, watched.desk.now)
    assert found.doubted_until == at("03-28 09:00")
    (line,) = watched.desk.events("clock.jumped")
    assert line.data["seconds"] == 3 * 86_400


def test_f21_a_clock_that_was_right_after_all_is_believed_on_the_next_working_morning(
    watched: Watched,
) -> None:
    _forward(watched)
    assert watched.beat("03-25 08:59") == []
    assert [kind for kind, _ in watched.beat("03-25 09:00")] == ["escalation"]


def test_f21_the_doubt_outlives_a_restart(watched: Watched) -> None:
    _forward(watched)
    watched.restart()
    assert watched.beat("03-24 10:30") == []
    assert watched.watch.look([]) == at("03-28 09:00")


def test_f21_a_clock_put_right_again_repeats_nothing_and_goes_on_in_time(watched: Watched) -> None:
    _forward(watched)
    watched.clock.off = timedelta()
    assert [kind for kind, _ in watched.beat("03-24 11:00")] == ["notice"]
    assert watched.desk.row(CAIWU).next_action_at <= at("03-27 09:00")
    assert watched.beat("03-26 11:00") == []
    # the section heard of the overdue report under the wrong clock; the official hears in time
    assert [kind for kind, _ in watched.beat("03-27 09:00")] == ["escalation"]


def test_f21_what_a_clock_far_ahead_put_off_for_years_is_looked_at_as_soon_as_it_is_right(
    watched: Watched,
) -> None:
    watched.clock.off = timedelta(days=3000)
    watched.beat("03-24 10:00")
    far = watched.desk.row(CAIWU).next_action_at
    assert far > at("2030-01-01 00:00")
    watched.clock.off = timedelta()
    watched.beat("03-24 10:05")
    assert watched.desk.row(CAIWU).next_action_at < far - timedelta(days=2900)
    assert all(row.due_at is None for row in watched.desk.letters() if row.state != "queued")
    assert all(
        row.due_at <= at("03-24 10:05") for row in watched.desk.letters() if row.state == "queued"
    )


def test_f21_a_clock_behind_the_last_tick_at_the_start_is_noticed(watched: Watched) -> None:
    watched.restart()
    watched.clock.off = timedelta(days=-2)
    watched.beat("03-24 12:00")
    (line,) = watched.desk.events("clock.jumped")
    assert line.data["seconds"] < -86_400


def test_f21_a_day_of_summer_time_drift_or_outage_is_no_jump(watched: Watched) -> None:
    watched.clock.off = timedelta(hours=1)
    watched.beat("03-24 10:00")
    watched.restart()
    assert [kind for kind, _ in watched.beat("03-27 09:00")] == ["reminder", "escalation"]
    assert watched.desk.mark(JUMP) is None
