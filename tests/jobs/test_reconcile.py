"""The ledger follows the plan's files: what is new, moved, exempt, handed over or gone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from config.holidays import Notice
from config.model import Override
from duban.standings import State
from jobs.reconcile import horizon
from tests.support.ledgers import CAIWU, Desk, MakeDesk, at, everybodys_report, one_report, told
from tests.support.plans import REASON, rule

ZUZHI = "r/2023-03/组织科"


def _changes(desk: Desk) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Each change letter: to whom, and what it says of each item (old, new, reason)."""
    return [
        (
            one.mail.recipient,
            [
                (f"{i.old_deadline or i.deadline:%m-%d}", f"{i.deadline:%m-%d}", i.reason or "")
                for i in one.ready.facts.items
            ],
        )
        for one in desk.sent
        if one.ready.facts.kind == "change"
    ]


def test_a_new_plan_is_entered_with_all_that_is_due_within_thirteen_months(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(one_report(rules=[rule({"monthly": 25})]), "2023-03-10 08:00")
    rows = [row for row in desk.rows().values() if row.state != "before"]
    assert {row.state for row in rows} == {State.OPEN}
    assert [row.period for row in rows] == [
        *(f"2023-{m:02}" for m in range(3, 13)),
        *(f"2024-{m:02}" for m in range(1, 4)),
    ]
    assert desk.row().deadline == at("03-24 17:30")
    assert desk.row().next_action_at == at("03-17 09:00")


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2023, 1, 1), date(2024, 1, 31)),
        (date(2023, 1, 31), date(2024, 1, 31)),
        (date(2023, 2, 1), date(2024, 2, 29)),
        (date(2023, 12, 31), date(2024, 12, 31)),
    ],
)
def test_the_horizon_moves_once_a_month(day: date, last: date) -> None:
    assert horizon(day) == last


def test_a_month_later_the_next_month_comes_within_the_horizon(make_desk: MakeDesk) -> None:
    desk = make_desk(one_report(rules=[rule({"monthly": 25})]), "2023-03-10 08:00")
    assert desk.go("03-31 23:59").reconcile().created == []
    assert desk.go("04-01 00:00").reconcile().created == ["r/2024-04/财务科"]
    assert desk.sent == []


def test_nothing_is_written_where_nothing_has_changed(desk: Desk) -> None:
    before = desk.events()
    desk.go("03-02 08:00")
    assert not desk.reconcile()
    assert desk.events() == before


def test_what_was_due_before_the_ledgers_birth_is_not_chased(make_desk: MakeDesk) -> None:
    desk = make_desk(born="03-25 08:00")
    row = desk.row()
    assert (row.state, row.next_action_at) == (State.BEFORE, None)
    assert desk.beats("03-27 09:00", "03-29 09:00") == []


