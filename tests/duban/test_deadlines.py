"""From the plan to obligations: who owes what, for which period, by which instant."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Adjust, Kind
from config.plan import Plan
from duban.calendar import WorkCalendar
from duban.deadlines import (
    Obligation,
    adjust,
    agenda,
    expand,
    instant,
    key_of,
    leading_posts,
    owing,
    periods,
)
from tests.support.plans import OFFICE, REASON, SECTIONS, plan_of, real_plan, rule

CALENDAR = WorkCalendar()
END = date(2023, 12, 31)
SATURDAY = date(2023, 2, 25)
MILESTONE = {"id": "m", "title": "召开动员部署会", "month": "2023-04", "sections": ["财务科"]}
LEADS = [
    {"official": "局长", "section": "财务科"},
    {"official": "陈军宣", "section": "初教科"},
    {"official": "副局长", "section": "初幼教科"},
]
PROJECT = {"id": "p", "title": "经费总量包干", "leads": LEADS}


def made(plan: Plan, until: date = END) -> list[Obligation]:
    return expand(plan, CALENDAR, until)


def by_section(plan: Plan, until: date = END) -> dict[str, Obligation]:
    found = made(plan, until)
    assert len({o.section for o in found}) == len(found), "a plan of one period is meant"
    return {o.section: o for o in found}


def only(plan: Plan, until: date = END) -> Obligation:
    (found,) = made(plan, until)
    return found


def nominals(plan: Plan, until: date = END) -> list[str]:
    return [o.nominal.isoformat() for o in made(plan, until)]


def special(*overrides: dict[str, Any], **more: Any) -> dict[str, Obligation]:
    """What becomes of a report that all owe on 2023-09-25 after the office's decisions."""
    one = rule({"yearly": "09-25"}, id="special", sections="all", until="2023-09", **more)
    ruled = [{"item": "special", "period": "2023"} | o for o in overrides]
    return by_section(plan_of(rules=[one], overrides=ruled))


# --- nominal dates and periods


def test_a_monthly_rule_falls_due_in_every_month_from_the_plan_s_first_day() -> None:
    plan = plan_of(rules=[rule({"monthly": 25})])
    assert nominals(plan) == [f"2023-{month:02d}-25" for month in range(2, 13)]


def test_a_plan_that_starts_after_the_day_begins_with_the_next_month() -> None:
    plan = plan_of(about={"starts": "2023-02-26"}, rules=[rule({"monthly": 25})])
    assert nominals(plan)[0] == "2023-03-25"


def test_a_plan_that_starts_on_the_day_begins_with_it() -> None:
    plan = plan_of(about={"starts": "2023-02-25"}, rules=[rule({"monthly": 25})])
    assert nominals(plan)[0] == "2023-02-25"


def test_a_plan_that_ends_on_the_day_still_owes_it() -> None:
    plan = plan_of(about={"ends": "2023-06-25"}, rules=[rule({"monthly": 25})])
    assert nominals(plan, date(2024, 12, 31))[-1] == "2023-06-25"


def test_a_plan_that_ends_before_the_day_does_not_owe_it() -> None:
    plan = plan_of(about={"ends": "2023-06-24"}, rules=[rule({"monthly": 25})])
    assert nominals(plan, date(2024, 12, 31))[-1] == "2023-05-25"


def test_a_rule_holds_from_its_first_period_to_its_last_both_included() -> None:
    plan = plan_of(rules=[rule({"monthly": 25}, **{"from": "2023-04", "until": "2023-06"})])
    assert nominals(plan) == ["2023-04-25", "2023-05-25", "2023-06-25"]


def test_nothing_is_expanded_beyond_the_day_asked_for() -> None:
    plan = plan_of(rules=[rule({"monthly": 25})])
    assert nominals(plan, date(2023, 4, 24)) == ["2023-02-25", "2023-03-25"]
    assert nominals(plan, date(2023, 4, 25))[-1] == "2023-04-25"


