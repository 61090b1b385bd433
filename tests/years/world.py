"""One year of the real jobs in a world that fails: the relay, the machine, its clock, its disk.

The world keeps the two records that the checker asks for: what was done, and the server's journal.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, select

from config.loader import load_plan
from config.plan import Plan
from jobs.explain import account
from ledger.engine import Ledger
from ledger.tables import obligation
from mailroom.relay import Mail, Outcome, Reply
from scheduler.cli.account import account_document
from scheduler.script import Action
from scheduler.simulator import Simulation
from tests.checker import journal
from tests.checker.case import Case
from tests.checker.history import Deed
from tests.checker.plan import PlanReader
from tests.support.ledgers import empty_ledger, speaker
from tests.years.loop import VirtualLoop
from tests.years.plans import write_plan
from tests.years.script import FIRST, LAST, ZONE, Noise, Year

_STEP = timedelta(seconds=1)
_MOST_BEATS = 10_000
_OF_THE_OFFICE = ("override", "exempt", "return", "holder")
_QUIET = Noise(FIRST, LAST, 0, 0, 0, 0)


class _Statements(dict[Any, Any]):
    """Compiled statements, by what they say and the kind of their database.

    SQLAlchemy asks with the engine's own dialect: each life would compile all statements anew, and
    none would ever be forgotten.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """The statement, whichever engine of the kind compiled it."""
        return super().get(self._common(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(self._common(key), value)

    @staticmethod
    def _common(key: Any) -> Any:
        dialect, *rest = key
        return dialect.name, *rest


_STATEMENTS = _Statements()


class Crash(BaseException):
    """The daemon's process dies here."""


class CrashingLedger(Ledger):
    """A ledger whose process dies at set writing transactions, before or after the commit."""

    def __init__(self, world: World, url: str, seed: int) -> None:
        super().__init__(url, durable=False, seed=seed)
        self.world = world
        # the statements of all lives are the same
        self.engine = self.engine.execution_options(compiled_cache=_STATEMENTS)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As the ledger's, but for the crashes."""
        committed = self.world.commit()
        with super().write() as connection:
            yield connection
            if committed is False:
                self.world.die()
        if committed is True:
            self.world.die()


@dataclass
class World:
    """Lives through a year; afterwards `case` is what the checker wants to know."""

    year: Year
    folder: Path
    """An empty one: the plan and the ledger come to lie in it."""
    database: str = ""
    """The address of an empty ledger elsewhere."""
    mails: list[journal.Mail] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    ahead: timedelta = timedelta()
    commits: int = 0
    beats: int = 0
    lives: int = 0
    dead: bool = False
    """The process has died and nothing of it may act any more."""
    acting: bool = False
    """Somebody else's process writes: it does not crash."""

    def __post_init__(self) -> None:
        self.dice = Random(self.year.seed)  # noqa: S311
        self.waiting = list(self.year.deeds)
        self.up, self.restart = True, None
        write_plan(self.folder, self.year.items, self.year.min_notice)
        loaded = load_plan(self.folder)
        assert loaded.plan is not None, loaded.problems
        self.simulation = self._begin(loaded.plan, self.year.first)

    simulation: Simulation = field(init=False)
    restart: datetime | None = field(init=False, default=None)

    @property
    def now(self) -> datetime:
        """The true time."""
        return self.simulation.clock.instant - self.ahead

    @property
    def case(self) -> Case:
        """What the checker wants to know."""
        span = self.year.first, self.year.last
        return Case(PlanReader(self.folder), self.deeds, self.mails, *span, self._claims())

    def _claims(self) -> list[dict[str, Any]]:
        """What duban says of each obligation that its ledger knows."""
        bureau, now = self.simulation.bureau, self.simulation.clock.now()
        with self.simulation.ledger.read() as connection:
            keys = connection.execute(select(obligation.c.key)).scalars().all()
            told = (account(bureau, key, now, connection) for key in keys)
            return [account_document(bureau, one) for one in told if one is not None]

    def commit(self) -> bool | None:
        """Count a writing transaction: None, or whether it is the last, and committed."""
        if self.dead:
            raise Crash
        if self.acting:
            return None
        self.commits += 1
        return self.year.crashes.get(self.commits)

    def die(self) -> None:
        """The process ends, with all that runs in it."""
        self.dead = True
        raise Crash

    def run(self) -> None:
        """Live through the year."""
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(self._run())

    def close(self) -> None:
        """Give the ledger back."""
        self.simulation.ledger.close()

    async def _run(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_say_nothing_of_the_dead)
        now: datetime | None = self.year.first
        while now is not None and now < self.year.last:
            self.simulation.clock.instant = now.astimezone(UTC) + self.ahead
            self._act(now)
            if self.restart is not None and self.restart <= now:
                self._revive()
            if self.up and self.restart is None:
                await self._tick()
            now = self._next()

    async def _tick(self) -> None:
        self.beats += 1
        if self.beats > _MOST_BEATS:
            raise RuntimeError(f"duban does not come to rest in the year of seed {self.year.seed}")
        try:
            await self.simulation.tick()
        except Crash:
            self.record(Deed(self.now.astimezone(ZONE), "daemon", {"state": "crash"}))
            self.restart = self.now + timedelta(seconds=self.dice.choice((2, 30, 400, 7000)))

    def _revive(self) -> None:
        """A new process: nothing is left but the plan's files and the ledger's."""
        old = self.simulation
        old.ledger.close()
        self.dead, self.restart = False, None
        self.simulation = self._begin(old.bureau.plan, old.clock.instant)
        self.simulation.refusals = old.refusals
        self.record(Deed(self.now.astimezone(ZONE), "daemon", {"state": "up"}))

    def _begin(self, plan: Plan, instant: datetime) -> Simulation:
        self.lives += 1
        path = self.folder / "ledger.sqlite"
        if self.lives == 1 and not self.database:
            path.write_bytes(empty_ledger())
        seed = self.year.seed * 1000 + self.lives
        ledger = CrashingLedger(self, self.database or f"sqlite:///{path}", seed)
        made = Simulation(plan, ledger, speaker(), instant)
        relay = FailingRelay(self, made.relay if self.lives == 1 else self.simulation.relay)
        made.relay = relay.scripted
        claims = replace(made.carrier.claims, owner=f"life {self.lives}")
        made.carrier = replace(made.carrier, relay=relay, claims=claims, careful=True)
        return made

    def _next(self) -> datetime | None:
        now = self.now
        coming = [self.waiting[0].at] if self.waiting else []
        if self.restart is not None:
            coming.append(self.restart)
        elif self.up:
            moment = self.simulation.next_moment()
            coming += [moment - self.ahead] if moment else []
        return max(min(coming), now + _STEP) if coming else None

    def _act(self, now: datetime) -> None:
        while self.waiting and self.waiting[0].at <= now:
            deed = self.waiting.pop(0)
            if self.restart is not None and deed.do in _OF_THE_OFFICE:
                # whether a dying daemon had read a decision is known only after its next beat
                insort(self.waiting, replace(deed, at=self.restart + 5 * _STEP), key=_when)
            else:
                self.do(replace(deed, at=max(deed.at, now.astimezone(ZONE))))

    def do(self, deed: Deed) -> None:
        """Let a deed happen now, and write down whether it was taken."""
        match deed.do:
            case "clock":
                true = self.now
                self.ahead = timedelta(seconds=deed.what["offset"])
                self.simulation.clock.instant = true + self.ahead
                self.record(deed)
            case "daemon":
                self.up = deed.what["state"] == "up"
                if self.restart is None:
                    self.record(deed)
            case _:
                before = len(self.simulation.refusals)
                action = Action.model_validate({"at": deed.at, "do": deed.do, **deed.what})
                self.acting, dead, self.dead = True, self.dead, False
                self.simulation.act(action)
                self.acting, self.dead = False, dead
                refused = len(self.simulation.refusals) > before
                self.record(replace(deed, what=deed.what | {"refused": refused}))

    def record(self, deed: Deed) -> None:
        """Write a deed into the history."""
        self.deeds.append(deed)


class FailingRelay:
    """A relay that does what the script says, and in bad times what it should not."""

    def __init__(self, world: World, scripted: Any) -> None:
        self.world, self.scripted = world, scripted

    async def send(self, mail: Mail) -> Reply:
        """One transaction; the journal has what the server knows of it."""
        world, dice = self.world, self.world.dice
        await asyncio.sleep(dice.choice((0, 0.002, 0.02)))
        world.simulation.clock.instant += timedelta(milliseconds=dice.randint(1, 40))
        self._meddle(mail)
        reply: Reply = await self.scripted.send(mail)
        if reply.code is None:
            return reply
        noise = next((n for n in world.year.noises if n.start <= world.now < n.end), _QUIET)
        reply, answered = self._garble(reply, noise)
        self._note(mail, reply, answered)
        if dice.random() < noise.crash:
            world.die()
        return reply if answered else Reply(Outcome.UNKNOWN, "connection lost after the dot")

    def _garble(self, reply: Reply, noise: Noise) -> tuple[Reply, bool]:
        lot = self.world.dice.random()
        if reply.outcome is not Outcome.ACCEPTED or lot >= sum(
            (noise.defer, noise.lost_answer, noise.broken_off)
        ):
            return reply, True
        if lot < noise.lost_answer:
            return reply, False
        deferred = Reply(Outcome.TEMPORARY, "451 4.3.0 try again later", 451)
        return deferred, lot < noise.lost_answer + noise.defer

    def _note(self, mail: Mail, reply: Reply, answered: bool) -> None:
        outcome = {Outcome.ACCEPTED: journal.ACCEPTED, Outcome.PERMANENT: journal.REFUSED}
        at = self.world.now.astimezone(ZONE).isoformat()
        line = {"at": at, "to": mail.recipient, "answered": answered}
        line["outcome"] = outcome.get(reply.outcome, journal.DEFERRED)
        self.world.mails.append(journal.mail_of(line, mail.content))

    def _meddle(self, mail: Mail) -> None:
        """Hand in what this very letter calls for, while it is on its way."""
        world = self.world
        if world.dice.random() >= world.year.meddling:
            return
        line = {"at": world.now.isoformat(), "to": mail.recipient}
        for key in journal.mail_of(line, mail.content).keys[:1]:
            world.do(Deed(world.now.astimezone(ZONE), "submit", {"key": key}))

    async def close(self) -> None:
        """Nothing to give back."""


def _say_nothing_of_the_dead(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What else ended with a process that died is of no interest."""
    if not isinstance(context.get("exception"), Crash):
        loop.default_exception_handler(context)


def _when(deed: Deed) -> datetime:
    return deed.at
