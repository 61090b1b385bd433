"""Letters read up and worded in a process of their own, while the first one claims, sends, marks.

What a letter says, and its words, take about as long as all the rest of its delivery. For that a
process needs only to read, so that it may fail at it: what it does not bring back is made here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path
from typing import IO, Any, NamedTuple

from config.plan import Plan
from duban.bureau import Bureau
from jobs.lastwords import LastWords, ending
from jobs.log import event
from jobs.saying import Said, Voice, order, say
from ledger.engine import Ledger
from ledger.letters import Letter
from mailroom.render import Speaker
from mailroom.written import Written, write

_PATIENCE_S = 10
_REST_S = 3600
"""So long one that hung, or never got well, is left alone: the next would halt the letters too."""
_DYING_S = 1
_LENGTH_BYTES = 4
_READ_BYTES = 1 << 18
_NICE = 10
_PIPE_BYTES = 1 << 20
_PLANS_MAX = 100
"""So many plans it keeps in mind: a province has thousands, and their letters come one by one."""
_ROOT = Path(__file__).parents[1]
_COMMAND = ("-P", "-c", "from jobs.scribe import main; main()")


class _Task(NamedTuple):
    """Letters to be written, what they say being of `at`; plans that are new, or all there are.

    The answer bears the same `number`.
    """

    number: int
    plans: Mapping[int, Plan]
    forget: bool
    letters: Sequence[Letter]
    at: datetime | None


class Made(NamedTuple):
    """A letter in words, of whose facts only the outline is left, or why it says nothing."""

    said: Said | str
    written: Written | None


class Scribe:
    """A process that writes letters; it ends with `close`, or when this process ends.

    It reads the ledger at `url`. What becomes of that process raises nothing: then nothing is
    written.
    """

    def __init__(self, url: str, templates: Path | None, voice: Voice) -> None:
        self._first = url, templates, voice
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._last_words: LastWords | None = None
        self._rests_until_s = float("-inf")
        self._well, self._killed, self._unwanted = False, False, False
        self._turn = asyncio.Lock()
        self._known: dict[int, Bureau] = {}
        self._number = 0

    @property
    def ready(self) -> bool:
        """Whether it can be asked to write; one that is being started cannot yet."""
        return self._well

    def begin(self, bureaus: Mapping[int, Bureau]) -> None:
        """Start the process, unless it is well, being started or left alone; does not wait."""
        being_started = self._starting is not None and not self._starting.done()
        if not self._well and not being_started and _now_s() >= self._rests_until_s:
            self._starting = asyncio.create_task(self._start(dict(bureaus)))

    async def started(self) -> None:
        """Wait until a process that was begun can write, or cannot be had."""
        if self._starting is not None:
            await self._starting

    async def _start(self, bureaus: dict[int, Bureau]) -> None:
        await self._end()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, *_COMMAND),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_READ_BYTES,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for us: we end it
            )
        except OSError as error:
            self._report(f"it cannot be started ({error.strerror})", rest=True)
            return
        self._killed = False
        if self._process.stderr is not None:
            self._last_words = LastWords(self._process.stderr)
        if self._unwanted:
            self._kill()
        self._known = bureaus if len(bureaus) <= _PLANS_MAX else {}
        self._say(self._first)
        self._number += 1
        self._say(_Task(self._number, _plans(self._known), False, (), None))
        await self._answer(self._number)

    async def write(
        self, bureaus: Mapping[int, Bureau], letters: Sequence[Letter], at: datetime
    ) -> list[Made | None]:
        """The letters in their order; None for each that could not be written."""
        self._number += 1
        number = self._number
        if self._well:
            wanted = {row.plan_id: bureaus[row.plan_id] for row in letters}
            new, forget = self._new_to_it(wanted)
            # at once: it need not wait for its turn
            self._say(_Task(number, _plans(new), forget, letters, at))
        async with self._turn:  # answers come in the order of what was asked
            made = await self._answer(number) if self._well else None
        return made or [None] * len(letters)

    def _new_to_it(self, wanted: Mapping[int, Bureau]) -> tuple[Mapping[int, Bureau], bool]:
        """Which of these plans it has to be told, and whether to forget all others."""
        new = {i: bureau for i, bureau in wanted.items() if self._known.get(i) is not bureau}
        forget = len(self._known) + len(new) > _PLANS_MAX
        if forget:
            self._known, new = {}, dict(wanted)
        self._known |= new
        return new, forget

    def _say(self, value: object) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(_packed(value))

    async def _answer(self, number: int) -> list[Made | None] | None:
        """The answer of that number; who does not give it is ended, as it may never do so."""
        process = self._process
        if process is None or process.stdout is None:
            return None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await process.stdout.readexactly(_LENGTH_BYTES)
                body = await process.stdout.readexactly(int.from_bytes(head))
            answered, made = pickle.loads(body)  # noqa: S301 - our own process
            if answered != number:
                raise ValueError("the answer to another question")
        except asyncio.CancelledError:
            self._kill()  # a later answer would not be the one that was asked for
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was: the letters are made here
            if not self._killed:
                await self._give_up(process, error)
            return None
        self._well = not self._killed
        answer: list[Made | None] = made
        return answer

    async def _give_up(self, process: asyncio.subprocess.Process, error: Exception) -> None:
        """End who hangs, has died or talks nonsense, and say so."""
        rest = not self._well or isinstance(error, TimeoutError)
        self._well = False
        match error:
            case TimeoutError():
                why = f"it gave no answer in {_PATIENCE_S} s"
            case asyncio.IncompleteReadError():
                await self._wait_for_its_end(process)
                why = ending(process.returncode)
            case _:
                why = f"it talked nonsense ({type(error).__name__})"
        self._kill()
        self._report(why, rest=rest)

    async def _wait_for_its_end(self, process: asyncio.subprocess.Process) -> None:
        """A moment's time for one that fell silent: killed at once it would not say why."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DYING_S):
                await process.wait()
                if self._last_words is not None:
                    await asyncio.shield(self._last_words.ended)

    def _report(self, why: str, *, rest: bool) -> None:
        if rest:
            self._rests_until_s = _now_s() + _REST_S
        again = f"in {_REST_S} s" if rest else "with the next letters"
        event(
            "scribe.failed",
            logging.WARNING,
            reason=why,
            said=self._last_words and self._last_words.said(self._first[0]),
            follows=f"this process words the letters; another scribe is begun {again}",
        )

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
                if self._last_words is not None:
                    await self._last_words.ended
                await process.communicate()

    def _kill(self) -> None:
        """Once only: a second signal would ask after a process whose end is being waited for."""
        self._well = False
        if self._process is not None and not self._killed:
            self._killed = True
            with suppress(ProcessLookupError):
                self._process.kill()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _environment() -> dict[str, str]:
    """What libpq goes by, such as PGPASSFILE, but none of our own secrets; and this very code."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DUBAN_")}
    return ours | {"PYTHONPATH": str(_ROOT)}


def _plans(bureaus: Mapping[int, Bureau]) -> dict[int, Plan]:
    return {i: bureau.plan for i, bureau in bureaus.items()}


def main() -> None:
    """Write what is ordered on standard input until it ends."""
    with suppress(OSError):  # the unit of systemd forbids it
        os.nice(_NICE)  # who sends, marks, or reads a page goes first
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    with suppress(OSError):  # room for an answer: else it stops until all of it was taken away
        fcntl(answers, F_SETPIPE_SZ, _PIPE_BYTES)
    desk = _Desk(*_read(tasks))
    while (task := _read(tasks)) is not None:
        answers.write(_packed((task.number, desk.write(task))))
        answers.flush()


class _Desk:
    """Where the process writes."""

    def __init__(self, url: str, templates: Path | None, voice: Voice) -> None:
        self._ledger = Ledger(url, must_exist=True)
        self._speaker, self._voice = Speaker(templates), voice
        self._bureaus: dict[int, Bureau] = {}

    def write(self, task: _Task) -> list[Made | None]:
        if task.forget:
            self._bureaus.clear()
        self._bureaus |= {i: Bureau(plan) for i, plan in task.plans.items()}
        if task.at is None:
            with suppress(Exception):  # the letters will tell
                self.rehearse()
            return []
        try:
            with self._ledger.read() as connection:
                said = say(connection, self._bureaus, task.letters, self._voice.links, task.at)
        except Exception:  # noqa: BLE001 - who ordered it will find the same error
            return [None] * len(task.letters)
        return [self._made(row, one) for row, one in zip(task.letters, said, strict=True)]

    def rehearse(self) -> list[Said | str | Exception]:
        """Do for nothing what takes long the first time: the first letters need not wait for it."""
        at = datetime(2000, 1, 1, tzinfo=UTC)
        plan, bureau = next(iter(self._bureaus.items()))
        letter = Letter._make([None] * len(Letter._fields))._replace(
            id=0, plan_id=plan, addressee="section", name=bureau.plan.office.name, created_at=at
        )
        letters = [letter._replace(kind=kind) for kind in ("reminder", "escalation", "digest")]
        with self._ledger.read() as connection:
            return say(connection, self._bureaus, letters, self._voice.links, at)

    def _made(self, row: Letter, said: Said | str | Exception) -> Made | None:
        if isinstance(said, str):
            return Made(said, None)
        if isinstance(said, Exception):
            return None
        bureau = self._bureaus[row.plan_id]
        try:
            written = write(self._speaker, order(bureau, self._voice, row, said))
        except Exception:  # noqa: BLE001 - who ordered it will find the same error
            return None
        return Made(said._replace(facts=said.facts.outline()), written)


def _read(source: IO[bytes]) -> Any:
    """The next thing that is said, None at the end."""
    head = source.read(_LENGTH_BYTES)
    return pickle.loads(source.read(int.from_bytes(head))) if head else None  # noqa: S301


def _packed(value: object) -> bytes:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(_LENGTH_BYTES) + data