def test_a_monthly_period_is_its_month() -> None:
    plan = plan_of(rules=[rule({"monthly": 25})])
    assert periods(plan, plan.items["r"], date(2023, 4, 30)) == ["2023-02", "2023-03", "2023-04"]


def test_the_period_of_one_day_a_year_is_the_year() -> None:
    plan = plan_of(rules=[rule({"yearly": "12-20"})])
    assert periods(plan, plan.items["r"], date(2025, 12, 31)) == ["2023", "2024", "2025"]


def test_the_period_of_several_days_a_year_is_the_month_of_each() -> None:
    plan = plan_of(rules=[rule({"yearly": ["09-25", "03-25"]})])
    assert periods(plan, plan.items["r"], END) == ["2023-03", "2023-09"]


def test_the_period_of_several_days_in_one_month_is_the_day() -> None:
    plan = plan_of(rules=[rule({"yearly": ["03-10", "03-25", "09-25"]})])
    assert periods(plan, plan.items["r"], END) == ["2023-03-10", "2023-03-25", "2023-09-25"]


def test_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    plan = plan_of(rules=[rule({"monthly": 31})])
    assert nominals(plan, date(2023, 4, 30)) == ["2023-02-28", "2023-03-31", "2023-04-30"]


def test_the_last_day_of_a_month_may_be_asked_for_by_name() -> None:
    plan = plan_of(rules=[rule({"monthly": "last"})])
    assert nominals(plan, date(2024, 2, 29))[-3:] == ["2023-12-31", "2024-01-31", "2024-02-29"]


def test_the_29th_of_february_is_the_28th_except_in_leap_years() -> None:
    plan = plan_of(rules=[rule({"yearly": "02-29"})])
    assert nominals(plan, date(2025, 12, 31)) == ["2023-02-28", "2024-02-29", "2025-02-28"]


@given(
    day=st.one_of(st.integers(1, 31), st.just("last")),
    starts=st.dates(date(2020, 1, 1), date(2060, 1, 1)),
    months=st.integers(1, 60),
)
def test_f26_every_month_has_its_day_or_its_last_one(
    day: int | str, starts: date, months: int
) -> None:
    starts = starts.replace(day=1)
    plan = plan_of(about={"starts": starts.isoformat()}, rules=[rule({"monthly": day})])
    month, expected = starts, []
    for _ in range(months):
        following = (month + timedelta(days=31)).replace(day=1)
        last = following - timedelta(days=1)
        expected.append(last if day == "last" else last.replace(day=min(int(day), last.day)))
        month = following
    found = made(plan, month - timedelta(days=1))
    assert [o.nominal for o in found] == expected
    assert [o.period for o in found] == [f"{d.year}-{d.month:02d}" for d in expected]


@given(
    days=st.lists(st.dates(date(2024, 1, 1), date(2024, 12, 31)), min_size=1, unique=True),
    year=st.integers(2020, 2060),
)
def test_f26_every_day_of_a_year_comes_once_in_each_year(days: list[date], year: int) -> None:
    written = [f"{d:%m-%d}" for d in days]
    plan = plan_of(about={"starts": f"{year}-01-01"}, rules=[rule({"yearly": written})])
    found = made(plan, date(year + 1, 12, 31))
    assert len({o.key for o in found}) == len(found) or {"02-28", "02-29"} <= set(written)
    per_year = Counter(o.nominal.year for o in found)
    assert per_year == {year: len(days), year + 1: len(days)}


def test_f26_a_deadline_on_new_year_s_day_falls_due_in_the_old_year() -> None:
    plan = plan_of(rules=[rule({"yearly": "01-01"})])
    one = only(plan, date(2024, 1, 1))
    assert (one.period, one.deadline.date()) == ("2024", date(2023, 12, 29))


def test_an_agenda_finds_what_moved_into_it_over_the_year_s_end() -> None:
    plan = plan_of(rules=[rule({"yearly": "01-01"})])
    found = agenda(plan, CALENDAR, date(2023, 12, 1), date(2023, 12, 31))
    assert [o.period for o in found] == ["2024"]


