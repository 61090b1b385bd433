"""The letters of one delivery in words: ahead by a scribe where many wait, else in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from duban.bureau import Bureau
from duban.facts import LetterFacts
from jobs.prepare import Claimed
from jobs.saying import Said, Voice, order, say
from jobs.scribe import Made, Scribe
from ledger.engine import Ledger
from ledger.letters import Letter
from mailroom.render import Speaker
from mailroom.written import Written, write

_MANY = 200
"""So many letters in one delivery are worth the half second in which a scribe starts."""


class Ready(NamedTuple):
    """A claimed letter with what it says and to whom. It leaves at its `turn`, if any."""

    row: Letter
    turn: datetime | None
    facts: LetterFacts
    address: str
    in_reply_to: str | None
    keys: tuple[str, ...]


class Wording:
    """Words letters when they are asked for, and with a scribe before."""

    def __init__(
        self,
        ledger: Ledger,
        bureaus: Mapping[int, Bureau],
        voice: Voice,
        speaker: Speaker,
        scribe: Scribe | None,
    ) -> None:
        self._ledger, self._bureaus = ledger, bureaus
        self._voice, self._speaker, self._scribe = voice, speaker, scribe
        self._claimed = 0
        self._said: dict[int, Said | str | Exception] = {}
        self._ahead: dict[int, tuple[asyncio.Task[list[Made | None]], int]] = {}

    @property
    def ahead(self) -> bool:
        """Whether a scribe is at work."""
        return self._scribe is not None and self._scribe.ready

    def prepare(self) -> None:
        """Have a scribe at hand before many letters are due, if there can ever be many."""
        if self._scribe is not None and not self._scribe.ready and _many(self._bureaus.values()):
            self._scribe.begin(self._bureaus)

    def expect(self, letters: Sequence[Claimed]) -> None:
        """These are wanted soon: claimed together. Raises LedgerError."""
        self._claimed += len(letters)
        if not letters:
            return
        for claimed in letters:  # claimed anew: what was known of it holds no more
            self._said.pop(claimed.row.id, None)
            self._ahead.pop(claimed.row.id, None)
        if self._scribe is not None and self._scribe.ready:
            self._give(self._scribe, letters)
            return
        if self._scribe is not None and self._claimed >= _MANY:
            self._scribe.begin(self._bureaus)
        self._look_up(letters)

    def _give(self, scribe: Scribe, letters: Sequence[Claimed]) -> None:
        rows = [claimed.row for claimed in letters]
        writing = asyncio.create_task(scribe.write(self._bureaus, rows, letters[0].at))
        self._ahead |= {row.id: (writing, place) for place, row in enumerate(rows)}

    def _look_up(self, letters: Sequence[Claimed]) -> None:
        rows = [claimed.row for claimed in letters]
        with self._ledger.read() as connection:
            said = say(connection, self._bureaus, rows, self._voice.links, letters[0].at)
        self._said |= {row.id: one for row, one in zip(rows, said, strict=True)}

    async def of(self, claimed: Claimed) -> tuple[Ready, Written] | str:
        """The letter in words, or the reason why it has nothing to say.

        Raises what wording it raises, and LedgerError.
        """
        row = claimed.row
        made = await self._made(row.id)
        if made is not None:
            said, written = made
        else:
            said, written = self._here(claimed), None
        if isinstance(said, str):
            return said
        if written is None:
            bureau = self._bureaus[row.plan_id]
            written = write(self._speaker, order(bureau, self._voice, row, said))
        return Ready(row, claimed.turn, *said), written

    async def _made(self, letter_id: int) -> Made | None:
        expected = self._ahead.pop(letter_id, None)
        if expected is None:
            return None
        writing, place = expected
        return (await asyncio.shield(writing))[place]

    def _here(self, claimed: Claimed) -> Said | str:
        if claimed.row.id not in self._said:
            self._look_up([claimed])
        said = self._said.pop(claimed.row.id)
        if isinstance(said, Exception):
            raise said
        return said

    async def close(self) -> None:
        """Ask for nothing more; a scribe that is still writing what nobody wants is ended."""
        writing = {task for task, _ in self._ahead.values() if not task.done()}
        if writing and self._scribe is not None:
            await self._scribe.close()
            await asyncio.wait(writing)


def _many(bureaus: Iterable[Bureau]) -> bool:
    sections = accumulate(len(bureau.plan.file.sections) for bureau in bureaus)
    return any(so_far >= _MANY for so_far in sections)
