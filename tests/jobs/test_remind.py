"""Rungs become letters: the one that counts, to each person once, in office hours, and fairly."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import remind as job
from tests.support.ledgers import (
    CAIWU,
    Desk,
    MakeDesk,
    at,
    everybodys_report,
    one_report,
    told,
)
from tests.support.plans import rule

SECTION, OFFICE = "caiwu@edu.example", "bangongshi@edu.example"
DEPUTY, HEAD = "fujuzhang@edu.example", "juzhang@edu.example"
CLIMB = ("03-17 09:00", "03-22 09:00", "03-24 09:00")


def _rungs(desk: Desk, state: str) -> list[tuple[str, str]]:
    return [(m.audience, m.rung) for m in desk.mentions() if m.state == state and m.rung]


def test_nothing_is_said_before_the_first_rung(desk: Desk) -> None:
    assert desk.go("03-17 08:59").remind() == 0
    assert desk.go("03-17 09:00").remind() == 1


def test_the_whole_ladder_of_an_overdue_report(desk: Desk) -> None:
    sent = desk.beats(*CLIMB, "03-27 09:00", "03-29 09:00", "04-06 09:00")
    assert [(one.mail.recipient, one.ready.facts.light) for one in sent] == [
        (SECTION, "blue"),
        (SECTION, "yellow"),
        (SECTION, "yellow"),
        *[(to, "red") for to in (SECTION, DEPUTY)],
        *[(to, "red") for to in (SECTION, DEPUTY, HEAD)] * 2,
    ]
    assert desk.row().next_action_at == at("04-13 09:00")


def test_a_rung_is_issued_once(desk: Desk) -> None:
    desk.beat("03-17 09:00")
    assert desk.beats("03-17 09:01", "03-17 15:00", "03-20 09:00") == []


def test_f22_after_days_of_silence_the_latest_rung_counts_and_the_others_are_superseded(
    desk: Desk,
) -> None:
    assert told(desk.beat("03-24 10:00")) == [("reminder", SECTION)]
    assert _rungs(desk, "sent") == [("section", "0")]
    assert _rungs(desk, "superseded") == [("section", "-5"), ("section", "-2")]
    assert {m.reason for m in desk.mentions() if m.state == "superseded"} == {
        "overtaken by a later rung"
    }


def test_a_rung_that_comes_before_the_last_was_sent_takes_its_place(desk: Desk) -> None:
    desk.relay.set("down")
    desk.beat("03-17 09:00")
    desk.relay.set("up")
    assert told(desk.beat("03-22 09:00")) == [("reminder", SECTION)]
    assert _rungs(desk, "superseded") == [("section", "-5")]
    assert [row.state for row in desk.letters("reminder")] == ["withdrawn", "sent"]


def test_no_official_hears_of_it_before_the_section_was_reminded(desk: Desk) -> None:
    assert told(desk.beat("03-27 09:00")) == [("reminder", SECTION)]
    (held,) = desk.events("escalation.held")
    assert held.data["audience"] == "leader"
    assert told(desk.beat("03-28 09:00")) == [("escalation", DEPUTY)]


def test_a_reminder_of_the_same_day_is_no_notice(desk: Desk) -> None:
    desk.beats("03-17 09:00", "03-22 09:00")
    desk.relay.set("down")
    desk.beat("03-24 09:00")
    desk.relay.set("up")
    assert told(desk.beat("03-27 09:00")) == [("reminder", SECTION)]
    assert told(desk.beats("03-27 10:00", "03-27 17:00")) == [("notice", OFFICE)]
    assert told(desk.beat("03-28 09:00")) == [("escalation", DEPUTY)]


def test_f12_an_escalation_that_waited_out_an_outage_gives_way_to_the_reminder_first(
    desk: Desk,
) -> None:
    desk.beats(*CLIMB, "03-27 09:00")
    desk.relay.set("down")
    desk.beats("03-29 09:00", "04-06 09:00")
    desk.relay.set("up")
    assert told(desk.beat("04-06 15:00")) == [("reminder", SECTION)]
    assert ("head", "+3") in _rungs(desk, "superseded")
    assert told(desk.beat("04-07 09:00"))[-2:] == [("escalation", DEPUTY), ("escalation", HEAD)]


def test_what_waited_goes_out_with_the_rungs_of_the_morning_not_before_them(desk: Desk) -> None:
    desk.beats("03-17 09:00", "03-22 09:00")
    desk.relay.set("down")
    desk.beat("03-24 09:00")
    desk.relay.set("up")
    assert told(desk.beat("03-27 08:30")) == []
    (letter,) = [s for s in desk.beat("03-27 09:00") if s.ready.facts.kind == "reminder"]
    assert letter.ready.facts.light == "red"


def test_a_letter_about_what_is_overdue_is_red_whichever_rung_called_for_it(desk: Desk) -> None:
    desk.relay.set("down")
    desk.beat("03-24 09:00")
    desk.relay.set("up")
    (letter,) = desk.go("03-24 17:45").deliver()
    assert letter.ready.facts.light == "red"


def test_a_longer_min_notice_waits_for_it(make_desk: MakeDesk) -> None:
    desk = make_desk(one_report(about={"min_notice": 3}))
    desk.beats(*CLIMB)
    # the yellow of the 22nd is three working days old on the 27th, and the 24th's is not yet owed
    assert told(desk.beat("03-27 09:00")) == [("reminder", SECTION), ("escalation", DEPUTY)]
    assert told(desk.beat("03-29 09:00")) == [
        ("reminder", SECTION),
        ("escalation", DEPUTY),
        ("escalation", HEAD),
    ]


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("03-24 07:59", "03-24 08:00"),
        ("03-24 18:00", "03-27 08:00"),
        ("03-25 10:00", "03-27 08:00"),
    ],
)
def test_outside_office_hours_it_waits_for_the_opening(
    make_desk: MakeDesk, when: str, opens: str
) -> None:
    desk = make_desk(one_report(about={"reminder_time": "08:00"}))
    assert desk.beat(when) == []
    assert desk.row().next_action_at == at(opens)
    assert told(desk.beat(opens)) == [("reminder", SECTION)]


def test_one_person_gets_one_letter_about_everything(make_desk: MakeDesk) -> None:
    rules: list[dict[str, Any]] = [
        rule({"monthly": 25}, until="2023-03"),
        rule({"yearly": "03-25"}) | {"id": "special"},
    ]
    desk = make_desk(one_report(rules=rules))
    (sent,) = desk.beat("03-17 09:00")
    assert sent.ready.keys == (CAIWU, "special/2023/财务科")


def test_an_official_of_several_sections_gets_one_letter(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report())
    desk.beats(*CLIMB)
    sent = desk.beat("03-27 09:00")
    assert told(sent) == [
        ("reminder", SECTION),
        ("escalation", DEPUTY),
        ("reminder", "zuzhi@edu.example"),
        ("escalation", HEAD),
        ("reminder", "chuyou@edu.example"),
    ]
    assert sent[1].ready.keys == (CAIWU, "r/2023-03/初幼教科")


def test_the_next_level_up_that_is_the_same_person_gets_one_letter(make_desk: MakeDesk) -> None:
    desk = make_desk(one_report(about={"head": "副局长"}))
    desk.beats(*CLIMB, "03-27 09:00")
    assert told(desk.beat("03-29 09:00")) == [("reminder", SECTION), ("escalation", DEPUTY)]
    assert [m.audience for m in desk.mentions() if m.rung == "+3"] == ["section", "leader", "head"]


def test_a_person_who_got_another_letter_within_the_minute_is_left_in_peace_for_one(
    make_desk: MakeDesk,
) -> None:
    rules = [rule({"monthly": 25}), rule({"yearly": "03-25"}) | {"id": "special"}]
    desk = make_desk(one_report(rules=rules)).go("03-17 08:59:30")
    desk.submit("special/2023/财务科")
    desk.deliver()
    assert desk.beat("03-17 09:00") == []
    assert desk.row().next_action_at == at("03-17 09:01")
    assert told(desk.beat("03-17 09:01")) == [("reminder", SECTION)]


def test_the_pause_of_one_is_no_pause_of_the_others(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report()).go("03-17 08:59:30")
    desk.submit()
    desk.deliver()
    assert told(desk.beat("03-17 09:00")) == [
        ("reminder", "zuzhi@edu.example"),
        ("reminder", "chuyou@edu.example"),
    ]


def test_more_than_a_batch_is_done_in_one_call(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = [{"name": "办公室", "email": "bangongshi@edu.example"}]
    sections += [{"name": f"第{n}科", "email": f"ke{n}@edu.example"} for n in range(job.BATCH + 1)]
    desk = make_desk(everybodys_report(sections=sections)).go("03-17 09:00")
    assert desk.remind() == job.BATCH + 1
    assert desk.remind() == 0


def test_a_plan_that_is_not_run_is_left_alone(desk: Desk) -> None:
    desk.go("03-17 09:00")
    assert job.remind(desk.ledger, {}, desk.now) == 0
    assert desk.letters() == []


def test_a_project_with_two_leads_calls_both_officials(make_desk: MakeDesk) -> None:
    leads = [
        {"official": "副局长", "section": "财务科"},
        {"official": "局长", "section": "财务科"},
    ]
    projects = [{"id": "p01", "title": "经费包干", "leads": leads, "on": "2023-03-24"}]
    desk = make_desk(one_report(rules=[], projects=projects))
    desk.beats("03-10 09:00", "03-21 09:00", "03-24 09:00")
    assert told(desk.beat("03-27 09:00")) == [
        ("reminder", SECTION),
        ("escalation", DEPUTY),
        ("escalation", HEAD),
    ]
    # the head is already called as a lead: the level above adds no letter
    assert len(desk.beat("03-31 09:00")) == 3


def test_a_ladder_without_repeats_ends(make_desk: MakeDesk) -> None:
    ladders = {"report": [{"before": 0, "light": "yellow", "to": "section"}]}
    desk = make_desk(one_report(ladders=ladders))
    assert told(desk.beat("03-24 09:00")) == [("reminder", SECTION)]
    assert desk.row().next_action_at is None
    assert desk.beats("03-27 09:00", "05-08 09:00") == []