def test_a_milestone_of_a_month_is_due_on_its_last_working_day() -> None:
    one = only(plan_of(rules=[], milestones=[MILESTONE]))
    assert (one.period, one.nominal, one.adjusted) == (
        "2023-04",
        date(2023, 4, 30),
        date(2023, 4, 28),
    )


def test_a_milestone_of_a_day_is_due_on_it() -> None:
    dated = {**MILESTONE, "month": None, "on": "2023-04-12"}
    one = only(plan_of(rules=[], milestones=[dated]))
    assert (one.kind, one.period, one.nominal) == (Kind.MILESTONE, "2023-04", date(2023, 4, 12))


def test_a_milestone_beyond_the_day_asked_for_waits() -> None:
    plan = plan_of(rules=[], milestones=[MILESTONE])
    assert made(plan, date(2023, 4, 29)) == []


def test_a_project_without_a_date_owes_nothing() -> None:
    assert made(plan_of(rules=[], projects=[PROJECT])) == []


def test_a_dated_project_is_owed_by_each_of_its_sections_once() -> None:
    found = made(plan_of(rules=[], projects=[{**PROJECT, "on": "2023-10-12"}]))
    assert [(o.kind, o.key) for o in found] == [
        (Kind.PROJECT, "p/2023-10/财务科"),
        (Kind.PROJECT, "p/2023-10/初幼教科"),
    ]


# --- who owes, and who leads


def test_all_means_every_section_but_the_office() -> None:
    plan = plan_of(rules=[rule({"monthly": 25}, sections="all")])
    assert owing(plan, plan.items["r"]) == SECTIONS


def test_all_leaves_out_the_excluded_by_any_of_their_names() -> None:
    plan = plan_of(rules=[rule({"monthly": 25}, sections="all", excluding=["初教科", "财务科"])])
    assert owing(plan, plan.items["r"]) == ("组织科",)


def test_the_office_owes_where_it_is_named() -> None:
    plan = plan_of(rules=[rule({"monthly": 25}, sections=[OFFICE, "财务科"])])
    assert owing(plan, plan.items["r"]) == (OFFICE, "财务科")


def test_a_section_named_by_two_of_its_names_owes_once() -> None:
    plan = plan_of(rules=[rule({"monthly": 25}, sections=["初教科", "初等教育与学前教育科"])])
    assert owing(plan, plan.items["r"]) == ("初幼教科",)


def test_a_milestone_that_names_nobody_is_the_office_s() -> None:
    plan = plan_of(rules=[], milestones=[{**MILESTONE, "sections": []}])
    assert only(plan).section == OFFICE


def test_a_report_is_led_by_its_section_s_official() -> None:
    plan = plan_of()
    assert leading_posts(plan, plan.items["monthly"], "初幼教科") == ("副局长",)


def test_a_report_of_a_section_without_an_official_is_led_by_the_head() -> None:
    plan = plan_of()
    assert leading_posts(plan, plan.items["monthly"], "组织科") == ("局长",)


def test_a_project_s_leads_are_paired_with_their_sections_and_named_once() -> None:
    plan = plan_of(rules=[], projects=[{**PROJECT, "on": "2023-10-12"}])
    assert {o.section: o.posts for o in made(plan)} == {
        "财务科": ("局长",),
        "初幼教科": ("副局长",),
    }


def test_a_milestone_is_led_as_its_project_is() -> None:
    plan = plan_of(projects=[PROJECT], milestones=[{**MILESTONE, "project": "p"}])
    assert leading_posts(plan, plan.items["m"], "财务科") == ("局长",)


def test_a_section_outside_its_milestone_s_project_answers_to_all_its_leads() -> None:
    plan = plan_of(projects=[PROJECT], milestones=[{**MILESTONE, "project": "p"}])
    assert leading_posts(plan, plan.items["m"], "组织科") == ("局长", "副局长")


def test_a_milestone_of_a_rule_or_of_no_project_is_led_as_its_section_is() -> None:
    plan = plan_of(milestones=[MILESTONE, {**MILESTONE, "id": "m2", "project": "monthly"}])
    assert leading_posts(plan, plan.items["m"], "财务科") == ("副局长",)
    assert leading_posts(plan, plan.items["m2"], "财务科") == ("副局长",)


