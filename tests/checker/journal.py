"""The SMTP server's journal: one JSON line for each MAIL transaction, beside the mails themselves.

A line has `at` (RFC 3339), `to` (the envelope's recipient), `file` (the mail, relative to the
journal), `outcome` (`accepted`, `deferred`, `refused`; accepted where left out) and `answered`
(false: the client never saw the answer). The `letters.jsonl` of `duban simulate` is such a journal.
What a mail is and which obligations it speaks of is read from the mail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

REMINDER, ESCALATION, CHANGE = "reminder", "escalation", "change"
RECEIPT, CLOSING, DIGEST, NOTICE = "receipt", "closing", "digest", "notice"
LADDER = (REMINDER, ESCALATION)
ACCEPTED, DEFERRED, REFUSED = "accepted", "deferred", "refused"

_HEADERS = BytesHeaderParser()


@dataclass(frozen=True, eq=False)
class Mail:
    """One attempt to hand over one mail to one recipient; `at` is the server's own time."""

    at: datetime
    to: str
    outcome: str
    answered: bool
    message_id: str
    kind: str
    keys: tuple[str, ...]
    subject: str
    content: bytes

    @property
    def accepted(self) -> bool:
        """Whether the server took it over."""
        return self.outcome == ACCEPTED

    @property
    def text(self) -> str:
        """The plain text of the mail."""
        whole = message_from_bytes(self.content)
        part = next(p for p in whole.walk() if p.get_content_type() == "text/plain")
        payload = part.get_payload(decode=True)
        return payload.decode() if isinstance(payload, bytes) else ""

    def __str__(self) -> str:
        answer = self.outcome + ("" if self.answered else ", answer lost")
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind} to {self.to} ({answer}) {self.subject}"


def mail_of(line: Mapping[str, Any], content: bytes) -> Mail:
    """A journal's line and its mail together."""
    head = _HEADERS.parsebytes(content)
    return Mail(
        at=datetime.fromisoformat(line["at"]),
        to=line["to"].lower(),
        outcome=line.get("outcome", ACCEPTED),
        answered=line.get("answered", True),
        message_id=str(head["Message-ID"]),
        kind=_said(head, "X-Duban-Kind"),
        keys=tuple(filter(None, _said(head, "X-Duban-Obligations").split(", "))),
        subject=_said(head, "Subject"),
        content=content,
    )


def read_journal(path: Path) -> list[Mail]:
    """All transactions in the order of the journal."""
    lines = (json.loads(text) for text in path.read_text("utf-8").splitlines() if text.strip())
    return [mail_of(line, (path.parent / line["file"]).read_bytes()) for line in lines]


def _said(head: Message, name: str) -> str:
    value = head[name]
    return "" if value is None else str(make_header(decode_header(value)))
