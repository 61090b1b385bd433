"""The ladder: when an obligation is spoken of, to whom, and which rung counts now."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from config.model import Audience, Light, Rung
from duban.calendar import WorkCalendar
from duban.ladder import (
    Hours,
    Step,
    climb,
    decide,
    next_morning,
    next_opening,
    notice_cutoff,
    open_now,
    steps_until,
)
from tests.support.ladders import (
    CALENDAR,
    DAY,
    HOURS,
    NINE,
    REPORT,
    ZONE,
    History,
    at,
    deadlines,
    first_steps,
    hours,
    instants,
    ladders,
    reminder_times,
    working_days_after,
)
from tests.support.plans import plan_of

SECTION, LEADER, HEAD = Audience
DUE = at("2023-03-24 17:30")
FINISHED = (REPORT[0],)
histories = deadlines.flatmap(lambda due: st.tuples(ladders(), st.just(due), hours, instants(due)))


def days(steps: list[Step]) -> list[str]:
    return [f"{s.name} {s.at:%m-%d %H:%M}" for s in steps]


def issued(history: History) -> list[str]:
    return [f"{now:%m-%d} {audience} {s.name}" for now, audience, s in history.letters]


def rung(light: Light = Light.YELLOW, *to: Audience, **offset: int) -> Rung:
    return Rung(light=light, to=to or (SECTION,), **offset)


# --- climbing


def test_a_report_s_rungs_are_five_two_none_one_three_and_then_every_five() -> None:
    assert days(first_steps(REPORT, DUE, 7)) == [
        "-5 03-17 09:00",
        "-2 03-22 09:00",
        "0 03-24 09:00",
        "+1 03-27 09:00",
        "+3 03-29 09:00",
        "+8 04-06 09:00",
        "+13 04-13 09:00",
    ]


def test_working_days_are_counted_over_holidays_and_make_up_days() -> None:
    # 22 to 24 June 2023 were off, Sunday the 25th a working day.
    assert days(first_steps(REPORT, at("2023-06-25 17:30"), 4)) == [
        "-5 06-15 09:00",
        "-2 06-20 09:00",
        "0 06-25 09:00",
        "+1 06-26 09:00",
    ]


def test_a_deadline_before_the_reminder_s_hour_is_spoken_of_a_working_day_earlier() -> None:
    steps = first_steps((rung(before=1), rung(before=0)), at("2023-03-27 08:00"))
    assert days(steps) == ["-1 03-24 09:00", "0 03-24 09:00"]


def test_a_deadline_at_the_reminder_s_hour_is_spoken_of_on_the_day() -> None:
    assert days(first_steps((rung(before=0),), at("2023-03-27 09:00"))) == ["0 03-27 09:00"]


def test_a_deadline_on_a_day_off_is_spoken_of_on_the_working_day_before() -> None:
    assert days(first_steps(REPORT, at("2023-03-25 12:00"), 4))[2:] == [
        "0 03-24 09:00",
        "+1 03-27 09:00",
    ]


def test_repeats_of_a_ladder_that_ends_before_the_deadline_count_from_the_deadline() -> None:
    steps = first_steps((rung(before=3), rung(every=2)), DUE, 3)
    assert [s.name for s in steps] == ["-3", "+2", "+4"]


def test_a_step_keeps_its_rung_s_light_and_audience() -> None:
    steps = first_steps(REPORT, DUE, 6)
    assert [s.light for s in steps] == ["blue", "yellow", "yellow", "red", "red", "red"]
    assert [len(s.audience) for s in steps] == [1, 1, 1, 2, 3, 3]


@given(ladders(), deadlines, reminder_times)
def test_steps_are_on_working_days_at_the_reminder_s_hour(
    rungs: tuple[Rung, ...], deadline: datetime, reminder: time
) -> None:
    for step in islice(climb(rungs, deadline, CALENDAR, reminder), 15):
        assert CALENDAR.is_working(step.at.date())
        assert (step.at.time(), step.at.tzinfo) == (reminder, ZONE)


@given(ladders(), deadlines, reminder_times)
def test_steps_never_go_back_in_time(
    rungs: tuple[Rung, ...], deadline: datetime, reminder: time
) -> None:
    for one, following in pairwise(islice(climb(rungs, deadline, CALENDAR, reminder), 15)):
        assert int(one.name) < int(following.name)
        # Only a rung pulled before an early deadline may meet the one before it.
        assert one.at < following.at or (following.name == "0" and one.at == following.at)


@given(ladders(), deadlines, reminder_times)
def test_a_rung_before_the_deadline_never_comes_after_it_nor_the_other_way_round(
    rungs: tuple[Rung, ...], deadline: datetime, reminder: time
) -> None:
    for step in islice(climb(rungs, deadline, CALENDAR, reminder), 15):
        assert (step.at > deadline) == (int(step.name) > 0)


@given(ladders(), deadlines, reminder_times)
@example((rung(before=0),), at("2023-03-27 08:00"), NINE)
def test_a_step_is_as_many_working_days_from_the_deadline_as_its_name_says(
    rungs: tuple[Rung, ...], deadline: datetime, reminder: time
) -> None:
    for step in islice(climb(rungs, deadline, CALENDAR, reminder), 15):
        offset, day = int(step.name), step.at.date()
        if offset > 0:
            assert working_days_after(deadline.date(), day) == offset
        else:
            early = CALENDAR.is_working(deadline.date()) and reminder > deadline.time()
            assert working_days_after(day, deadline.date()) in {-offset, int(early and not offset)}


@given(ladders(endless=True), deadlines)
def test_repeats_follow_every_so_many_working_days(
    rungs: tuple[Rung, ...], deadline: datetime
) -> None:
    every, fixed = rungs[-1].every, len(rungs) - 1
    steps = list(islice(climb(rungs, deadline, CALENDAR, NINE), fixed + 5))
    assert {(s.light, s.audience) for s in steps[fixed:]} == {(rungs[-1].light, rungs[-1].to)}
    for one, following in pairwise(steps[fixed:]):
        assert working_days_after(one.at.date(), following.at.date()) == every
    start = max(deadline.date(), steps[fixed - 1].at.date())
    assert working_days_after(start, steps[fixed].at.date()) == every


@given(ladders(endless=False), deadlines)
def test_a_ladder_without_repeats_ends(rungs: tuple[Rung, ...], deadline: datetime) -> None:
    assert len(list(climb(rungs, deadline, CALENDAR, NINE))) == len(rungs)


@given(ladders(), deadlines, st.integers(-60 * 24 * 30, 60 * 24 * 60))
def test_the_steps_until_an_instant_are_the_fixed_ones_and_the_repeats_by_then(
    rungs: tuple[Rung, ...], deadline: datetime, minutes: int
) -> None:
    until = deadline + timedelta(minutes=minutes)
    found = steps_until(rungs, deadline, CALENDAR, NINE, until)
    climbed = list(islice(climb(rungs, deadline, CALENDAR, NINE), len(found) + 1))
    fixed = len([r for r in rungs if r.every is None])
    assert found == climbed[: len(found)]
    assert len(found) >= fixed
    assert all(s.at <= until for s in found[fixed:])
    assert all(s.at > until for s in climbed[len(found) :])


# --- the rung that counts


def test_on_time_each_rung_goes_to_its_audience_when_it_comes() -> None:
    history = History(REPORT, DUE).run(s.at for s in first_steps(REPORT, DUE, 6))
    assert issued(history) == [
        "03-17 section -5",
        "03-22 section -2",
        "03-24 section 0",
        "03-27 section +1",
        "03-27 leader +1",
        "03-29 section +3",
        "03-29 leader +3",
        "03-29 head +3",
        "04-06 section +8",
        "04-06 leader +8",
        "04-06 head +8",
    ]
    assert history.overtaken == []


def test_nothing_is_said_before_the_first_rung() -> None:
    made = History(REPORT, DUE).tick(at("2023-03-17 08:59"))
    assert (made.issue, made.next_at) == ((), at("2023-03-17 09:00"))


def test_a_ladder_that_has_ended_asks_for_no_further_look() -> None:
    history = History(FINISHED, DUE)
    assert history.tick(at("2023-03-17 09:00")).next_at is None
    assert history.tick(at("2023-06-01 09:00")) == history.tick(at("2023-06-02 09:00"))


def test_a_held_escalation_is_looked_at_again_the_next_working_morning() -> None:
    ladder = (rung(before=0), rung(Light.RED, LEADER, after=1))
    made = History(ladder, DUE).tick(at("2023-03-31 10:00"))
    assert [(a, s.name) for a, s in made.held] == [(LEADER, "+1")]
    assert made.next_at == at("2023-04-03 09:00")


def test_a_held_escalation_does_not_put_off_the_next_rung() -> None:
    ladder = (rung(before=0), rung(Light.RED, LEADER, after=1), rung(after=2))
    made = History(ladder, DUE).tick(at("2023-03-27 09:00"))
    assert (made.held[0][0], made.next_at) == (LEADER, at("2023-03-28 09:00"))


def test_an_official_s_rung_without_any_rung_for_the_section_waits() -> None:
    ladder = (rung(Light.RED, LEADER, after=1),)
    history = History(ladder, DUE).run(at(f"2023-03-{n} 09:00") for n in (27, 28, 29, 30, 31))
    assert history.letters == []


def test_without_any_notice_asked_for_the_same_morning_s_reminder_is_too_late() -> None:
    ladder = (rung(after=1), rung(Light.RED, SECTION, LEADER, after=2))
    history = History(ladder, DUE, replace(HOURS, min_notice=0))
    history.tick(at("2023-03-28 09:00"))
    assert issued(history) == ["03-28 section +2"]


def test_without_any_notice_asked_for_an_hour_is_enough() -> None:
    ladder = (rung(after=1), rung(Light.RED, SECTION, LEADER, after=2))
    history = History(ladder, DUE, replace(HOURS, min_notice=0))
    history.run([at("2023-03-28 10:00"), at("2023-03-28 10:01")])
    assert issued(history) == ["03-28 section +2", "03-28 leader +2"]


def test_without_any_notice_asked_for_an_earlier_rung_s_reminder_is_enough() -> None:
    history = History(REPORT, DUE, replace(HOURS, min_notice=0))
    history.run([at("2023-03-24 09:00"), at("2023-03-27 09:00")])
    assert issued(history) == ["03-24 section 0", "03-27 section +1", "03-27 leader +1"]


def test_without_any_notice_asked_for_a_look_after_the_stroke_of_the_hour_changes_nothing() -> None:
    history = History(REPORT, DUE, replace(HOURS, min_notice=0))
    history.run([at("2023-03-24 09:00"), at("2023-03-27 09:00:02")])
    assert issued(history) == ["03-24 section 0", "03-27 section +1", "03-27 leader +1"]


def test_a_warning_by_a_ladder_that_the_plan_has_dropped_is_no_warning_by_this_one() -> None:
    ladder = (rung(Light.RED, LEADER, after=1), rung(after=2))
    now = at("2023-03-27 09:00")
    made = decide(climb(ladder, DUE, CALENDAR, NINE), {}, DUE, now, CALENDAR, HOURS)
    assert [a for a, _ in made.held] == [LEADER]


def test_a_reminder_that_the_relay_did_not_accept_is_no_warning() -> None:
    history = History(REPORT, DUE).run([at("2023-03-17 09:00"), at("2023-03-22 09:00")])
    history.tick(at("2023-03-24 09:00"), relay_up=False)
    assert [a for a, _ in history.tick(at("2023-03-27 09:00")).held] == [LEADER]
    assert [a for a, _ in history.tick(at("2023-03-28 09:00")).issue] == [LEADER]


@given(histories)
def test_at_any_instants_the_section_gets_the_latest_due_rung_and_no_other(
    drawn: tuple[tuple[Rung, ...], datetime, Hours, list[datetime]],
) -> None:
    rungs, deadline, kept, when = drawn
    history = History(rungs, deadline, kept)
    seen: list[Step] = []
    for now in when:
        made = history.tick(now)
        due = [s for s in steps_until(rungs, deadline, CALENDAR, NINE, now) if s.at <= now]
        mine = [s for s in due if SECTION in s.audience]
        new = mine[len(seen) :]
        assert [s for a, s in made.issue if a is SECTION] == new[-1:]
        assert [s for a, s in made.overtaken if a is SECTION] == new[:-1]
        seen = mine


@given(histories)
def test_each_rung_is_issued_overtaken_held_or_not_yet_due_and_never_two_of_these(
    drawn: tuple[tuple[Rung, ...], datetime, Hours, list[datetime]],
) -> None:
    rungs, deadline, kept, when = drawn
    history = History(rungs, deadline, kept)
    last = [history.tick(now) for now in when][-1]
    due = [s for s in steps_until(rungs, deadline, CALENDAR, NINE, when[-1]) if s.at <= when[-1]]
    for audience in Audience:
        mine = [s for s in due if audience in s.audience]
        spoken = history.spoken(audience)
        held = [s for a, s in last.held if a is audience]
        assert spoken == mine[: len(spoken)]
        assert held == (mine[-1:] if len(spoken) < len(mine) else [])


@given(histories)
def test_f21_deciding_again_at_the_same_or_an_earlier_instant_says_nothing(
    drawn: tuple[tuple[Rung, ...], datetime, Hours, list[datetime]],
) -> None:
    rungs, deadline, kept, when = drawn
    history = History(rungs, deadline, kept).run(when)
    history.accepted.clear()
    for now in reversed(when):
        made = history.tick(now)
        assert (made.issue, made.overtaken) == ((), ())


@given(histories)
def test_f22_deciding_late_is_deciding_on_time_with_the_overtaken_left_out(
    drawn: tuple[tuple[Rung, ...], datetime, Hours, list[datetime]],
) -> None:
    rungs, deadline, kept, (*_, now) = drawn
    due = [s for s in steps_until(rungs, deadline, CALENDAR, NINE, now) if s.at <= now]
    assume(due)
    punctual = History(rungs, deadline, kept).run(s.at for s in due)
    late = decide(iter(due), {}, punctual.warned(now), now, CALENDAR, kept)
    punctual.tick(now)
    for audience in Audience:
        on_time = punctual.spoken(audience)
        spoken = [s for a, s in (*late.overtaken, *late.issue) if a is audience]
        held = audience in {a for a, _ in late.held}
        assert spoken == ([] if held else on_time)
        assert not (held and audience is SECTION)


@given(histories)
def test_no_official_hears_of_what_the_section_was_not_warned_about_in_time(
    drawn: tuple[tuple[Rung, ...], datetime, Hours, list[datetime]],
) -> None:
    rungs, deadline, kept, when = drawn
    history = History(rungs, deadline, kept).run(when)
    warnings = [(now, s) for now, audience, s in history.letters if audience is SECTION]
    for now, audience, _ in history.letters:
        if audience is SECTION:
            continue
        assert any(
            warned < now and working_days_after(warned.date(), now.date()) >= kept.min_notice
            for warned, _ in warnings
        )


@given(deadlines, hours, ladders(), st.integers(0, 60), st.data())
def test_no_official_hears_when_the_section_missed_its_own_latest_rung(
    deadline: datetime, kept: Hours, rungs: tuple[Rung, ...], later: int, data: st.DataObject
) -> None:
    """The rung that the section should have had `min_notice` working days ago was not accepted."""
    now = deadline + timedelta(days=later)
    due = [s for s in steps_until(rungs, deadline, CALENDAR, NINE, now) if s.at <= now]
    owed = [
        s.at
        for s in due
        if SECTION in s.audience
        and working_days_after(s.at.date(), now.date()) >= kept.min_notice
        and (kept.min_notice > 0 or s.at < due[-1].at)
    ]
    assume(owed)
    before = [None, *(s for s in owed if s < owed[-1])]
    warned = data.draw(st.sampled_from(before))
    made = decide(iter(due), {}, warned, now, CALENDAR, kept)
    assert {a for a, _ in made.issue} <= {SECTION}


@given(histories)
def test_the_next_look_is_always_later_than_now(
    drawn: tuple[tuple[Rung, ...], datetime, Hours, list[datetime]],
) -> None:
    rungs, deadline, kept, when = drawn
    history = History(rungs, deadline, kept)
    for now in when:
        made = history.tick(now)
        more = next((s for s in climb(rungs, deadline, CALENDAR, NINE) if s.at > now), None)
        assert made.next_at is None or made.next_at > now
        assert made.next_at is None or more is None or made.next_at <= more.at
        assert (made.next_at is None) == (more is None and not made.held)


@given(histories)
def test_to_look_when_told_to_is_as_good_as_to_look_every_morning(
    drawn: tuple[tuple[Rung, ...], datetime, Hours, list[datetime]],
) -> None:
    rungs, deadline, kept, (now, *_) = drawn
    patient, eager = History(rungs, deadline, kept), History(rungs, deadline, kept)
    wake: datetime | None = now
    for _ in range(40):
        if wake is not None and now >= wake:
            wake = patient.tick(now).next_at
        eager.tick(now)
        now = next_morning(now, CALENDAR, kept)
    assert patient.letters == eager.letters


@given(deadlines, hours, st.integers(0, 40))
def test_after_an_outage_the_officials_hear_once_the_notice_has_run(
    deadline: datetime, kept: Hours, outage: int
) -> None:
    back = next_opening(deadline + outage * DAY, CALENDAR, kept)
    history = History(REPORT, deadline, kept)
    history.tick(back)
    assert LEADER not in history.issued
    ready = CALENDAR.shift(back.date(), kept.min_notice + 3)
    moment = back
    while moment.date() < ready:
        moment = next_morning(moment, CALENDAR, kept)
        history.tick(moment)
    assert LEADER in history.issued


# --- failures


def test_f21_a_clock_that_jumps_forward_over_the_deadline_does_not_escalate() -> None:
    history = History(REPORT, DUE).run([at("2023-03-17 09:00"), at("2023-04-20 11:00")])
    assert issued(history) == ["03-17 section -5", "04-20 section +18"]


def test_f21_a_clock_that_jumped_forward_and_back_repeats_nothing() -> None:
    history = History(REPORT, DUE).run([at("2023-03-22 09:00"), at("2023-03-24 09:00")])
    history.run([at("2023-03-17 09:00"), at("2023-03-22 09:00"), at("2023-03-24 10:00")])
    assert issued(history) == ["03-22 section -2", "03-24 section 0"]


def test_f22_after_ten_days_off_there_is_one_rung_and_the_others_are_superseded() -> None:
    history = History(REPORT, DUE).run([at("2023-03-17 09:00"), at("2023-03-31 14:00")])
    assert issued(history) == ["03-17 section -5", "03-31 section +3"]
    assert [(a, s.name) for a, s in history.overtaken] == [
        (SECTION, "-2"),
        (SECTION, "0"),
        (SECTION, "+1"),
    ]


def test_f22_a_ten_day_outage_after_the_deadline_s_own_reminder_does_not_escalate_at_once() -> None:
    history = History(REPORT, DUE).run([at("2023-03-24 09:00"), at("2023-04-06 09:00")])
    assert issued(history) == ["03-24 section 0", "04-06 section +8"]
    history.tick(at("2023-04-07 09:00"))
    assert issued(history)[2:] == ["04-07 leader +8", "04-07 head +8"]


def test_f28_a_deadline_moved_into_the_past_warns_the_section_before_anybody_else() -> None:
    History(REPORT, DUE).run([at("2023-03-17 09:00")])
    moved = History(REPORT, at("2023-03-10 17:30")).run([at("2023-03-20 10:00")])
    assert issued(moved) == ["03-20 section +3"]
    moved.tick(at("2023-03-21 09:00"))
    assert issued(moved)[1:] == ["03-21 leader +3", "03-21 head +3"]


@given(deadlines, ladders(), hours, st.integers(-30, 60))
def test_f28_a_deadline_that_was_just_set_never_escalates_at_once(
    deadline: datetime, rungs: tuple[Rung, ...], kept: Hours, later: int
) -> None:
    made = History(rungs, deadline, kept).tick(deadline + later * DAY)
    assert {a for a, _ in made.issue} <= {SECTION}


def test_f28_a_deadline_moved_later_starts_its_ladder_anew() -> None:
    moved = History(REPORT, at("2023-04-14 17:30"))
    assert moved.tick(at("2023-03-28 09:00")).next_at == at("2023-04-07 09:00")


def test_f23_a_ladder_keeps_the_plan_s_wall_clock_over_a_change_to_summer_time() -> None:
    zone = ZoneInfo("Europe/Berlin")
    due = datetime(2023, 3, 27, 17, 30, tzinfo=zone)
    steps = list(islice(climb(REPORT, due, WorkCalendar(), NINE), 3))
    assert [s.at.isoformat() for s in steps] == [
        "2023-03-20T09:00:00+01:00",
        "2023-03-23T09:00:00+01:00",
        "2023-03-27T09:00:00+02:00",
    ]


# --- hours


def test_the_hours_are_the_plan_s() -> None:
    kept = plan_of(about={"office_hours": "07:30-17:00", "reminder_time": "8:00", "min_notice": 2})
    assert Hours.of(kept) == Hours(time(7, 30), time(17), time(8), 2)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2023-03-24 07:59", "2023-03-24 08:00"),
        ("2023-03-24 08:00", "2023-03-24 08:00"),
        ("2023-03-24 17:59", "2023-03-24 17:59"),
        ("2023-03-24 18:00", "2023-03-27 08:00"),
        ("2023-03-25 10:00", "2023-03-27 08:00"),
        ("2023-04-29 10:00", "2023-05-04 08:00"),
        ("2023-06-25 10:00", "2023-06-25 10:00"),
    ],
)
def test_letters_go_out_in_office_hours_of_working_days(now: str, expected: str) -> None:
    assert next_opening(at(now), CALENDAR, HOURS) == at(expected)
    assert open_now(at(now), CALENDAR, HOURS) == (now == expected)


@given(deadlines, hours)
def test_the_next_opening_is_open_and_the_first_that_is(now: datetime, kept: Hours) -> None:
    found = next_opening(now, CALENDAR, kept)
    assert found >= now
    assert open_now(found, CALENDAR, kept)
    minutes = int((found - now).total_seconds() // 60)
    step = max(minutes // 50, 1)
    assert not any(
        open_now(now + timedelta(minutes=m), CALENDAR, kept) for m in range(0, minutes, step)
    )


@given(deadlines, hours)
def test_the_next_morning_is_the_next_working_day_s_reminder_hour(
    now: datetime, kept: Hours
) -> None:
    found = next_morning(now, CALENDAR, kept)
    assert working_days_after(now.date(), found.date()) == 1
    assert CALENDAR.is_working(found.date())
    assert found.time() == kept.reminder


@given(deadlines, hours, st.integers(0, 60 * 24 * 20))
def test_what_was_accepted_before_the_cutoff_gave_the_notice_asked_for(
    now: datetime, kept: Hours, minutes: int
) -> None:
    accepted = now - timedelta(minutes=minutes)
    assume(CALENDAR.is_working(accepted.date()))
    enough = working_days_after(accepted.date(), now.date()) >= kept.min_notice
    in_time = accepted < notice_cutoff(now, CALENDAR, kept)
    assert in_time == (enough and (kept.min_notice > 0 or accepted < now))


def test_the_cutoff_is_the_end_of_the_day_that_counts() -> None:
    cutoff = notice_cutoff(at("2023-03-27 09:00"), CALENDAR, HOURS)
    assert cutoff == at("2023-03-25 00:00")
    assert cutoff.date() == date(2023, 3, 24) + DAY