# --- the working day and the hour


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (Adjust.EARLIER, date(2023, 2, 24)),
        (Adjust.LATER, date(2023, 2, 27)),
        (Adjust.NONE, SATURDAY),
    ],
)
def test_a_day_off_moves_as_the_item_says(way: Adjust, expected: date) -> None:
    one = rule({"monthly": 25}, adjust=way.value, until="2023-02")
    assert only(plan_of(rules=[one])).adjusted == expected


@pytest.mark.parametrize("way", Adjust)
def test_a_working_sunday_stays_whatever_a_day_off_does(way: Adjust) -> None:
    assert adjust(CALENDAR, date(2023, 6, 25), way) == date(2023, 6, 25)


@given(day=st.dates(date(2020, 1, 1), date(2060, 12, 31)), way=st.sampled_from(Adjust))
def test_a_nominal_date_moves_over_days_off_only(day: date, way: Adjust) -> None:
    moved = adjust(CALENDAR, day, way)
    off = abs((moved - day).days)
    step = timedelta(days=1 if moved > day else -1)
    assert not any(CALENDAR.is_working(day + step * n) for n in range(off))
    assert way is Adjust.NONE or CALENDAR.is_working(moved)
    assert {Adjust.EARLIER: moved <= day, Adjust.LATER: moved >= day}.get(way, moved == day)


def test_the_hour_is_the_plan_s_in_the_plan_s_zone() -> None:
    plan = plan_of(about={"deadline_time": "12:00"}, rules=[rule({"yearly": "09-25"})])
    assert only(plan).deadline.isoformat() == "2023-09-25T12:00:00+08:00"


def test_an_item_may_have_an_hour_of_its_own() -> None:
    one = only(plan_of(rules=[rule({"yearly": "09-25"}, time="9:30")]))
    assert one.deadline.isoformat() == "2023-09-25T09:30:00+08:00"


def test_an_obligation_carries_what_the_office_has_to_confirm() -> None:
    one = only(plan_of(rules=[rule({"yearly": "09-25"}, to_confirm="按9月25日当天计")]))
    assert one.to_confirm == ("按9月25日当天计",)


# --- provisional


@pytest.mark.parametrize(
    ("nominal", "last_known", "expected"),
    [
        ("2023-09-25", 2023, False),
        ("2023-09-25", 2022, True),
        # A Sunday, off as far as is known; the notice of 2024 may yet make it a working day.
        ("2023-12-31", 2023, True),
        ("2023-12-31", 2024, False),
    ],
)
def test_f25_a_deadline_is_provisional_until_all_days_it_rests_on_are_announced(
    nominal: str, last_known: int, expected: bool
) -> None:
    plan = plan_of(rules=[rule({"yearly": nominal[5:]}, until="2023-12")])
    (one,) = expand(plan, WorkCalendar(last_known=last_known), END)
    assert one.provisional is expected


@pytest.mark.parametrize("way", Adjust)
def test_f25_a_date_in_an_unknown_year_is_provisional_wherever_it_moves(way: Adjust) -> None:
    plan = plan_of(rules=[rule({"yearly": "01-01"}, adjust=way.value, until="2024-01")])
    (one,) = expand(plan, WorkCalendar(last_known=2023), date(2024, 1, 1))
    assert one.provisional


def test_f25_a_new_year_s_day_that_is_not_announced_is_enough_to_be_provisional() -> None:
    plan = plan_of(rules=[rule({"yearly": "01-01"}, **{"from": "2027-01", "until": "2027-01"})])
    calendar = WorkCalendar(last_known=2026)
    (one,) = expand(plan, calendar, date(2027, 1, 1))
    # A Thursday that the notice of 2027 will not touch; the Friday after it is only a guess.
    assert (one.adjusted, calendar.provisional(one.adjusted)) == (date(2026, 12, 31), False)
    assert one.provisional


