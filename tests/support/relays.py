"""Our relay over a real connection, and what came through it."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.smtp import FaultyServer


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
