"""A section takes back what it handed in, while the office has not decided."""

from __future__ import annotations

import pytest

from jobs.collect import RefusedError, withdraw
from ledger.archive import Stored
from ledger.attachments import File, attach, of_submissions
from tests.support.ledgers import CAIWU, Desk, MakeDesk, at, one_report, told

REPORT = File(Stored("0" * 64, 3), "3月专报.docx", "application/msword")


def take_back(desk: Desk, key: str = CAIWU) -> None:
    withdraw(desk.ledger, desk.bureau, desk.act(key))


def test_what_was_withdrawn_is_owed_again_and_its_reminders_go_on(desk: Desk) -> None:
    desk.beat("03-17 09:00")
    desk.go("03-20 10:00").submit()
    desk.deliver()
    assert desk.beat("03-22 09:00") == []
    desk.go("03-22 10:00")
    take_back(desk)
    assert desk.row().state == "open"
    assert desk.row().submitted_at is None
    assert told(desk.beat("03-22 10:01")) == [("reminder", "caiwu@edu.example")]
    (received,) = desk.submissions()
    assert (received.outcome, received.decided_by) == ("withdrawn", "林美环")
    assert [e.who for e in desk.events("submission.withdrawn")] == ["林美环"]


def test_after_the_office_has_accepted_nothing_is_withdrawn(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.accept()
    with pytest.raises(RefusedError, match="only what waits can be withdrawn"):
        take_back(desk)
    assert desk.row().state == "accepted"


def test_what_was_returned_before_is_returned_again(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.give_back()
    desk.go("03-21 10:00").submit()
    take_back(desk)
    assert desk.row().state == "returned"
    assert desk.row().submitted_at == at("03-20 10:00")


def test_a_withdrawn_late_report_does_not_make_the_next_one_late(desk: Desk) -> None:
    desk.go("03-25 10:00").submit()
    take_back(desk)
    assert not desk.row().late
    desk.override(deadline=at("03-28 17:30"))
    desk.submit()
    assert not desk.row().late


def test_a_late_report_that_was_returned_stays_late(desk: Desk) -> None:
    desk.go("03-25 10:00").submit()
    desk.give_back(limit="03-30 17:30")
    desk.submit()
    take_back(desk)
    assert desk.row().late


def test_an_exemption_made_meanwhile_counts_after_the_withdrawal(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.override(exempt=True)
    assert desk.row().state == "submitted"
    take_back(desk)
    desk.reconcile()
    assert desk.row().state == "exempt"


def test_what_was_due_before_the_ledger_is_not_chased_after_a_withdrawal(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(one_report(), born="04-03 08:00")
    desk.submit()
    take_back(desk)
    assert (desk.row().state, desk.row().next_action_at) == ("before", None)


def test_a_receipt_that_is_not_sent_yet_is_withdrawn_too(desk: Desk) -> None:
    desk.beat("03-17 09:00")
    desk.go("03-20 20:00").submit()
    take_back(desk)
    assert desk.beat("03-21 09:00") == []


def test_a_hand_in_brings_its_files(desk: Desk) -> None:
    with desk.ledger.write() as connection:
        earlier = attach(connection, REPORT, desk.now, "caiwu@edu.example")
    desk.submit(files=(REPORT,), attachments=(earlier,))
    (received,) = desk.submissions()
    with desk.ledger.read() as connection:
        found = of_submissions(connection, [received.id])[received.id]
    assert [row.by for row in found] == ["caiwu@edu.example", "林美环"]


def test_a_refused_hand_in_names_no_file(desk: Desk) -> None:
    desk.submit(files=(REPORT,))
    with pytest.raises(RefusedError):
        desk.submit(files=(REPORT,))
    with desk.ledger.read() as connection:
        assert sum(map(len, of_submissions(connection, [1, 2]).values())) == 1


def test_a_withdrawal_long_past_the_deadline_reminds_the_section_before_any_official(
    desk: Desk,
) -> None:
    desk.beats("03-17 09:00", "03-22 09:00")
    desk.go("03-23 10:00").submit()
    desk.deliver()
    desk.go("04-03 08:00")
    take_back(desk)
    assert told(desk.beat("04-03 09:00")) == [("reminder", "caiwu@edu.example")]
    assert {kind for kind, _ in told(desk.beat("04-04 09:00"))} == {"escalation"}


def test_an_official_who_was_told_that_it_is_good_is_told_again_when_it_is_not(
    desk: Desk,
) -> None:
    desk.beats("03-17 09:00", "03-22 09:00", "03-24 09:00", "03-27 09:00")
    desk.go("03-27 15:00").submit()
    assert "closing" in {kind for kind, _ in told(desk.deliver())}
    desk.go("03-28 10:00")
    take_back(desk)
    kinds = {kind for kind, _ in told(desk.beats("03-28 10:01", "03-29 09:00"))}
    assert "escalation" in kinds