def test_f25_a_move_forward_into_an_unknown_year_is_provisional() -> None:
    plan = plan_of(rules=[rule({"monthly": "last"}, adjust="later", **{"from": "2023-09"})])
    (first, *_) = expand(plan, WorkCalendar(last_known=2022), date(2023, 9, 30))
    assert first.provisional
    (first, *_) = expand(plan, WorkCalendar(last_known=2023), date(2023, 9, 30))
    assert (first.provisional, first.adjusted) == (False, date(2023, 10, 7))


def test_a_deadline_that_the_office_has_set_is_not_provisional() -> None:
    plan = plan_of(
        rules=[rule({"yearly": "09-25"})],
        overrides=[{"item": "r", "period": "2023", "deadline": "2023-09-28"}],
    )
    (one,) = expand(plan, WorkCalendar(last_known=2022), END)
    assert not one.provisional


# --- overrides


def test_an_extension_for_all_moves_every_section_s_deadline() -> None:
    found = special({"deadline": "2023-09-28"})
    assert {s: o.deadline.isoformat() for s, o in found.items()} == dict.fromkeys(
        SECTIONS, "2023-09-28T17:30:00+08:00"
    )


def test_an_extension_for_one_section_leaves_the_others_alone() -> None:
    found = special({"deadline": "2023-09-28", "section": "财务科"})
    assert {s for s, o in found.items() if o.deadline.day == 28} == {"财务科"}
    assert {s for s, o in found.items() if o.overrides} == {"财务科"}


def test_an_override_may_name_a_section_by_its_alias() -> None:
    assert special({"exempt": True, "section": "初教科"})["初幼教科"].exempt == REASON


def test_an_override_keeps_the_nominal_date() -> None:
    one = special({"deadline": "2023-09-28"})["财务科"]
    assert (one.nominal, one.adjusted) == (date(2023, 9, 25), date(2023, 9, 25))


def test_an_override_of_another_period_or_item_changes_nothing() -> None:
    found = special(
        {"exempt": True, "period": "2024"}, {"exempt": True, "item": "monthly", "period": "2023"}
    )
    assert not any(o.exempt or o.overrides for o in found.values())


def test_an_override_for_a_section_that_owes_nothing_changes_nothing() -> None:
    found = special({"exempt": True, "section": OFFICE})
    assert set(found) == set(SECTIONS)
    assert not any(o.overrides for o in found.values())


def test_an_overriding_day_is_not_moved_off_a_day_off() -> None:
    one = special({"deadline": "2023-10-01"})["财务科"]
    assert one.deadline.isoformat() == "2023-10-01T17:30:00+08:00"


def test_an_overriding_day_gets_the_item_s_own_hour() -> None:
    one = special({"deadline": "2023-09-28"}, time="12:00")["财务科"]
    assert one.deadline.isoformat() == "2023-09-28T12:00:00+08:00"


def test_an_overriding_time_is_a_wall_clock_time_in_the_plan_s_zone() -> None:
    one = special({"deadline": "2023-09-28 9:15"})["财务科"]
    assert one.deadline.isoformat() == "2023-09-28T09:15:00+08:00"


def test_an_overriding_instant_with_an_offset_is_shown_in_the_plan_s_zone() -> None:
    one = special({"deadline": "2023-09-28T18:00:00+00:00"})["财务科"]
    assert one.deadline.isoformat() == "2023-09-29T02:00:00+08:00"


@given(seconds=st.integers(0, 2_000_000_000))
def test_an_aware_instant_stays_the_same_instant(seconds: int) -> None:
    plan = plan_of()
    when = datetime.fromtimestamp(seconds, UTC)
    found = instant(plan, plan.items["monthly"], when)
    assert (found, found.tzinfo) == (when, plan.zone)


def test_an_exemption_says_why_and_leaves_the_deadline() -> None:
    found = special({"exempt": True, "section": "财务科", "reason": "并入专题材料"})
    assert found["财务科"].exempt == "并入专题材料"
    assert found["财务科"].deadline == found["组织科"].deadline
    assert found["组织科"].exempt is None


