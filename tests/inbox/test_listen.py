"""Reading a real mailbox: everything once, nothing marked, troubles said."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest

from jobs import inbox as room
from jobs.listen import Reading, listen
from jobs.verdict import Why
from ledger import mails
from ledger.engine import LedgerError
from ledger.mails import MailState
from mailroom.imap import Mailbox, MailboxError, Session
from mailroom.reader.mail import read
from mailroom.settings import MailboxSettings, Tls
from tests.support.dovecot import PASSWORD, Account, Dovecot
from tests.support.inboxes import CLERK, Inbox, answer
from tests.support.ledgers import at, told
from tests.support.mails import text

WHEN = at("03-20 10:05").astimezone(UTC)


@pytest.fixture
def account(dovecot: Dovecot) -> Account:
    """An empty mailbox."""
    return dovecot.account()


def look(inbox: Inbox, mailbox: Mailbox) -> Reading:
    """One reading."""
    return listen(inbox.intake, mailbox, lambda: inbox.desk.now, lambda: False)


def arrived(inbox: Inbox, account: Account, *words: str, when: datetime = WHEN) -> None:
    """Mails that answer nothing, in this order."""
    for one in words:
        account.put(text(one, CLERK, f"Message-ID: <{one}@edu.example>"), when)


def test_an_answer_in_the_mailbox_becomes_a_hand_in_of_the_hour_it_came(
    inbox: Inbox, account: Account
) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    account.put(answer(letter, "报", "月报.pdf"), WHEN)
    inbox.desk.go("03-20 10:30")
    assert look(inbox, account.mailbox()).states == (MailState.TAKEN,)
    (entry,) = inbox.desk.submissions()
    assert entry.at == WHEN
    assert told(inbox.desk.deliver()) == [("receipt", "caiwu@edu.example")]


def test_f43_two_nodes_that_read_one_mailbox_at_once_take_each_mail_once(
    inbox: Inbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    account.put(answer(letter, "报", "月报.pdf"), WHEN)
    arrived(inbox, account, "one", "two")
    inbox.desk.go("03-20 10:30")
    gate = Barrier(2)

    def both_at_once(*about: Any) -> MailState | None:
        gate.wait(30)
        return room.take_in(*about)

    monkeypatch.setattr("jobs.listen.take_in", both_at_once)
    with ThreadPoolExecutor(2) as nodes:
        looks = [nodes.submit(look, inbox, account.mailbox()) for _ in range(2)]
        readings = [node.result(60) for node in looks]
    assert [reading.trouble for reading in readings] == ["", ""]
    assert sorted(row.uid for row in inbox.mails()) == [1, 2, 3]
    assert len(inbox.desk.submissions()) == 1
    assert [kind for kind, _ in told(inbox.desk.deliver())].count("receipt") == 1


@pytest.mark.parametrize("tls", ["implicit", "starttls", "none"])
def test_each_way_of_encryption_reads(inbox: Inbox, account: Account, tls: Tls) -> None:
    arrived(inbox, account, "one")
    inbox.desk.go("03-20 11:00")
    assert look(inbox, account.mailbox(tls)).states == (MailState.OPEN,)


def test_reading_leaves_no_mark_in_the_mailbox(inbox: Inbox, account: Account) -> None:
    arrived(inbox, account, "one")
    inbox.desk.go("03-20 11:00")
    look(inbox, account.mailbox())
    # not even that it was looked at: the office's own client still finds it new
    assert account.flags() == [b"1 (FLAGS (\\Recent))"]


def test_duban_says_who_it_is_after_the_login(inbox: Inbox, account: Account) -> None:
    look(inbox, account.mailbox())
    assert f"imap({account.user})" in account.server.log()
    assert "ID sent: name=duban" in account.server.log()


def test_only_what_is_new_is_fetched(
    inbox: Inbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[int] = []
    fetch = Session.fetch

    def noted(session: Session, uid: int) -> bytes | None:
        fetched.append(uid)
        return fetch(session, uid)

    monkeypatch.setattr(Session, "fetch", noted)
    inbox.desk.go("03-20 11:00")
    arrived(inbox, account, "one", "two")
    look(inbox, account.mailbox())
    arrived(inbox, account, "three")
    look(inbox, account.mailbox())
    look(inbox, account.mailbox())
    assert fetched == [1, 2, 3]


def test_what_is_older_than_the_window_is_left_at_the_first_look(
    inbox: Inbox, account: Account
) -> None:
    arrived(inbox, account, "old", when=at("01-20 09:00"))
    arrived(inbox, account, "new")
    inbox.desk.go("03-20 11:00")
    look(inbox, account.mailbox())
    assert [row.words for row in inbox.mails()] == ["new"]


def test_f44_a_folder_made_anew_is_read_again_and_known_by_its_content(
    inbox: Inbox, account: Account
) -> None:
    (letter,) = inbox.desk.beat("03-17 09:00")
    inbox.desk.go("03-20 11:00")
    folder = "&YqWQAQ-"  # 报送, in IMAP's own UTF-7
    account.renumber(folder)
    mailbox = account.mailbox(folder="报送")
    account.put(answer(letter, "报", "月报.pdf"), WHEN, folder)
    assert look(inbox, mailbox).states == (MailState.TAKEN,)
    account.renumber(folder)
    account.put(text("别的", CLERK), WHEN, folder)
    account.put(answer(letter, "报", "月报.pdf"), WHEN, folder)
    assert look(inbox, mailbox).states == (MailState.OPEN, MailState.AGAIN)
    assert len(inbox.desk.submissions()) == 1
    assert look(inbox, mailbox).states == ()


class Unnumbered(Mailbox):
    """A mailbox whose server gives no UIDVALIDITY: its numbers mean nothing tomorrow."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """As the server's, but for the number."""
        with super().session() as made:
            made.validity = 0
            yield made


