"""Letters worded and composed in a process of their own, while the first one sends and marks.

Wording a letter takes about as long as all the rest of its delivery. It is a pure function of the
letter's facts, so that another process may do it, and may fail at it: what it does not bring back
is worded here.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from duban.facts import LetterFacts
from mailroom.compose import Envelope, compose
from mailroom.render import Speaker

_PATIENCE_S = 10
_LENGTH_BYTES = 4
_READ_BYTES = 1 << 18
_NICE = 10
_ROOT = Path(__file__).parents[1]
_COMMAND = ("-P", "-c", "from mailroom.scribe import main; main()")


class Order(NamedTuple):
    """A letter to be written: to whom, and what it says."""

    envelope: Envelope
    facts: LetterFacts


class Written(NamedTuple):
    """A letter as the bytes of a mail; `fallback` says why the built-in letter was used, if so."""

    subject: str
    content: bytes
    fallback: str | None = None


def write(speaker: Speaker, order: Order) -> Written:
    """Word and compose one letter; raises what `compose` and a template that is wrong raise."""
    rendered = speaker.render(order.facts)
    content = compose(order.envelope, rendered)
    return Written(rendered.subject, content, rendered.fallback)


class Scribe:
    """A process that writes letters; it ends with `close`, or when this process ends.

    It never raises for what becomes of that process: then nothing is written.
    """

    def __init__(self, templates: Path | None) -> None:
        self._templates = templates
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._well, self._killed, self._unwanted = False, False, False
        self._turn = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """Whether it can be asked to write; one that is being started cannot yet."""
        return self._well

    def begin(self) -> None:
        """Start the process, unless it is well or being started already; does not wait for that."""
        if not self._well and (self._starting is None or self._starting.done()):
            self._starting = asyncio.create_task(self._start())

    async def started(self) -> None:
        """Wait until a process that was begun can write, or cannot be had."""
        if self._starting is not None:
            await self._starting

    async def _start(self) -> None:
        await self._end()
        with suppress(OSError):
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, *_COMMAND, str(self._templates or "")),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_READ_BYTES,
                env={"PYTHONPATH": str(_ROOT)},  # this very code, and none of our secrets
                start_new_session=True,  # Ctrl-C is for us: we end it
            )
            self._killed = False
            if self._unwanted:
                self._kill()
            await self._answer()

    async def write(self, orders: Sequence[Order]) -> list[Written | None]:
        """The letters in their order; None for each that could not be written."""
        if self._well and self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(_packed(orders))  # at once: it need not wait for its turn
        async with self._turn:  # answers come in the order of what was asked
            written = await self._answer() if self._well else None
        return written or [None] * len(orders)

    async def _answer(self) -> list[Written | None] | None:
        if self._process is None or self._process.stdout is None:
            return None
        body = b""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await self._process.stdout.readexactly(_LENGTH_BYTES)
                body = await self._process.stdout.readexactly(int.from_bytes(head))
        except (OSError, EOFError):
            return None
        finally:
            self._well = bool(body)  # else a later answer would not be the one that was asked for
        written: list[Written | None] = pickle.loads(body)  # noqa: S301 - our own process
        return written

    async def close(self) -> None:
        """End the process and whatever it was writing."""
        starting, self._starting = self._starting, None
        if starting is not None and not starting.done():
            # never cancelled: asyncio may then wait for ever for a process that has just begun
            self._unwanted = True
            self._kill()
            await starting
            self._unwanted = False
        await self._end()

    async def _end(self) -> None:
        self._kill()
        process, self._process = self._process, None
        if process is not None:
            async with self._turn:
                await process.communicate()

    def _kill(self) -> None:
        """Once only: a second signal would ask after a process whose end is being waited for."""
        self._well = False
        if self._process is not None and not self._killed:
            self._killed = True
            with suppress(ProcessLookupError):
                self._process.kill()


def main() -> None:
    """Write what is ordered on standard input until it ends."""
    with suppress(OSError):  # the unit of systemd forbids it
        os.nice(_NICE)  # who sends, marks, or reads a page goes first
    speaker = Speaker(Path(sys.argv[1]) if sys.argv[1] else None)
    orders, letters = sys.stdin.buffer, sys.stdout.buffer
    _say(letters, [])
    while head := orders.read(_LENGTH_BYTES):
        ordered: list[Order] = pickle.loads(orders.read(int.from_bytes(head)))  # noqa: S301
        _say(letters, [_tried(speaker, order) for order in ordered])


def _tried(speaker: Speaker, order: Order) -> Written | None:
    try:
        return write(speaker, order)
    except Exception:  # noqa: BLE001 - who ordered it will find the same error
        return None


def _say(letters: IO[bytes], written: Sequence[Written | None]) -> None:
    letters.write(_packed(written))
    letters.flush()


def _packed(value: object) -> bytes:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(_LENGTH_BYTES) + data