def test_an_exemption_for_all_exempts_every_section() -> None:
    assert {o.exempt for o in special({"exempt": True}).values()} == {REASON}


def test_an_extension_after_an_exemption_makes_it_owed_again() -> None:
    one = special(
        {"exempt": True, "section": "财务科"}, {"deadline": "2023-09-28", "section": "财务科"}
    )["财务科"]
    assert (one.exempt, one.deadline.day, len(one.overrides)) == (None, 28, 2)


def test_an_exemption_after_an_extension_wins() -> None:
    one = special({"deadline": "2023-09-28"}, {"exempt": True})["财务科"]
    assert (one.exempt, one.deadline.day) == (REASON, 28)


def test_the_later_of_two_extensions_wins() -> None:
    one = special({"deadline": "2023-10-12"}, {"deadline": "2023-09-28", "section": "财务科"})
    assert {s: o.deadline.day for s, o in one.items()} == {
        "财务科": 28,
        "组织科": 12,
        "初幼教科": 12,
    }


def test_a_reassignment_exempts_the_one_and_binds_the_other() -> None:
    plan = plan_of(
        rules=[],
        milestones=[MILESTONE],
        overrides=[{"item": "m", "period": "2023-04", "section": "财务科", "reassign": "组织科"}],
    )
    found = by_section(plan)
    assert found["财务科"].exempt == f"改由组织科承办：{REASON}"
    heir = found["组织科"]
    assert (heir.exempt, heir.key, heir.posts) == (None, "m/2023-04/组织科", ("局长",))
    assert heir.deadline == found["财务科"].deadline
    assert len(heir.overrides) == 1


def test_a_reassignment_for_all_leaves_one_section_to_owe_it() -> None:
    found = special({"reassign": OFFICE})
    assert [s for s, o in found.items() if o.exempt is None] == [OFFICE]
    assert set(found) == {*SECTIONS, OFFICE}


def test_a_reassignment_for_all_to_one_of_them_leaves_that_one() -> None:
    found = special({"reassign": "初教科"})
    assert [s for s, o in found.items() if o.exempt is None] == ["初幼教科"]


def test_what_was_taken_over_may_be_extended_for_the_heir() -> None:
    moved = {"section": "财务科", "reassign": OFFICE}
    found = special(moved, {"section": OFFICE, "deadline": "2023-09-28"})
    assert (found[OFFICE].deadline.day, found["财务科"].deadline.day) == (28, 25)


def test_an_extension_for_all_does_not_lift_one_section_s_exemption() -> None:
    found = special({"section": "财务科", "exempt": True}, {"deadline": "2023-09-28"})
    assert {s for s, o in found.items() if o.exempt is None} == {"组织科", "初幼教科"}


def test_an_extension_for_all_does_not_bring_back_what_was_handed_over() -> None:
    found = special({"section": "财务科", "reassign": OFFICE}, {"deadline": "2023-09-28"})
    assert {s for s, o in found.items() if o.exempt is None} == {OFFICE, "组织科", "初幼教科"}
    assert {o.deadline.day for s, o in found.items() if s != "财务科"} == {28}


def test_a_section_that_handed_over_may_be_bound_again_by_name() -> None:
    found = special(
        {"section": "财务科", "reassign": OFFICE},
        {"section": "财务科", "deadline": "2023-09-28"},
    )
    assert found["财务科"].exempt is None


# --- the whole


def test_a_key_is_item_period_and_section() -> None:
    assert key_of("monthly", "2023-06", "财务科") == "monthly/2023-06/财务科"


def test_obligations_come_in_the_plan_s_order() -> None:
    plan = plan_of(milestones=[MILESTONE])
    keys = [o.key for o in made(plan, date(2023, 4, 30))]
    monthly = [f"monthly/2023-{m:02d}/{s}" for m in (2, 3, 4) for s in SECTIONS]
    assert keys == [*monthly, "m/2023-04/财务科"]


def test_an_agenda_is_by_deadline_and_holds_both_its_days() -> None:
    plan = plan_of(milestones=[MILESTONE], rules=[rule({"monthly": 25})])
    found = agenda(plan, CALENDAR, date(2023, 4, 25), date(2023, 5, 25))
    assert [o.key for o in found] == ["r/2023-04/财务科", "m/2023-04/财务科", "r/2023-05/财务科"]


