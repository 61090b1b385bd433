"""A relay that is a folder: each mail becomes a file to look at. For the demo and the simulator."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from mailroom.compose import html_of
from mailroom.relay import Mail, Outcome, Reply

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class OutboxRelay:
    """Writes `0001-caiwu.eml` (the exact bytes) and `0001-caiwu.html` (its HTML) for each mail.

    Numbers go on from what the folder holds. The reply's text is the name of the `.eml` file.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        taken = (path.name.partition("-")[0] for path in folder.glob("*-*.eml"))
        self._count = max((int(n) for n in taken if n.isdecimal()), default=0)

    async def send(self, mail: Mail) -> Reply:
        """Write the mail; TEMPORARY if the disk does not take it."""
        # a server would make us wait: without that the pages wait until the last letter is written
        await asyncio.sleep(0)
        number = self._count + 1
        name = f"{number:04}-{_UNSAFE.sub('-', mail.recipient.partition('@')[0])[:64]}"
        try:
            self._write(f"{name}.html", html_of(mail.content).encode())
            self._write(f"{name}.eml", mail.content)
        except OSError as error:
            return Reply(Outcome.TEMPORARY, f"cannot write {name}.eml: {error.strerror}")
        self._count = number
        return Reply(Outcome.ACCEPTED, f"{name}.eml", 250)

    async def close(self) -> None:
        """Nothing is held open."""

    def _write(self, name: str, content: bytes) -> None:
        """Write a whole file or none: a reader never sees half a mail."""
        part = self._folder / f".{name}.part"
        part.write_bytes(content)
        part.replace(self._folder / name)
