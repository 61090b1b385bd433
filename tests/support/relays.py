"""Our relay over a real connection, and what came through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtplib import SMTPResponse

from mailroom.conversation import Conversation
from mailroom.relay import Mail, Relay, Reply
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.smtp import FaultyServer


@dataclass
class Counting:
    """A relay that remembers what it was handed."""

    behind: Relay
    took: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> Reply:
        """Remember it, and hand it on."""
        self.took.append(mail)
        return await self.behind.send(mail)

    async def close(self) -> None:
        """Close what is behind."""
        await self.behind.close()


def smtp_relay(server: FaultyServer, **more: Any) -> SmtpRelay:
    """A relay to the faulty server."""
    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "tls": "none",
        "timeout_s": 5,
    }
    return SmtpRelay(RelaySettings(**(usual | more)))


def headers(server: FaultyServer, name: str) -> list[str]:
    """A header of each mail that reached its final dot."""
    return [str(message_from_bytes(m, policy=policy.default)[name]) for m in server.mails]


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What we wrote to servers, and `…` where we waited for an answer."""
    written: list[bytes] = []
    say, hear = Conversation.say, Conversation.hear

    def said(self: Conversation, *parts: bytes) -> None:
        written.append(b"".join(parts))
        say(self, *parts)

    async def heard(self: Conversation) -> SMTPResponse:
        written.append("…".encode())
        return await hear(self)

    monkeypatch.setattr(Conversation, "say", said)
    monkeypatch.setattr(Conversation, "hear", heard)
    return written


def announced(writes: list[bytes]) -> int:
    """How many mails were announced with another's content."""
    return b"".join(writes).count(b"\r\n.\r\nMAIL FROM:<")
