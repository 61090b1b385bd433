"""How a process of ours ended, and what it complained of last: for the log."""

from __future__ import annotations

import asyncio

from sqlalchemy import make_url

_READ_BYTES = 1 << 16
_KEPT_BYTES = 4096
_SHOWN_CHARACTERS = 300


class LastWords:
    """Hears what a process says on its standard error; `ended` is done when it has closed that.

    It reads on for as long as the process lives: a pipe that is full would stop it.
    """

    def __init__(self, source: asyncio.StreamReader) -> None:
        self._words = b""
        self.ended = asyncio.create_task(self._hear(source))

    async def _hear(self, source: asyncio.StreamReader) -> None:
        while words := await source.read(_READ_BYTES):
            self._words = (self._words + words)[-_KEPT_BYTES:]

    def said(self, url: str) -> str | None:
        """The last line, without the password in the ledger's address `url`."""
        words = self._words.decode("utf-8", "replace")
        address = make_url(url)
        for secret in (address.password, *map(address.query.get, ("password", "sslpassword"))):
            if secret:
                words = words.replace(str(secret), "…")
        lines = [line for line in words.splitlines() if line.strip()]
        return lines[-1].strip()[-_SHOWN_CHARACTERS:] if lines else None


def ending(status: int | None) -> str:
    """An exit status in words; None is that of a process which has not ended."""
    if status is None:
        return "it stopped answering"
    return f"it was ended by signal {-status}" if status < 0 else f"it ended with status {status}"