def test_f44_without_a_uidvalidity_a_window_is_read_every_time(
    inbox: Inbox, account: Account
) -> None:
    inbox.desk.go("03-20 11:00")
    mailbox = Unnumbered(account.settings(folder="other"))
    account.renumber("other")
    account.put(text("one", CLERK), WHEN, "other")
    account.put(text("two and more", CLERK), WHEN, "other")
    assert look(inbox, mailbox).states == (MailState.OPEN, MailState.OPEN)
    assert look(inbox, mailbox).states == ()
    account.renumber("other")
    account.put(text("two and more", CLERK), WHEN, "other")
    account.put(text("three, which has the number of two", CLERK), WHEN, "other")
    assert look(inbox, mailbox).states == (MailState.AGAIN, MailState.OPEN)
    assert [row.words for row in inbox.mails() if row.state == "open"] == [
        "one",
        "two and more",
        "three, which has the number of two",
    ]


def test_f46_a_huge_mail_is_not_fetched(
    inbox: Inbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "fetch", lambda *_: pytest.fail("it was fetched"))
    account.put(text("x" * 5000, CLERK, "Subject: huge"), WHEN)
    inbox.desk.go("03-20 11:00")
    assert look(inbox, account.mailbox(largest_bytes=4000)).states == (MailState.OPEN,)
    (row,) = inbox.mails()
    assert (row.reason, row.subject, row.size > 5000) == (Why.TOO_LARGE, "huge", True)


def test_f45_a_mail_that_cannot_be_decided_waits_and_the_others_go_on(
    inbox: Inbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "read", lambda raw: 1 / 0 if b"poison" in raw else read(raw))
    arrived(inbox, account, "poison", "wholesome")
    inbox.desk.go("03-20 11:00")
    assert look(inbox, account.mailbox()).states == (MailState.OPEN, MailState.OPEN)
    poison, wholesome = inbox.mails()
    assert (poison.reason, poison.sha256 != "") == (Why.UNREADABLE, True)
    assert b"poison" in inbox.kept(poison.sha256)
    assert wholesome.words == "wholesome"


def test_a_ledger_that_cannot_be_written_ends_the_reading_and_loses_nothing(
    inbox: Inbox, account: Account
) -> None:
    arrived(inbox, account, "one")
    inbox.desk.go("03-20 11:00")
    inbox.archive.folder.write_bytes(b"")
    with pytest.raises(LedgerError):
        look(inbox, account.mailbox())
    inbox.archive.folder.unlink()
    assert look(inbox, account.mailbox()).states == (MailState.OPEN,)


def test_a_wrong_password_is_said_without_it(account: Account) -> None:
    wrong = Mailbox(replace(account.settings(), password="not-" + PASSWORD))
    with pytest.raises(MailboxError, match="authorisation code") as caught, wrong.session():
        pass
    assert PASSWORD not in str(caught.value)


def test_a_certificate_of_nobodys_is_refused(account: Account) -> None:
    for tls in ("implicit", "starttls"):
        distrusted = Mailbox(replace(account.settings(tls), ca_file=None))
        with pytest.raises(MailboxError, match="certificate"), distrusted.session():
            pass


def test_without_encryption_only_this_machine_is_read() -> None:
    with pytest.raises(ValueError, match="unencrypted"):
        MailboxSettings(host="imap.edu.example", tls="none", username="x", password="y")


def test_f42_an_unreachable_mailbox_is_remembered_and_the_office_told_once(inbox: Inbox) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        mailbox = _nowhere(port)
        for hour in ("09:00", "10:00", "11:00", "11:01"):
            inbox.desk.go(f"03-20 {hour}")
            assert "cannot be read" in look(inbox, mailbox).trouble
    assert inbox.desk.mark(mails.READ) is None
    (notice,) = [s for s in inbox.desk.deliver() if s.ready.facts.kind == "notice"]
    assert "收件邮箱无法读取" in notice.written.subject


def test_a_mailbox_that_can_be_read_again_is_in_trouble_no_more(
    inbox: Inbox, account: Account
) -> None:
    look(inbox, _nowhere(1))
    assert inbox.desk.mark(mails.TROUBLE)
    look(inbox, account.mailbox())
    assert inbox.desk.mark(mails.TROUBLE) is None
    assert inbox.desk.mark(mails.READ) == inbox.desk.now.isoformat()


def test_a_reading_that_is_stopped_does_not_count_as_one(inbox: Inbox, account: Account) -> None:
    arrived(inbox, account, "one")
    inbox.desk.go("03-20 11:00")
    stopped = listen(inbox.intake, account.mailbox(), lambda: inbox.desk.now, lambda: True)
    assert stopped.states == ()
    assert inbox.desk.mark(mails.READ) is None


def _nowhere(port: int) -> Mailbox:
    return Mailbox(
        MailboxSettings(host="127.0.0.1", port=port, tls="none", username="x", password="y")
    )
