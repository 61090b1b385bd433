"""Reports come in, are accepted or returned: what follows, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from duban.bureau import Bureau
from duban.standings import State
from jobs.collect import RefusedError, full_key, tell_office, withdraw
from tests.support.ledgers import Desk, MakeDesk, at, everybodys_report, one_report, told
from tests.support.plans import rule

SECTION, DEPUTY, HEAD = "caiwu@edu.example", "fujuzhang@edu.example", "juzhang@edu.example"
CLIMB = ("03-17 09:00", "03-22 09:00", "03-24 09:00", "03-27 09:00")


def test_a_report_in_time_stops_the_reminders_and_is_receipted_once(desk: Desk) -> None:
    desk.beat("03-17 09:00")
    number = desk.go("03-20 10:00").submit(via="board", reason="见附件")
    row = desk.row()
    assert (row.state, row.late, row.submitted_at) == (State.SUBMITTED, False, desk.now)
    assert row.next_action_at is None
    (receipt,) = desk.deliver()
    assert told([receipt]) == [("receipt", SECTION)]
    assert receipt.ready.facts.items[0].number == number == "demo-0001"
    assert receipt.ready.facts.items[0].by == "林美环"
    (entry,) = desk.submissions()
    assert (entry.via, entry.note, entry.late, entry.outcome) == ("board", "见附件", False, None)
    assert desk.beats("03-22 09:00", "03-24 09:00", "03-27 09:00") == []


def test_at_the_deadline_itself_a_report_is_in_time_and_a_second_later_it_is_late(
    make_desk: MakeDesk,
) -> None:
    for when, late in (("03-24 17:30:00", False), ("03-24 17:30:01", True)):
        desk = make_desk().go(when)
        desk.submit()
        assert desk.row().late is late
        assert desk.submissions()[0].late is late


def test_receipts_are_numbered_in_order(make_desk: MakeDesk) -> None:
    rules = [rule({"monthly": 25}), rule({"yearly": "03-25"}) | {"id": "special"}]
    desk = make_desk(one_report(rules=rules)).go("03-20 10:00")
    assert desk.submit() == "demo-0001"
    assert desk.submit("special/2023/财务科") == "demo-0002"


def test_only_the_officials_who_were_alarmed_are_told_that_it_is_good(desk: Desk) -> None:
    desk.beats(*CLIMB)
    desk.go("03-28 10:00").submit()
    assert told(desk.deliver()) == [("receipt", SECTION), ("closing", DEPUTY)]
    assert desk.row().late
    assert desk.sent[-1].ready.facts.items[0].number == "demo-0001"


def test_an_official_whose_alarm_was_not_sent_needs_no_closing_note(desk: Desk) -> None:
    desk.beats(*CLIMB[:3])
    desk.relay.set("down")
    desk.beat("03-27 09:00")
    desk.relay.set("up")
    desk.go("03-27 10:00").submit()
    assert ("closing", DEPUTY) not in told(desk.deliver())


def test_an_official_is_told_once_however_often_he_was_alarmed(desk: Desk) -> None:
    desk.beats(*CLIMB, "03-29 09:00", "04-06 09:00")
    desk.go("04-07 10:00").submit()
    assert told(desk.deliver()) == [
        ("receipt", SECTION),
        ("closing", DEPUTY),
        ("closing", HEAD),
    ]


def test_acceptance_is_written_down_with_who_and_when(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.go("03-21 10:00").accept(reason="材料齐全")
    row = desk.row()
    assert (row.state, row.closed_at) == (State.ACCEPTED, desk.now)
    (entry,) = desk.submissions()
    assert (entry.outcome, entry.decided_by, entry.decided_at, entry.reason) == (
        "accepted",
        "办公室",
        desk.now,
        "材料齐全",
    )
    assert [line.who for line in desk.events("submission.accepted")] == ["办公室"]


def test_the_office_can_record_by_hand_that_it_has_the_report(desk: Desk) -> None:
    desk.go("03-20 10:00").accept()
    assert desk.row().state == State.ACCEPTED
    assert told(desk.deliver()) == [("receipt", SECTION)]


def test_what_was_due_before_the_birth_can_still_be_handed_in(make_desk: MakeDesk) -> None:
    desk = make_desk(born="03-27 08:00").go("03-27 10:00")
    desk.accept()
    assert desk.row().state == State.ACCEPTED
    other = make_desk(born="03-27 08:00").go("03-27 10:00")
    other.submit()
    assert other.row().state == State.SUBMITTED


def test_a_returned_report_is_owed_again_and_the_section_is_told_why(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.deliver()
    desk.go("03-21 10:00").give_back()
    row = desk.row()
    assert (row.state, row.round, row.deadline) == (State.RETURNED, 1, at("03-24 17:30"))
    (notice,) = desk.deliver()
    assert told([notice]) == [("notice", SECTION)]
    assert notice.ready.facts.message == (
        "退回原因：缺下一步工作计划",
        "重新报送时限：2023年3月24日 17:30",
    )
    assert desk.submissions()[0].outcome == "returned"


def test_a_new_time_limit_has_a_ladder_of_its_own(desk: Desk) -> None:
    desk.go("03-24 10:00").submit()
    desk.deliver()
    desk.give_back(limit="04-07 12:00")
    desk.deliver()
    row = desk.row()
    assert (row.deadline, row.planned) == (at("04-07 12:00"), at("03-24 17:30"))
    assert row.next_action_at == at("03-30 09:00")
    assert desk.beat("03-27 09:00") == []
    assert told(desk.beat("03-30 09:00")) == [("reminder", SECTION)]


def test_after_a_return_no_official_hears_of_it_before_the_section_was_reminded_afresh(
    desk: Desk,
) -> None:
    desk.beats(*CLIMB[:3])
    desk.go("03-24 10:00").submit()
    desk.go("03-29 10:00").give_back()
    # long past the deadline, but the reminders of before the return do not count
    assert told(desk.deliver()) == [("receipt", SECTION), ("notice", SECTION)]
    assert told(desk.beat("03-29 10:01")) == [("reminder", SECTION)]
    assert told(desk.beat("03-30 09:00")) == [("escalation", DEPUTY), ("escalation", HEAD)]


def test_what_is_handed_in_again_after_a_return_is_receipted_again(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.go("03-21 10:00").give_back()
    assert desk.go("03-22 10:00").submit() == "demo-0002"
    assert [entry.outcome for entry in desk.submissions()] == ["returned", None]
    assert desk.row().submitted_at == desk.now


def test_late_stays_late_after_a_return(desk: Desk) -> None:
    desk.go("03-27 10:00").submit()
    desk.give_back(limit="04-07 12:00")
    desk.go("03-28 10:00").submit()
    desk.accept()
    assert desk.row().late
    assert [entry.late for entry in desk.submissions()] == [True, False]


def test_an_accepted_report_can_be_returned_too(desk: Desk) -> None:
    desk.go("03-20 10:00").accept()
    desk.give_back()
    assert (desk.row().state, desk.row().closed_at) == (State.RETURNED, None)


def test_an_official_who_was_alarmed_anew_after_a_return_is_told_anew(desk: Desk) -> None:
    desk.beats(*CLIMB)
    desk.go("03-27 10:00").submit()
    desk.deliver()
    desk.give_back()
    desk.deliver()
    desk.beats("03-27 10:05", "03-28 09:00")
    desk.go("03-28 10:00").submit()
    assert ("closing", DEPUTY) in told(desk.deliver())


@pytest.mark.parametrize("key", ["r/2023-03", "r", "", "财务科"])
def test_what_is_not_a_key_is_refused_with_an_example(desk: Desk, key: str) -> None:
    with pytest.raises(RefusedError, match="is not a key like monthly/2023-06/财务科"):
        desk.submit(key)


@pytest.mark.parametrize("key", ["r/2023-04/财务科", "r/2023-03/无此科", "x/2023-03/财务科"])
def test_an_unknown_obligation_is_refused(desk: Desk, key: str) -> None:
    with pytest.raises(RefusedError, match=r"no obligation.*agenda"):
        desk.submit(key)


def test_a_plan_that_the_ledger_does_not_know_is_refused(desk: Desk) -> None:
    stranger = one_report(about={"id": "other"})
    with pytest.raises(RefusedError, match="does not know the plan 'other'"):
        replace(desk, bureau=Bureau(stranger)).submit()


def test_an_alias_or_full_name_stands_for_the_section(desk: Desk) -> None:
    assert full_key(desk.bureau, "r/2023-03/初教科") == "r/2023-03/初幼教科"
    assert full_key(desk.bureau, "r/2023-03/初等教育与学前教育科") == "r/2023-03/初幼教科"


def test_nothing_is_handed_in_twice(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    with pytest.raises(RefusedError, match="submitted already"):
        desk.submit()
    desk.accept()
    with pytest.raises(RefusedError, match="accepted already"):
        desk.submit()
    with pytest.raises(RefusedError, match="nothing to accept"):
        desk.accept()
    assert len(desk.submissions()) == 1


def test_what_is_exempt_is_neither_handed_in_nor_accepted(desk: Desk) -> None:
    desk.go("03-20 10:00").override(exempt=True)
    with pytest.raises(RefusedError, match="exempt already"):
        desk.submit()
    with pytest.raises(RefusedError, match="nothing to accept"):
        desk.accept()


def test_only_what_was_handed_in_can_be_returned_and_only_with_a_reason(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="only what was handed in"):
        desk.give_back()
    desk.go("03-20 10:00").submit()
    with pytest.raises(RefusedError, match="needs a reason"):
        desk.give_back(reason=None)
    assert desk.row().state == State.SUBMITTED


def test_f50_once_the_submission_is_committed_nothing_about_it_is_claimed(desk: Desk) -> None:
    desk.beats(*CLIMB[:3])
    desk.go("03-27 09:00").remind()
    desk.submit()
    assert told(desk.deliver()) == [("receipt", SECTION)]
    assert {row.state for row in desk.letters("escalation")} == {"withdrawn"}


def test_the_office_is_told_in_words_of_its_own(desk: Desk) -> None:
    desk.go("03-20 10:00")
    tell_office(desk.ledger, desk.bureau, desk.now, "标题", ["一段话"], ["plan.yaml:3:1"])
    (notice,) = desk.deliver()
    facts = notice.ready.facts
    assert (facts.title, facts.message, facts.details) == ("标题", ("一段话",), ("plan.yaml:3:1",))


def test_a_plan_without_a_row_has_nobody_to_tell(desk: Desk) -> None:
    stranger = Bureau(one_report(about={"id": "other"}))
    tell_office(desk.ledger, stranger, desk.now, "标题", [], [])
    assert desk.letters() == []


def test_the_office_hears_at_once_what_came_by_link(desk: Desk) -> None:
    desk.go("03-20 10:00").submit(via="link", who="财务科")
    sent = {s.ready.facts.kind.value: s for s in desk.deliver()}
    assert set(sent) == {"receipt", "notice"}
    notice = sent["notice"]
    assert notice.mail.recipient == "bangongshi@edu.example"
    number = desk.submissions()[0].number
    assert notice.ready.facts.title == f"收到报送：财务科 3月工作专报，编号{number}"


def test_what_comes_in_out_of_hours_is_one_letter_to_the_office(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report())
    desk.go("03-20 20:00").submit(via="link", who="财务科")
    desk.submit("r/2023-03/组织科", via="link", who="组织科")
    desk.submit("r/2023-03/初幼教科", via="link", who="初幼教科")
    withdraw(desk.ledger, desk.bureau, desk.act("r/2023-03/组织科", who="组织科"))
    desk.reconcile()
    (notice,) = [s for s in desk.beat("03-21 08:00") if s.ready.facts.kind.value == "notice"]
    assert notice.ready.facts.title == "收到2项报送"
    assert [line.split()[0] for line in notice.ready.facts.details] == ["财务科", "初幼教科"]


def test_the_office_hears_nothing_of_what_was_taken_back_before(desk: Desk) -> None:
    desk.go("03-20 20:00").submit(via="link", who="财务科")
    withdraw(desk.ledger, desk.bureau, desk.act(who="财务科"))
    desk.reconcile()
    assert told(desk.beat("03-21 09:00")) == [("reminder", "caiwu@edu.example")]


@pytest.mark.parametrize("via", ["mail", "command", "board"])
def test_the_office_is_not_told_what_it_has_seen_itself(desk: Desk, via: str) -> None:
    desk.go("03-20 10:00").submit(via=via)
    assert told(desk.deliver()) == [("receipt", "caiwu@edu.example")]
