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
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from duban.facts import LetterFacts
from mailroom.compose import Envelope, compose
from mailroom.render import Rendered, Speaker

_PATIENCE_S = 10
_LENGTH_BYTES = 4
_NICE = 10
_ROOT = Path(__file__).parents[1]
_COMMAND = ("-P", "-c", "from mailroom.scribe import main; main()")


@dataclass(frozen=True, slots=True)
class Order:
    """A letter to be written: to whom, and what it says."""

    envelope: Envelope
    facts: LetterFacts


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words, and as the bytes of a mail."""

    rendered: Rendered
    content: bytes


def write(speaker: Speaker, order: Order) -> Written:
    """Word and compose one letter; raises what `compose` and a template that is wrong raise."""
    rendered = speaker.render(order.facts)
    return Written(rendered, compose(order.envelope, rendered))


class Scribe:
    """A process that writes letters; it ends with `close`, or when this process ends.

    It never raises for what becomes of that process: then nothing is written.
    """

    def __init__(self, templates: Path | None) -> None:
        self._templates = templates
        self._process: asyncio.subprocess.Process | None = None
        self._well = False
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Start the process and wait until it can write; raises OSError where there can be none."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, *_COMMAND, str(self._templates or "")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": str(_ROOT)},  # this very code, and none of our secrets
            start_new_session=True,  # Ctrl-C is for us: we end it
        )
        self._well = True
        await self._answer()

    async def write(self, orders: Sequence[Order]) -> list[Written | None]:
        """The letters in their order; None for each that could not be written."""
        if self._well and self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(_packed(orders))  # at once: it need not wait for its turn
        async with self._turn:  # answers come in the order of what was asked
            return await self._answer() or [None] * len(orders)

    async def _answer(self) -> list[Written | None] | None:
        if not self._well or self._process is None or self._process.stdout is None:
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
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            async with self._turn:
                await process.communicate()


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
