"""Mails handed to the relay over SMTP, one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

from mailroom.relay import Mail, Reply
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.smtp import FaultyServer


def mail(
    recipient: str = "caiwu@qzedu.example", content: bytes = b"Subject: x\r\n\r\nx\r\n"
) -> Mail:
    return Mail("bgs@qzedu.example", recipient, "<1@qzedu.example>", content)


def settings(server: FaultyServer, **more: Any) -> RelaySettings:
    base: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "tls": "none", "timeout_s": 5}
    return RelaySettings(**(base | more))


def send(server: FaultyServer, *mails: Mail, **more: Any) -> list[Reply]:
    async def run() -> list[Reply]:
        relay = SmtpRelay(settings(server, **more))
        replies = [await relay.send(m) for m in mails or (mail(),)]
        await relay.close()
        return replies

    return asyncio.run(run())
