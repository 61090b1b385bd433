"""Letters through a real Postfix into a real Dovecot: answers and bounces find their way back."""

from __future__ import annotations

from email import message_from_bytes

import pytest

from duban.standings import State
from jobs.listen import listen
from ledger.mails import MailState
from mailroom.imap import Mailbox
from mailroom.reader.mail import read
from tests.support.dovecot import Account, Dovecot
from tests.support.inboxes import Inbox, MakeInbox
from tests.support.ledgers import one_report
from tests.support.mails import file_part, multipart, words_part
from tests.support.postfix import Postfix

OFFICE, SECTION, GONE = "bangongshi@edu.example", "caiwu@edu.example", "gone@edu.example"
_LOOKS = 400


def arrived(inbox: Inbox, mailbox: Mailbox) -> tuple[MailState, ...]:
    """Look into the mailbox until something has come."""
    for _ in range(_LOOKS):
        reading = listen(inbox.intake, mailbox, lambda: inbox.desk.now, lambda: False)
        if reading.states:
            return reading.states
    pytest.fail("nothing came")


def newest(account: Account, count: int) -> bytes:
    """The mail of this number, once it is there."""
    for _ in range(_LOOKS):
        with account.mailbox().session() as session:
            uids = session.since(0)
            if len(uids) >= count:
                return session.fetch(uids[-1]) or b""
    pytest.fail("nothing came")


def test_f40_a_real_bounce_voids_the_reminder_and_marks_the_address(
    make_inbox: MakeInbox, dovecot: Dovecot, postfix: Postfix
) -> None:
    sections = [s.model_dump(by_alias=True) for s in one_report().file.sections]
    for section in sections:
        if section["name"] == "财务科":
            section["email"] = GONE
    inbox = make_inbox(one_report(sections=sections)).at_relay(postfix.relay(), OFFICE)
    inbox.beat("03-17 09:00")
    assert inbox.desk.letters()[0].state == "sent"
    office = Account(dovecot, OFFICE)
    assert arrived(inbox, office.mailbox()) == (MailState.BOUNCE,)
    row = inbox.desk.letters()[0]
    assert (row.state, row.reason) == ("failed", f'came back: 5.1.1 unknown user: "{GONE}"')
    assert inbox.returned() == [GONE]
    inbox.beat("03-17 09:30")
    notice = newest(office, 2)
    assert GONE in read(notice).text


def test_a_report_goes_there_and_back_through_real_servers(
    inbox: Inbox, dovecot: Dovecot, postfix: Postfix
) -> None:
    inbox.at_relay(postfix.relay(), OFFICE)
    inbox.beat("03-17 09:00")
    clerk = Account(dovecot, SECTION)
    letter = message_from_bytes(newest(clerk, 1))
    answer = multipart(
        [words_part("3月月报已附。"), file_part("3月月报.pdf")],
        f"From: {SECTION}",
        f"In-Reply-To: {letter['Message-ID']}",
    )
    assert letter["Reply-To"] == OFFICE
    inbox.desk.go("03-17 10:00")
    already = len(inbox.mails())
    listen(inbox.intake, Account(dovecot, OFFICE).mailbox(), lambda: inbox.desk.now, lambda: False)
    postfix.send(SECTION, OFFICE, answer)
    assert arrived(inbox, Account(dovecot, OFFICE).mailbox()) == (MailState.TAKEN,)
    assert inbox.desk.row().state == State.SUBMITTED
    assert len(inbox.mails()) > already
    inbox.beat("03-17 10:05")
    receipt = message_from_bytes(newest(clerk, 2))
    assert receipt["X-Duban-Kind"] == "receipt"