def test_an_agenda_puts_an_earlier_deadline_before_an_earlier_nominal_date() -> None:
    plan = plan_of(
        rules=[rule({"monthly": 25})],
        overrides=[{"item": "r", "period": "2023-03", "deadline": "2023-05-04"}],
    )
    found = agenda(plan, CALENDAR, date(2023, 3, 1), date(2023, 5, 31))
    assert [o.period for o in found] == ["2023-04", "2023-03", "2023-05"]


def test_an_agenda_goes_by_the_deadline_that_the_office_has_set() -> None:
    plan = plan_of(
        rules=[rule({"yearly": "09-25"})],
        overrides=[{"item": "r", "period": "2023", "deadline": "2023-03-01"}],
    )
    assert len(agenda(plan, CALENDAR, date(2023, 3, 1), date(2023, 3, 1))) == 1
    assert agenda(plan, CALENDAR, date(2023, 9, 1), END) == []


@given(
    first=st.dates(date(2023, 1, 1), date(2025, 12, 31)),
    days=st.tuples(st.integers(0, 200), st.integers(1, 200)),
)
def test_an_agenda_is_the_sum_of_its_parts(first: date, days: tuple[int, int]) -> None:
    plan = real_plan()
    middle = first + timedelta(days=days[0])
    last = middle + timedelta(days=days[1])
    whole = agenda(plan, CALENDAR, first, last)
    parts = [
        *agenda(plan, CALENDAR, first, middle),
        *agenda(plan, CALENDAR, middle + timedelta(days=1), last),
    ]
    assert [o.key for o in whole] == [o.key for o in parts]


_SECTION = st.sampled_from([*SECTIONS, "初教科", OFFICE])
_DECISION = st.one_of(
    st.builds(lambda d: {"deadline": d.isoformat()}, st.dates(date(2023, 1, 1), END)),
    st.just({"exempt": True}),
    st.builds(lambda heir: {"reassign": heir}, _SECTION),
)
_OVERRIDE = st.builds(
    lambda decision, item, section: {**decision, **item, **section},
    _DECISION,
    st.sampled_from([{"item": "monthly", "period": "2023-03"}, {"item": "m", "period": "2023-04"}]),
    st.one_of(st.just({}), st.builds(lambda s: {"section": s}, _SECTION)),
)


@given(st.lists(_OVERRIDE, max_size=6))
def test_f31_keys_are_unique_whatever_the_office_decides(overrides: list[dict[str, Any]]) -> None:
    found = made(plan_of(milestones=[MILESTONE], overrides=overrides))
    keys = [o.key for o in found]
    assert len(keys) == len(set(keys))
    assert all(o.key == f"{o.item.id}/{o.period}/{o.section}" for o in found)


@given(st.lists(_OVERRIDE, max_size=6))
def test_no_decision_removes_an_obligation_from_the_account(
    overrides: list[dict[str, Any]],
) -> None:
    before = {o.key for o in made(plan_of(milestones=[MILESTONE]))}
    after = {o.key for o in made(plan_of(milestones=[MILESTONE], overrides=overrides))}
    assert before <= after


@given(st.lists(_OVERRIDE, max_size=4), _DECISION, st.sampled_from(SECTIONS))
def test_the_last_decision_about_an_obligation_is_the_one_that_holds(
    earlier: list[dict[str, Any]], decision: dict[str, Any], section: str
) -> None:
    last = {"item": "monthly", "period": "2023-03", "section": section, **decision}
    plan = plan_of(overrides=[*earlier, last])
    (one,) = (o for o in made(plan) if o.key == f"monthly/2023-03/{section}")
    to_itself = "reassign" in decision and plan.section(decision["reassign"]).name == section
    assert (one.exempt is None) == ("deadline" in decision or to_itself)
    if "deadline" in decision:
        assert one.deadline.date().isoformat() == decision["deadline"]
