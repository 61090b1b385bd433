"""What waits for the office, and what the office says of it, by command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from duban.standings import State
from jobs.listen import listen
from ledger.mails import MailState
from scheduler import clock
from scheduler.cli import folders
from tests.support.commands import Answer, call
from tests.support.dovecot import PASSWORD, Account, Dovecot
from tests.support.inboxes import Inbox, answer, back
from tests.support.ledgers import CAIWU, at, one_report, told

STRANGER = "From: clerk@home.example"


Command = Callable[..., Answer]


@pytest.fixture
def duban(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command over the inbox's ledger, at its hour."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("DUBAN_DATABASE", str(inbox.desk.ledger.url))
    monkeypatch.setenv("DUBAN_ARCHIVE", str(inbox.archive.folder))
    monkeypatch.setattr(clock.SystemClock, "now", lambda _: inbox.desk.now)
    monkeypatch.setattr(folders, "bureau_in", lambda _: inbox.desk.bureau)

    def run(*arguments: object) -> Answer:
        return call(capsys, "inbox", *arguments)

    return run


def stray(inbox: Inbox) -> None:
    """An answer from an address that is not the section's."""
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.desk.go("03-20 11:00")
    raw = answer(letter, "月报见附件", "../月报.pdf", sender=STRANGER)
    assert inbox.take(raw, arrived="03-20 10:05") is MailState.OPEN


def test_the_list_says_what_waits_and_why(inbox: Inbox, duban: Command) -> None:
    assert duban("list").out == "no mail waits for the office\n"
    stray(inbox)
    said = duban("list").out
    assert "waits: sender is not the section's  clerk@home.example" in said
    (one,) = duban("list", "--json").json["mails"]
    assert (one["mail"], one["state"], one["sender"]) == (1, "open", "clerk@home.example")


def test_f46_one_mail_is_shown_with_clean_names(inbox: Inbox, duban: Command) -> None:
    stray(inbox)
    shown = duban("show", 1).out
    assert "月报见附件" in shown
    assert "  月报.pdf (" in shown
    assert ".." not in shown
    assert duban("show", 9).code == 1


def test_an_assigned_mail_is_a_hand_in_of_the_hour_it_came(inbox: Inbox, duban: Command) -> None:
    stray(inbox)
    said = duban("assign", 1, CAIWU, "--by", "办公室", "--json").json
    assert said["number"] == "demo-0001"
    (entry,) = inbox.desk.submissions()
    assert (entry.via, entry.by, entry.at) == ("mail", "clerk@home.example", at("03-20 10:05"))
    assert [f.submission_id for f in inbox.files()] == [entry.id]
    assert inbox.desk.row().state == State.SUBMITTED
    assert told(inbox.desk.deliver()) == [("receipt", "caiwu@edu.example")]
    assert inbox.mails()[0].decided_by == "办公室"
    again = duban("assign", 1, CAIWU)
    assert (again.code, "nothing is left to decide" in again.err) == (1, True)


def test_a_mail_that_cannot_be_assigned_keeps_waiting(inbox: Inbox, duban: Command) -> None:
    stray(inbox)
    inbox.desk.submit()
    assert duban("assign", 1, CAIWU).code == 1
    assert inbox.mails()[0].state == "open"


def test_a_dismissed_mail_waits_no_more(inbox: Inbox, duban: Command) -> None:
    stray(inbox)
    assert duban("dismiss", 1, "--reason", "广告").code == 0
    assert duban("list").out == "no mail waits for the office\n"
    assert "dismissed" in duban("list", "--all").out
    assert duban("dismiss", 1).code == 1


def test_the_office_says_that_an_address_works(inbox: Inbox, duban: Command) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.take(back(inbox.desk.now, letter))
    assert duban("works", "Caiwu@edu.example").code == 0
    assert inbox.returned() == []
    assert duban("works", "caiwu@edu.example").code == 1


def test_f40_status_shows_what_comes_back_and_what_waits(
    inbox: Inbox,
    duban: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.take(back(inbox.desk.now, letter))
    inbox.take(answer(letter, "报", "月报.pdf", sender=STRANGER))
    said = call(capsys, "status").out
    assert duban("list").code == 0
    assert "letters to caiwu@edu.example come back since" in said
    assert "1 mail(s) wait for the office" in said
    document = call(capsys, "status", "--json").json
    assert document["mails_waiting"] == 1
    assert document["returned_addresses"][0]["address"] == "caiwu@edu.example"


def test_a_corrected_address_is_marked_no_more(inbox: Inbox, dovecot: Dovecot) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.take(back(inbox.desk.now, letter))
    account = dovecot.account()
    listen(inbox.intake, account.mailbox(), lambda: inbox.desk.now, lambda: False)
    assert inbox.returned() == ["caiwu@edu.example"]
    sections = [s.model_dump(by_alias=True) for s in one_report().file.sections]
    for section in sections:
        if section["name"] == "财务科":
            section["email"] = "caiwu-new@edu.example"
    inbox.desk.replan(one_report(sections=sections))
    listen(inbox.intake, account.mailbox(), lambda: inbox.desk.now, lambda: False)
    assert inbox.returned() == []


def test_the_mailbox_can_be_tried(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = dovecot.account()
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert call(capsys, "inbox", "test").code == 1
    for name, value in variables(account).items():
        monkeypatch.setenv(name, value)
    assert "can be read: 0 mail(s)" in call(capsys, "inbox", "test").out
    monkeypatch.setenv("DUBAN_IMAP_FOLDER", "nowhere")
    refused = call(capsys, "inbox", "test", "--json")
    assert (refused.code, refused.json["ok"]) == (1, False)
    assert PASSWORD not in refused.out + refused.err


def variables(account: Account) -> dict[str, str]:
    """The settings of this mailbox as variables."""
    return {
        "DUBAN_IMAP_HOST": "localhost",
        "DUBAN_IMAP_PORT": str(account.server.tls),
        "DUBAN_IMAP_USERNAME": account.user,
        "DUBAN_IMAP_PASSWORD": PASSWORD,
        "DUBAN_IMAP_CA_FILE": str(account.server.ca),
    }


def test_f39_what_was_passed_over_may_be_assigned_with_its_files(
    inbox: Inbox, duban: Command
) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.take(answer(letter, "报", "月报.pdf", more=("Precedence: bulk",)))
    assert duban("list").out == "no mail waits for the office\n"
    assert duban("assign", 1, CAIWU).code == 0
    assert [f.submission_id for f in inbox.files()] == [inbox.desk.submissions()[0].id]