def test_what_was_due_before_the_birth_is_chased_from_the_day_that_the_office_names(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(one_report(about={"chase_from": "2023-03-24"}), "03-27 08:00")
    assert desk.row().state == State.OPEN
    assert told(desk.beat("03-27 09:00")) == [("reminder", "caiwu@edu.example")]
    later = make_desk(one_report(about={"chase_from": "2023-03-25"}), "03-27 08:00")
    assert later.row().state == State.BEFORE


def test_a_moved_deadline_is_told_once_with_the_old_and_the_new_day(desk: Desk) -> None:
    desk.go("03-20 10:00")
    assert desk.override(deadline="2023-03-30").changed == [CAIWU]
    assert told(desk.beat()) == [
        ("change", "caiwu@edu.example"),
    ]
    assert _changes(desk) == [("caiwu@edu.example", [("03-24", "03-30", REASON)])]
    assert not desk.reconcile()
    assert desk.deliver() == []
    (line,) = desk.events("deadline.changed")
    assert line.data["reason"] == REASON
    assert line.data["old"][:10] == "2023-03-24"


def test_one_letter_tells_a_section_of_all_its_moved_deadlines(make_desk: MakeDesk) -> None:
    span = {"from": "2023-03", "until": "2023-03"}
    rules = [rule({"monthly": 25}, **span), rule({"monthly": 27}, **span) | {"id": "s"}]
    desk = make_desk(one_report(rules=rules)).go("03-10 10:00")
    moved = [
        Override(item=i, period="2023-03", deadline=date(2023, 3, 30), reason=REASON) for i in "rs"
    ]
    desk.replan(desk.bureau.plan.with_overrides(*moved))
    desk.deliver()
    assert [len(items) for _, items in _changes(desk)] == [2]


def test_a_period_moved_for_all_is_told_to_each_section_once(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report()).go("03-10 10:00")
    made = Override(item="r", period="2023-03", deadline=date(2023, 3, 30), reason=REASON)
    desk.replan(desk.bureau.plan.with_overrides(made))
    desk.deliver()
    assert sorted(to for to, _ in _changes(desk)) == [
        "caiwu@edu.example",
        "chuyou@edu.example",
        "zuzhi@edu.example",
    ]


def test_the_rungs_of_the_old_deadline_never_fire(desk: Desk) -> None:
    desk.beat("03-17 09:00")
    desk.go("03-20 10:00").override(deadline="2023-04-07")
    desk.deliver()
    sent = desk.beats("03-22 09:00", "03-24 09:00", "03-27 09:00", "03-29 09:00")
    assert sent == []
    # five working days before Friday 7 April, with the Qingming holiday on the 5th
    assert told(desk.beat("03-30 09:00")) == [("reminder", "caiwu@edu.example")]


def test_two_moves_before_the_letter_went_out_are_told_as_one(desk: Desk) -> None:
    desk.go("03-11 10:00").override(deadline="2023-03-28")  # a Saturday
    desk.override(deadline="2023-03-30")
    desk.go("03-13 08:00").deliver()
    assert _changes(desk) == [("caiwu@edu.example", [("03-24", "03-30", REASON)])]
    reasons = [row.reason for row in desk.letters("change") if row.state == "withdrawn"]
    assert reasons == ["joined with a later letter"]


def test_changes_of_a_weekend_are_told_in_one_letter(make_desk: MakeDesk) -> None:
    span = {"from": "2023-03", "until": "2023-03"}
    rules = [rule({"monthly": 25}, **span), rule({"monthly": 27}, id="s", **span)]
    desk = make_desk(one_report(rules=rules)).go("03-10 10:00")
    desk.reconcile()
    desk.go("03-11 10:00").override(deadline="2023-03-28")
    desk.go("03-12 10:00").override("s/2023-03/财务科", deadline="2023-03-29")
    (letter,) = desk.go("03-13 08:00").deliver()
    assert [item.key for item in letter.ready.facts.items] == [CAIWU, "s/2023-03/财务科"]


def test_a_decision_after_a_return_counts_even_if_it_names_the_date_before_it(desk: Desk) -> None:
    desk.go("03-10 10:00").override(deadline="2023-04-07")
    desk.deliver()
    desk.go("03-30 10:00").submit()
    desk.go("03-31 10:00").give_back(limit="04-03 17:30")
    desk.reconcile()
    assert desk.row().deadline == at("04-03 17:30")
    desk.go("03-31 15:00").override(deadline="2023-04-07", by="局办公室")
    assert desk.row().deadline == at("04-07 17:30")


def test_an_exemption_of_a_report_that_lay_here_counts_when_it_is_returned(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.go("03-21 10:00").override(exempt=True)
    assert desk.row().state == "submitted"
    desk.go("03-23 10:00").give_back()
    desk.reconcile()
    assert desk.row().state == "exempt"


def test_officials_who_were_alarmed_hear_of_an_exemption(desk: Desk) -> None:
    desk.beats("03-17 09:00", "03-22 09:00", "03-24 09:00", "03-27 09:00")
    desk.go("03-28 10:00").override(exempt=True)
    assert ("closing", "fujuzhang@edu.example") in told(desk.deliver())


def test_a_move_that_was_taken_back_before_it_was_told_is_not_told(desk: Desk) -> None:
    plan = desk.bureau.plan
    desk.go("03-11 10:00").override(deadline="2023-03-30")  # a Saturday
    desk.replan(plan)
    desk.go("03-13 08:00").deliver()
    assert _changes(desk) == []


def test_what_is_owed_again_names_no_old_deadline_where_it_is_the_same(desk: Desk) -> None:
    plan = desk.bureau.plan
    desk.go("03-20 10:00").override(exempt=True)
    desk.deliver()
    desk.replan(plan)
    (sent,) = desk.deliver()
    assert sent.ready.facts.items[0].old_deadline is None
    assert not sent.ready.facts.items[0].exempt


def test_an_exemption_that_was_taken_back_before_it_was_told_is_not_told(desk: Desk) -> None:
    plan = desk.bureau.plan
    desk.go("03-11 10:00").override(exempt=True)  # a Saturday
    desk.replan(plan)
    assert desk.go("03-13 08:00").deliver() == []


def test_a_section_that_knows_of_a_new_deadline_is_told_that_the_report_is_dropped(
    desk: Desk,
) -> None:
    desk.go("03-10 10:00").override(deadline="2023-03-30")
    desk.deliver()
    desk.replan(one_report(rules=[]))
    assert told(desk.deliver()) == [("change", "caiwu@edu.example")]
    desk.replan(one_report())
    assert told(desk.deliver()) == [("change", "caiwu@edu.example")]


def test_an_exemption_is_told_and_ends_the_reminders(desk: Desk) -> None:
    desk.beat("03-17 09:00")
    desk.go("03-20 10:00")
    assert desk.override(exempt=True).exempted == [CAIWU]
    row = desk.row()
    assert (row.state, row.reason, row.next_action_at) == (State.EXEMPT, REASON, None)
    assert told(desk.deliver()) == [("change", "caiwu@edu.example")]
    assert desk.sent[-1].ready.facts.items[0].exempt
    assert desk.beats("03-22 09:00", "03-27 09:00") == []


def test_an_exemption_that_is_there_from_the_start_is_nobodys_letter(make_desk: MakeDesk) -> None:
    exempt: dict[str, Any] = {"item": "r", "period": "2023-03", "exempt": True}
    desk = make_desk(one_report(overrides=[exempt]))
    assert desk.row().state == State.EXEMPT
    assert desk.beats("03-17 09:00", "03-27 09:00") == []


def test_what_was_handed_in_stays_so_when_it_is_exempted_and_when_that_is_taken_back(
    desk: Desk,
) -> None:
    plan = desk.bureau.plan
    desk.go("03-20 10:00").submit()
    desk.override(exempt=True)
    assert desk.row().state == State.SUBMITTED
    desk.replan(plan)
    assert desk.row().state == State.SUBMITTED
    desk.accept()
    desk.override(exempt=True)
    assert desk.row().state == State.ACCEPTED


def test_an_exemption_that_is_taken_back_begins_afresh(desk: Desk) -> None:
    plan = desk.bureau.plan
    desk.beat("03-17 09:00")
    desk.go("03-20 10:00").override(exempt=True)
    desk.deliver()
    desk.go("03-20 14:00").replan(plan)
    row = desk.row()
    assert (row.state, row.section_at, row.round) == (State.OPEN, None, 2)
    assert told(desk.deliver()) == [("change", "caiwu@edu.example")]
    assert told(desk.beat("03-20 14:05")) == [("reminder", "caiwu@edu.example")]


def test_what_the_plan_no_longer_lists_is_dropped_and_the_section_that_knew_is_told(
    desk: Desk,
) -> None:
    desk.beat("03-17 09:00")
    desk.go("03-20 10:00")
    assert desk.replan(one_report(rules=[])).dropped == [CAIWU]
    assert desk.row().state == State.DROPPED
    assert told(desk.deliver()) == [("change", "caiwu@edu.example")]
    assert desk.sent[-1].ready.facts.items[0].exempt
    assert desk.beats("03-22 09:00") == []


def test_what_is_dropped_before_anybody_knew_of_it_is_nobodys_letter(desk: Desk) -> None:
    desk.go("03-10 10:00").replan(one_report(rules=[]))
    assert desk.row().state == State.DROPPED
    assert desk.deliver() == []


def test_what_was_handed_in_is_not_dropped(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    assert desk.replan(one_report(rules=[])).dropped == []
    assert desk.row().state == State.SUBMITTED


def test_what_comes_back_into_the_plan_is_owed_again(desk: Desk) -> None:
    desk.go("03-10 10:00").replan(one_report(rules=[]))
    assert desk.replan(one_report()).changed == [CAIWU]
    assert desk.row().state == State.OPEN
    assert told(desk.beat("03-17 09:00")) == [("reminder", "caiwu@edu.example")]


def test_reassignment_frees_one_section_and_charges_the_other_and_tells_both(desk: Desk) -> None:
    desk.go("03-20 10:00")
    done = desk.override(reassign="组织科")
    assert (done.exempted, done.created) == ([CAIWU], [ZUZHI])
    sent = {one.mail.recipient: one.ready.facts.items[0] for one in desk.deliver()}
    assert set(sent) == {"caiwu@edu.example", "zuzhi@edu.example"}
    assert sent["caiwu@edu.example"].given_to == "组织科"
    assert sent["zuzhi@edu.example"].taken_from == "财务科"
    assert sent["zuzhi@edu.example"].reason == REASON
    assert desk.row(ZUZHI).deadline == desk.row().deadline
    assert told(desk.beat("03-22 09:00")) == [("reminder", "zuzhi@edu.example")]


def test_a_period_reassigned_as_a_whole_names_the_heir_to_each_who_gives_it_up(
    make_desk: MakeDesk,
) -> None:
    rules = [rule({"monthly": 25}, sections=["财务科", "初幼教科"])]
    desk = make_desk(one_report(rules=rules)).go("03-10 10:00")
    made = Override(item="r", period="2023-03", reassign="组织科", reason=REASON)
    desk.replan(desk.bureau.plan.with_overrides(made))
    items = {one.mail.recipient: one.ready.facts.items[0] for one in desk.deliver()}
    assert items["caiwu@edu.example"].given_to == "组织科"
    assert items["chuyou@edu.example"].given_to == "组织科"
    assert items["zuzhi@edu.example"].taken_from == ""


def test_a_reassignment_that_is_there_from_the_start_is_nobodys_letter(
    make_desk: MakeDesk,
) -> None:
    given = {"item": "r", "period": "2023-03", "section": "财务科", "reassign": "组织科"}
    desk = make_desk(one_report(overrides=[given])).go("03-10 10:00")
    assert desk.deliver() == []
    assert desk.row(ZUZHI).state == State.OPEN


def test_a_later_decision_about_another_section_is_not_taken_for_the_reason(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(everybodys_report()).go("03-10 10:00")
    mine = Override(
        item="r", period="2023-03", section="财务科", deadline=date(2023, 3, 30), reason="甲"
    )
    other = mine.model_copy(update={"section": "组织科", "reason": "乙"})
    elsewhere = mine.model_copy(update={"period": "2023-04", "reason": "丙"})
    desk.replan(desk.bureau.plan.with_overrides(mine, other, elsewhere))
    desk.deliver()
    reasons = {to: items[0][2] for to, items in _changes(desk)}
    assert reasons == {"caiwu@edu.example": "甲", "zuzhi@edu.example": "乙"}


def test_a_moved_deadline_of_what_is_handed_in_is_written_down_and_not_told(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.deliver()
    desk.override(deadline="2023-03-30")
    row = desk.row()
    assert (row.state, row.deadline) == (State.SUBMITTED, at("03-30 17:30"))
    assert desk.deliver() == []


def test_a_change_that_waits_is_not_told_once_the_report_is_in(desk: Desk) -> None:
    desk.go("03-11 10:00").override(deadline="2023-03-30")  # a Saturday
    desk.submit()
    desk.go("03-13 08:00")
    assert told(desk.deliver()) == [("receipt", "caiwu@edu.example")]


def test_what_was_before_the_birth_is_chased_when_its_deadline_moves_into_the_future(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(born="03-27 08:00").go("03-27 10:00")
    desk.override(deadline="2023-04-10")
    assert desk.row().state == State.OPEN
    assert told(desk.deliver()) == [("change", "caiwu@edu.example")]


def test_what_was_before_the_birth_stays_so_when_its_deadline_moves_within_the_past(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(born="03-27 08:00").go("03-27 10:00")
    desk.override(deadline="2023-03-23")
    assert desk.row().state == State.BEFORE
    assert desk.deliver() == []


def test_f25_a_provisional_deadline_is_recomputed_when_the_notice_arrives(
    make_desk: MakeDesk,
) -> None:
    rules = [rule({"yearly": "06-22"})]
    plan = one_report(about={"starts": "2030-01-01"}, rules=rules)
    desk = make_desk(plan, "2030-05-06 08:00")
    key = "r/2030/财务科"
    # 22 June 2030 is a Saturday, and nothing is announced yet
    assert desk.row(key).provisional
    assert desk.row(key).deadline == at("2030-06-21 17:30")
    notice = Notice(2030, {date(2030, 6, 21): "端午节"}, {date(2030, 6, 22): "端午节"})
    done = desk.go("2030-05-07 08:00").replan(
        one_report(about={"starts": "2030-01-01"}, rules=rules, notices={2030: notice})
    )
    assert done.changed == [key]
    assert not desk.row(key).provisional
    assert desk.row(key).deadline == at("2030-06-22 17:30")
    assert told(desk.deliver()) == [("change", "caiwu@edu.example")]


def test_f25_a_deadline_that_the_notice_confirms_is_no_longer_provisional_and_no_letter(
    make_desk: MakeDesk,
) -> None:
    rules = [rule({"yearly": "06-20"})]
    plan = one_report(about={"starts": "2030-01-01"}, rules=rules)
    desk = make_desk(plan, "2030-05-06 08:00")
    key = "r/2030/财务科"
    assert desk.row(key).provisional
    notice = Notice(2030, {date(2030, 6, 5): "端午节"}, {})
    desk.go("2030-05-07 08:00").replan(
        one_report(about={"starts": "2030-01-01"}, rules=rules, notices={2030: notice})
    )
    assert not desk.row(key).provisional
    assert desk.deliver() == []


def test_what_is_not_chased_can_be_exempted_and_that_is_nobodys_letter(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(born="03-27 08:00").go("03-27 10:00")
    desk.override(exempt=True)
    assert desk.row().state == State.EXEMPT
    assert desk.deliver() == []


def test_what_another_section_handed_over_is_not_said_to_a_third(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report()).go("03-10 10:00")
    given = Override(item="r", period="2023-03", section="财务科", reassign="组织科", reason="甲")
    moved = Override(
        item="r", period="2023-03", section="初幼教科", deadline=date(2023, 3, 30), reason="乙"
    )
    desk.replan(desk.bureau.plan.with_overrides(moved, given))
    (item,) = next(
        one.ready.facts.items
        for one in desk.deliver()
        if one.mail.recipient == "chuyou@edu.example"
    )
    assert (item.given_to, item.taken_from, item.reason) == (None, None, "乙")
