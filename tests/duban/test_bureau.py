"""A plan at work: its zone, its hours, its posts, and the days that are left."""

from __future__ import annotations

import os
import time as process_time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.holidays import Notice
from config.model import Audience, Holder, Light
from duban.bureau import Bureau
from duban.deadlines import agenda, expand
from duban.facts import ItemFacts
from duban.ladder import open_now
from duban.standings import Standing, State, standing
from tests.support.ladders import CALENDAR, HOURS, at, deadlines, working_days_after
from tests.support.plans import plan_of, real_plan

SECTION, LEADER, HEAD = Audience
PROJECT = {
    "id": "p",
    "title": "经费总量包干",
    "leads": [
        {"official": "局长", "section": "财务科"},
        {"official": "副局长", "section": "组织科"},
    ],
}
BUREAU = Bureau(plan_of(projects=[PROJECT]))
ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Europe/Berlin"]
DUE = at("2023-03-24 17:30")


@pytest.fixture(params=ZONES)
def host_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The process's own time zone, set to each of several in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        process_time.tzset()
        yield request.param
    process_time.tzset()


def test_an_instant_is_shown_in_the_plan_s_zone() -> None:
    found = BUREAU.local(datetime(2023, 3, 24, 16, 30, tzinfo=UTC))
    assert found.isoformat() == "2023-03-25T00:30:00+08:00"


def test_the_plan_s_day_begins_at_its_own_midnight() -> None:
    assert BUREAU.day(datetime(2023, 3, 24, 15, 59, tzinfo=UTC)) == date(2023, 3, 24)
    assert BUREAU.day(datetime(2023, 3, 24, 16, 0, tzinfo=UTC)) == date(2023, 3, 25)


def test_office_hours_are_the_plan_s_whatever_zone_the_instant_is_in() -> None:
    assert BUREAU.open(datetime(2023, 3, 24, 0, 0, tzinfo=UTC))
    assert not BUREAU.open(datetime(2023, 3, 24, 10, 0, tzinfo=UTC))


@given(deadlines)
def test_an_opening_is_the_same_instant_from_any_zone(now: datetime) -> None:
    found = BUREAU.opening(now.astimezone(UTC))
    assert found == BUREAU.opening(now)
    assert open_now(BUREAU.local(found), CALENDAR, HOURS)
    assert (found == now) == BUREAU.open(now)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2023-03-24 08:59", "2023-03-24 09:00"),
        ("2023-03-24 09:00", "2023-03-24 09:00"),
        ("2023-03-24 17:59", "2023-03-24 17:59"),
        ("2023-03-24 18:00", "2023-03-27 09:00"),
        ("2023-03-25 10:00", "2023-03-27 09:00"),
    ],
)
def test_rungs_are_issued_from_the_reminders_hour_on(now: str, expected: str) -> None:
    instant = at(now).astimezone(UTC)
    assert BUREAU.next_reminding(instant) == at(expected)
    assert BUREAU.reminding(instant) == (now == expected)


@given(deadlines)
def test_whenever_rungs_are_issued_letters_may_go_out(now: datetime) -> None:
    found = BUREAU.next_reminding(now)
    assert found >= BUREAU.opening(now)
    assert BUREAU.open(found)


def test_a_notice_that_the_office_pasted_makes_the_working_days() -> None:
    off = Notice(2023, {date(2023, 3, 24): "校庆"}, {})
    plan = plan_of(notices={2023: off})
    assert not Bureau(plan).calendar.is_working(date(2023, 3, 24))
    assert BUREAU.calendar.is_working(date(2023, 3, 24))


def test_the_calendar_is_built_once() -> None:
    assert BUREAU.calendar is BUREAU.calendar
    assert BUREAU.hours == HOURS


def test_a_plan_s_own_ladder_is_climbed() -> None:
    ladders = {"report": [{"before": 1, "light": "yellow", "to": "section"}]}
    steps = Bureau(plan_of(ladders=ladders)).ladder("monthly", DUE, DUE)
    assert [s.at for s in steps] == [at("2023-03-23 09:00")]


def test_a_ladder_is_climbed_up_to_and_with_the_instant_asked_for() -> None:
    assert len(BUREAU.ladder("monthly", DUE, at("2023-04-06 08:59"))) == 5
    assert len(BUREAU.ladder("monthly", DUE, at("2023-04-06 09:00"))) == 6


def test_the_first_step_is_the_first_rung() -> None:
    first = BUREAU.first_step(BUREAU.plan.items["monthly"], DUE.astimezone(UTC))
    assert first == at("2023-03-17 09:00")


def test_the_section_s_rungs_go_to_no_post() -> None:
    assert BUREAU.posts("p", "财务科", SECTION) == ()


def test_the_leader_s_rungs_go_to_the_leading_posts() -> None:
    assert BUREAU.posts("p", "组织科", LEADER) == ("副局长",)
    assert BUREAU.posts("monthly", "财务科", LEADER) == ("副局长",)


def test_the_head_s_rungs_go_to_the_head_s_post() -> None:
    assert BUREAU.posts("p", "组织科", HEAD) == ("局长",)


