"""A plan at work whose sections answer by mail: bytes go in as the mailbox would give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row

from jobs.inbox import Desk as Intake
from jobs.inbox import Incoming, take_in
from jobs.links import Links
from jobs.marking import Sent
from ledger.archive import Archive
from ledger.mails import MailState
from ledger.tables import attachment, mail, returned_address
from mailroom.relay import Relay
from tests.support.ledgers import Desk, MakeDesk, at, one_report
from tests.support.mails import file_part, multipart, words_part
from tests.support.plans import rule

CLERK = "From: caiwu@edu.example"
SPECIAL = "special/2023/财务科"


@dataclass
class Inbox:
    """A desk, its archive, and mails that arrive one after the other."""

    desk: Desk
    archive: Archive
    links: Links | None = None
    largest_file_bytes: int = 1_000_000
    arrivals: list[Incoming] = field(default_factory=list)
    relay: Relay | None = None
    sender: str = ""

    @property
    def intake(self) -> Intake:
        """What taking in needs."""
        return Intake(
            ledger=self.desk.ledger,
            bureaus=self.desk.bureaus,
            archive=self.archive,
            largest_file_bytes=self.largest_file_bytes,
            links=self.links,
        )

    def take(self, raw: bytes, arrived: str | None = None, **changes: Any) -> MailState | None:
        """A mail arrives, now or at an hour before, and is taken in."""
        when = at(arrived).astimezone(UTC) if arrived else self.desk.now
        incoming = Incoming(
            account="office@imap.example/INBOX",
            validity=changes.get("validity", 7),
            uid=changes.get("uid", len(self.arrivals) + 1),
            size=len(raw),
            arrived_at=when,
            raw=raw,
            whole=changes.get("whole", True),
        )
        self.arrivals.append(incoming)
        return take_in(self.intake, incoming, self.desk.now)

    def kept(self, sha256: str) -> bytes:
        """Bytes that the archive holds."""
        with self.archive.open(sha256) as file:
            return file.read()

    def at_relay(self, relay: Relay, sender: str) -> Inbox:
        """The same with letters that leave through this relay, from this address."""
        self.relay, self.sender = relay, sender
        return self

    def beat(self, when: str) -> None:
        """Remind and deliver at an hour, through the relay of `at_relay`."""
        self.desk.go(when).remind()
        self.desk.deliver(relay=self.relay, sender=self.sender)

    def mails(self) -> list[Row[Any]]:
        """What is recorded of the mails."""
        return self.desk.all(mail)

    def files(self) -> list[Row[Any]]:
        """What is recorded of their files."""
        return self.desk.all(attachment)

    def returned(self) -> list[str]:
        """The marked addresses."""
        with self.desk.ledger.read() as connection:
            return [row.address for row in connection.execute(returned_address.select())]


def answer(
    sent: Sent, words: str, *files: str, sender: str = CLERK, more: tuple[str, ...] = ()
) -> bytes:
    """A section's answer to a letter, with files of these names."""
    parts = [words_part(words), *(file_part(name, name.encode()) for name in files)]
    return multipart(parts, sender, f"In-Reply-To: {sent.mail.message_id}", *more)


def back(when: datetime, sent: Sent) -> bytes:
    """The relay's report that a letter did not arrive."""
    from tests.support.mails import bounced

    return bounced(sent.mail.message_id) + f"\r\nat {when.isoformat()}".encode()


MakeInbox = Callable[..., Inbox]


@pytest.fixture
def make_inbox(make_desk: MakeDesk, tmp_path: Path) -> MakeInbox:
    """Makes an inbox for a plan, as `make_desk` makes a desk."""

    def make(*args: Any, **more: Any) -> Inbox:
        return Inbox(make_desk(*args, **more), Archive(tmp_path / "archive", 1_000_000))

    return make


@pytest.fixture
def inbox(make_inbox: MakeInbox) -> Inbox:
    """An inbox for `one_report`."""
    return make_inbox()


def two_reports() -> Any:
    """A plan by which 财务科 owes two reports on one day."""
    special = rule({"yearly": "03-25"}) | {"id": "special", "short_title": "专报"}
    monthly = rule({"monthly": 25}) | {"short_title": "月报", "title": "月度工作进展"}
    return one_report(rules=[monthly, special])
