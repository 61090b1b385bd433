"""A mail comes in: what becomes of it, of the obligation, and of who is told."""

from __future__ import annotations

import hashlib

import pytest

from config.plan import Plan
from duban.standings import State
from jobs.bounced import NotYetError
from jobs.links import Links
from jobs.verdict import Why
from ledger.engine import LedgerError
from ledger.mails import MailState
from ledger.tables import letter as table
from tests.support.inboxes import CLERK, SPECIAL, Inbox, MakeInbox, answer, back, two_reports
from tests.support.ledgers import CAIWU, at, one_report, told
from tests.support.mails import bounced, file_part, multipart, text, text_of, words_part
from tests.support.postgres import both_databases, postgres

__all__ = ["both_databases", "postgres"]

SECTION = "caiwu@edu.example"


def test_an_answer_with_its_report_is_a_hand_in_and_is_receipted_once(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.desk.go("03-20 10:07")
    raw = answer(letter, "3月月报已附。", "3月月报.docx")
    assert inbox.take(raw, arrived="03-20 10:05") is MailState.TAKEN
    assert inbox.desk.row().state == State.SUBMITTED
    (entry,) = inbox.desk.submissions()
    assert (entry.via, entry.by, entry.note) == ("mail", SECTION, "3月月报已附。")
    assert entry.at == at("03-20 10:05")
    (file,) = inbox.files()
    assert (file.submission_id, file.name) == (entry.id, "3月月报.docx")
    assert inbox.kept(file.sha256) == "3月月报.docx".encode()
    (event,) = inbox.desk.events("submission.received")
    assert event.data["mail"] == "<reply@jyj.example>"
    (receipt,) = inbox.desk.deliver()
    assert told([receipt]) == [("receipt", SECTION)]
    assert receipt.ready.facts.items[0].number == "demo-0001"
    assert inbox.desk.deliver() == []


def test_the_raw_mail_is_kept_before_anything_is_decided(inbox: Inbox) -> None:
    raw = text("随便", CLERK)
    inbox.take(raw)
    (row,) = inbox.mails()
    assert row.sha256 == hashlib.sha256(raw).hexdigest()
    assert inbox.kept(row.sha256) == raw


def test_without_room_for_the_raw_mail_nothing_is_recorded(inbox: Inbox) -> None:
    inbox.archive.folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(LedgerError):
        inbox.take(text("随便"))
    assert inbox.mails() == []


def test_what_arrived_in_time_is_in_time_however_late_it_is_read(inbox: Inbox) -> None:
    inbox.desk.beat("03-17 09:00")
    (letter,) = inbox.desk.beat("03-22 09:00")
    inbox.desk.go("03-27 08:00")
    inbox.take(answer(letter, "补", "月报.pdf"), arrived="03-24 17:29")
    assert inbox.desk.row().late is False


def test_an_arrival_before_the_letter_itself_is_not_believed(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-27 09:00")
    inbox.desk.go("03-27 10:00")
    inbox.take(answer(letter, "补", "月报.pdf"), arrived="03-01 09:00")
    assert inbox.desk.row().late is True


@pytest.mark.parametrize("uid", [1, 2])
def test_f43_a_mail_that_was_read_before_changes_nothing(inbox: Inbox, uid: int) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    raw = answer(letter, "报", "月报.pdf")
    inbox.take(raw, uid=1)
    inbox.take(raw, uid=uid)
    assert len(inbox.desk.submissions()) == 1
    assert len(inbox.desk.deliver()) == 1


def test_f44_under_another_uidvalidity_a_mail_is_known_by_its_content(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    raw = answer(letter, "报", "月报.pdf")
    assert inbox.take(raw, validity=7) is MailState.TAKEN
    assert inbox.take(raw, validity=8) is MailState.AGAIN
    assert len(inbox.desk.submissions()) == 1


def test_f39_an_automatic_answer_hands_nothing_in_and_is_not_answered(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    raw = answer(letter, "我在休假", "月报.pdf", more=("Auto-Submitted: auto-replied",))
    assert inbox.take(raw) is MailState.IGNORED
    assert inbox.desk.row().state == State.OPEN
    assert inbox.desk.deliver() == []


def test_f41_a_stranger_with_our_message_id_reaches_only_the_office(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    raw = answer(letter, "报", "月报.pdf", sender="From: evil@elsewhere.example")
    assert inbox.take(raw) is MailState.OPEN
    assert inbox.mails()[0].reason == Why.STRANGER
    assert inbox.desk.row().state == State.OPEN
    assert inbox.desk.deliver() == []
    (file,) = inbox.files()
    assert file.submission_id is None


def test_another_listed_address_of_the_section_is_believed(make_inbox: MakeInbox) -> None:
    sections = one_report().file.sections
    more = [s.model_dump(by_alias=True) for s in sections]
    for section in more:
        if section["name"] == "财务科":
            section["also_from"] = ["Clerk@QQ.example"]
    inbox = make_inbox(one_report(sections=more))
    (letter,) = inbox.desk.beat("03-17 09:00")
    raw = answer(letter, "报", "月报.pdf", sender="From: clerk@qq.example")
    assert inbox.take(raw) is MailState.TAKEN


def test_of_several_obligations_the_named_ones_are_handed_in(make_inbox: MakeInbox) -> None:
    inbox = make_inbox(two_reports())
    (letter,) = inbox.desk.beat("03-17 09:00")
    assert inbox.take(answer(letter, "见附件", "3月专报.pdf", "3月月报.pdf")) is MailState.TAKEN
    states = {key: row.state for key, row in inbox.desk.rows().items() if "2023-03" in key}
    assert states[CAIWU] == State.SUBMITTED
    assert inbox.desk.rows()[SPECIAL].state == State.SUBMITTED
    names = {f.submission_id: f.name for f in inbox.files()}
    keys = {s.obligation_id: names[s.id] for s in inbox.desk.submissions()}
    assert keys[inbox.desk.row(CAIWU).id] == "3月月报.pdf"
    assert keys[inbox.desk.row(SPECIAL).id] == "3月专报.pdf"
    assert told(inbox.desk.deliver()) == [("receipt", SECTION)]


def test_an_unclear_answer_is_asked_about_once_and_then_left_to_the_office(
    make_inbox: MakeInbox,
) -> None:
    inbox = make_inbox(two_reports())
    (letter,) = inbox.desk.beat("03-17 09:00")
    assert inbox.take(answer(letter, "见附件", "材料.pdf")) is MailState.ASKED
    (question,) = inbox.desk.deliver()
    assert told([question]) == [("notice", SECTION)]
    assert "月报" in text_of(question.written.content)
    assert inbox.take(answer(letter, "还是见附件", "材料2.pdf")) is MailState.OPEN
    assert inbox.take(answer(question, "仍见附件", "材料3.pdf")) is MailState.OPEN
    assert inbox.desk.deliver() == []
    assert inbox.take(answer(question, "是专报", "材料.pdf")) is MailState.TAKEN
    assert inbox.desk.row(SPECIAL).state == State.SUBMITTED


def test_a_question_is_withdrawn_when_all_was_handed_in_meanwhile(make_inbox: MakeInbox) -> None:
    inbox = make_inbox(two_reports())
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.take(answer(letter, "见附件", "材料.pdf"))
    inbox.desk.submit(CAIWU)
    inbox.desk.submit(SPECIAL)
    assert told(inbox.desk.deliver()) == [("receipt", SECTION)]


def test_f40_a_letter_that_came_back_marks_its_address_and_the_office_is_told_once(
    inbox: Inbox,
) -> None:
    (first,) = inbox.desk.beat("03-17 09:00")
    assert inbox.take(back(inbox.desk.now, first)) is MailState.BOUNCE
    row = inbox.desk.letters("reminder")[0]
    assert (row.state, row.reason) == ("failed", "came back: 5.1.1 550 5.1.1 mailbox unavailable")
    assert inbox.desk.mentions()[0].state == "void"
    assert inbox.returned() == [SECTION]
    assert told(inbox.desk.deliver()) == [("notice", "bangongshi@edu.example")]
    (second,) = inbox.desk.beat("03-22 09:00")
    inbox.take(back(inbox.desk.now, second))
    assert inbox.desk.deliver() == []


def test_f40_no_escalation_climbs_over_reminders_that_came_back(inbox: Inbox) -> None:
    for hour in ("03-17 09:00", "03-22 09:00", "03-24 09:00"):
        letters = inbox.desk.beat(hour)
        inbox.take(back(inbox.desk.now, letters[0]))
    inbox.desk.deliver()
    assert told(inbox.desk.beat("03-27 09:00")) == [("reminder", SECTION)]
    (held,) = inbox.desk.events("escalation.held")
    assert held.data["reason"].endswith(f"letters to {SECTION} come back")


def test_f40_the_mark_goes_when_the_section_hands_in_from_there(inbox: Inbox) -> None:
    (first,) = inbox.desk.beat("03-17 09:00")
    inbox.take(back(inbox.desk.now, first))
    (second,) = [s for s in inbox.desk.beat("03-22 09:00") if s.mail.recipient == SECTION]
    inbox.take(answer(second, "报", "月报.pdf"))
    assert inbox.returned() == []


def test_f40_a_report_about_no_letter_of_ours_goes_to_the_office(inbox: Inbox) -> None:
    assert inbox.take(bounced("<made-up@edu.example>")) is MailState.OPEN
    assert inbox.returned() == []


def test_f46_a_mail_too_large_to_be_fetched_waits_for_the_office(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    header = answer(letter, "报").split(b"\r\n\r\n", 1)[0]
    assert inbox.take(header, whole=False) is MailState.OPEN
    (row,) = inbox.mails()
    assert (row.reason, row.sender) == (Why.TOO_LARGE, SECTION)


def test_f46_a_file_beyond_the_limit_waits_for_the_office(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    raw = multipart(
        [words_part("报"), file_part("大.pdf", b"x" * 2000)],
        CLERK,
        f"In-Reply-To: {letter.mail.message_id}",
    )
    inbox.largest_file_bytes = 1000
    assert inbox.take(raw) is MailState.OPEN
    assert inbox.mails()[0].reason == Why.TOO_LARGE
    assert inbox.desk.row().state == State.OPEN


def test_a_plan_that_names_a_section_no_more_believes_nobody_for_it(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    gone = [s for s in _sections(one_report()) if s["name"] != "财务科"]
    inbox.desk.replan(one_report(sections=gone, rules=[]))
    assert inbox.take(answer(letter, "报", "月报.pdf")) is MailState.OPEN


def _sections(plan: Plan) -> list[dict[str, object]]:
    return [s.model_dump(by_alias=True) for s in plan.file.sections]


def test_a_link_that_an_answer_quotes_names_its_letter(inbox: Inbox) -> None:
    inbox.links = Links("https://duban.edu.example", ["k" * 32])
    inbox.desk.beat("03-17 09:00")
    which = inbox.desk.letters()[0].id
    for token, state in (("forged.token", "open"), (inbox.links.letter_token(which), "taken")):
        quoted = f"月报如下：招生政策已印发。\n> 报送页 https://duban.edu.example/r/{token}"
        assert inbox.take(text(quoted, CLERK)) == state


def test_f40_a_report_of_delay_marks_nothing(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    late = bounced(letter.mail.message_id, action="delayed", status="4.4.1")
    assert inbox.take(late) is MailState.BOUNCE
    assert inbox.desk.letters()[0].state == "sent"
    assert inbox.returned() == []
    assert inbox.take(bounced(letter.mail.message_id, action="delivered")) is MailState.IGNORED


def test_f40_a_bounce_that_outruns_our_own_record_is_read_again(inbox: Inbox) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    with inbox.desk.ledger.write() as connection:
        connection.execute(table.update().values(state="claimed"))
    with pytest.raises(NotYetError):
        inbox.take(back(inbox.desk.now, letter))
    assert inbox.mails() == []


def test_f40_a_bounce_of_a_letter_that_never_left_goes_to_the_office(inbox: Inbox) -> None:
    inbox.desk.go("03-17 09:00").remind()
    forged = bounced(inbox.desk.letters()[0].message_id)
    assert inbox.take(forged) is MailState.OPEN
    assert inbox.desk.letters()[0].state == "queued"
