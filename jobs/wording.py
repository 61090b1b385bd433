"""The letters of one delivery in words: ahead by a scribe where many wait, else in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from duban.bureau import Bureau
from jobs.prepare import Ready
from mailroom.render import Speaker
from mailroom.scribe import Order, Scribe, Written, write

_MANY = 200
"""So many letters in one delivery are worth the half second in which a scribe starts."""
_CHUNK = 10


class Wording:
    """Words letters when they are asked for, and with a scribe before.

    `order` says what a letter is to be. A letter that cannot be worded raises when it is asked for.
    """

    def __init__(
        self, speaker: Speaker, scribe: Scribe | None, order: Callable[[Ready], Order]
    ) -> None:
        self._speaker, self._scribe, self._order = speaker, scribe, order
        self._claimed = 0
        self._ahead: dict[int, tuple[asyncio.Task[list[Written | None]], int]] = {}

    @property
    def ahead(self) -> bool:
        """Whether a scribe is at work."""
        return self._scribe is not None and self._scribe.ready

    def prepare(self, bureaus: Iterable[Bureau]) -> None:
        """Have a scribe at hand before many letters are due, if there can ever be many."""
        if self._scribe is not None and not self._scribe.ready:
            sections = accumulate(len(bureau.plan.file.sections) for bureau in bureaus)
            if any(so_far >= _MANY for so_far in sections):
                self._scribe.begin()

    def expect(self, letters: Sequence[Ready]) -> None:
        """These are wanted soon."""
        self._claimed += len(letters)
        if self._scribe is None:
            return
        if self._scribe.ready:
            for at in range(0, len(letters), _CHUNK):
                self._give(self._scribe, letters[at : at + _CHUNK])
        elif self._claimed >= _MANY:
            self._scribe.begin()

    def _give(self, scribe: Scribe, letters: Sequence[Ready]) -> None:
        writing = asyncio.create_task(scribe.write([self._order(letter) for letter in letters]))
        for place, letter in enumerate(letters):
            self._ahead[letter.row.id] = writing, place

    async def of(self, letter: Ready) -> Written:
        """The letter in words; raises what wording it raises."""
        expected = self._ahead.pop(letter.row.id, None)
        if expected is not None:
            writing, place = expected
            written = (await writing)[place]
            if written is not None:
                return written
        return write(self._speaker, self._order(letter))

    async def close(self) -> None:
        """Ask for nothing more; a scribe that is still writing what nobody wants is ended."""
        writing = {task for task, _ in self._ahead.values() if not task.done()}
        if writing and self._scribe is not None:
            await self._scribe.close()
            await asyncio.wait(writing)