def test_no_days_are_left_on_the_day_itself_nor_after_it() -> None:
    assert BUREAU.days_left(DUE, at("2023-03-24 00:00")) == 0
    assert BUREAU.days_left(DUE, at("2023-04-03 09:00")) == 0


def test_the_days_left_are_working_days_of_the_plan_s_zone() -> None:
    assert BUREAU.days_left(DUE, at("2023-03-22 09:00").astimezone(UTC)) == 2
    # 22 to 24 June were off, and Sunday the 25th was a working day.
    assert BUREAU.days_left(at("2023-06-25 17:30"), at("2023-06-20 23:59")) == 2


def test_nothing_is_late_at_the_deadline_itself() -> None:
    assert BUREAU.days_late(DUE, DUE) == 0


def test_on_the_deadline_s_own_evening_it_is_one_day_late() -> None:
    assert BUREAU.days_late(DUE, DUE + timedelta(minutes=1)) == 1


def test_over_a_weekend_it_stays_one_day_late() -> None:
    assert BUREAU.days_late(DUE, at("2023-03-26 12:00")) == 1
    assert BUREAU.days_late(DUE, at("2023-03-27 00:00")) == 1
    assert BUREAU.days_late(DUE, at("2023-03-28 00:00")) == 2


@given(deadlines, st.integers(-60 * 24 * 40, 60 * 24 * 40))
def test_days_are_left_or_late_never_both_and_as_counted_one_by_one(
    deadline: datetime, minutes: int
) -> None:
    now = deadline + timedelta(minutes=minutes)
    left, late = BUREAU.days_left(deadline, now), BUREAU.days_late(deadline, now)
    assert left == working_days_after(now.date(), deadline.date())
    assert (late > 0) == (now > deadline)
    assert late in {working_days_after(deadline.date(), now.date()), min(late, 1)}
    assert not (left and late)


@given(deadlines, st.integers(-60 * 24 * 40, 60 * 24 * 40))
def test_what_is_overdue_is_at_least_a_day_late(deadline: datetime, minutes: int) -> None:
    now = deadline + timedelta(minutes=minutes)
    overdue = standing(State.OPEN, deadline, False, now) is Standing.OVERDUE
    assert overdue == (BUREAU.days_late(deadline, now) > 0)


@pytest.mark.parametrize(("late", "overdue"), [(0, False), (1, True), (5, True)])
def test_an_item_of_a_letter_is_overdue_from_its_first_late_day(late: int, overdue: bool) -> None:
    facts = ItemFacts(
        key="monthly/2023-03/财务科",
        kind="report",
        title="月度工作进展",
        label="月报",
        period="2023-03",
        light=Light.RED,
        section="财务科",
        section_full="财务科",
        head="",
        nominal=date(2023, 3, 25),
        deadline=DUE,
        days_left=0,
        days_late=late,
    )
    assert facts.overdue is overdue


def test_f23_the_host_s_zone_changes_no_deadline_and_no_rung(host_zone: str) -> None:
    assert os.environ["TZ"] == host_zone
    bureau = Bureau(real_plan())
    found = agenda(bureau.plan, bureau.calendar, date(2023, 3, 1), date(2023, 3, 24))
    assert {o.deadline.isoformat() for o in found} == {"2023-03-24T17:30:00+08:00"}
    steps = bureau.ladder("monthly", found[0].deadline, at("2023-03-30 00:00"))
    assert [s.at.isoformat() for s in steps] == [
        f"2023-03-{day}T09:00:00+08:00" for day in (17, 22, 24, 27, 29)
    ]


def test_f23_the_host_s_zone_changes_no_office_hour(host_zone: str) -> None:
    assert os.environ["TZ"] == host_zone
    bureau = Bureau(plan_of())
    assert bureau.open(datetime(2023, 3, 24, 9, 59, tzinfo=UTC))
    opening = bureau.opening(datetime(2023, 3, 24, 10, 0, tzinfo=UTC))
    assert opening.isoformat() == "2023-03-27T08:00:00+08:00"


def test_f23_a_naive_override_is_the_plan_s_time_whatever_the_host_s_zone(host_zone: str) -> None:
    assert os.environ["TZ"] == host_zone
    decided = {"item": "monthly", "period": "2023-02", "deadline": "2023-02-27 12:00"}
    plan = plan_of(overrides=[decided])
    (first, *_) = expand(plan, CALENDAR, date(2023, 2, 28))
    assert first.deadline.isoformat() == "2023-02-27T12:00:00+08:00"


def test_f23_a_plan_s_days_keep_their_hour_over_its_summer_time() -> None:
    plan = plan_of(about={"timezone": "Europe/Berlin"})
    hours = {o.deadline.isoformat()[10:] for o in expand(plan, CALENDAR, date(2023, 5, 1))}
    assert hours == {"T17:30:00+01:00", "T17:30:00+02:00"}


def test_a_promoted_official_does_not_take_the_old_post_with_him() -> None:
    plan = plan_of()
    heir = Holder.model_validate(
        {"name": "陈军宣", "email": "fujuzhang@edu.example", "from": "2023-03-01"}
    )
    promoted = plan.with_holder("局长", heir)
    assert promoted.official("陈军宣").post == "副局长"
    assert promoted.head.holder(date(2023, 3, 1)).name == "陈军宣"
