"""The demo: the Quanzhou year under a running clock, with sections that report as sections do."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from config.plan import Plan
from duban.bureau import Bureau
from duban.deadlines import Obligation, expand
from jobs.marking import Sent
from ledger.engine import Ledger
from mailroom.compose import html_of
from mailroom.render import Speaker
from scheduler.journal import LEDGER, Entry, Journal, make_room
from scheduler.outboxpage import PAGE, Page
from scheduler.script import Action, Timed
from scheduler.simulator import Simulation

if TYPE_CHECKING:
    from scheduler.demopages import House

OUTBOX: Final = "outbox"
ARCHIVE: Final = "archive"
FIRST_DAY: Final = date(2023, 2, 1)
LAST_DAY: Final = date(2023, 12, 31)
LONGEST_PAUSE_DAYS: Final = 1.0

_OFFICE: Final = "局办公室"
_RETURNED: Final = "缺少存在问题部分"
_OUTAGE: Final = (datetime(2023, 7, 25, 8, 30), datetime(2023, 7, 25, 11))  # noqa: DTZ001 - of the script
_EXTENSION: Final = ("monthly", "2023-05", "体卫艺语科", date(2023, 5, 31), "承办活动，人手不足")


def plan_folder() -> Path:
    """The folder of the plan that ships with duban."""
    return Path(str(files("config").joinpath("quanzhou-2023")))


@dataclass
class Demo:
    """One showing. `pace_s` is how many seconds a day takes, 0 for no pauses.

    `show` is called for each letter when it has left, and may end the showing by what it raises;
    `once` ends the showing after the first day with letters. `pause` waits: a test passes its own.
    `clock` is told each moment, in the plan's zone. With `pages` the board is served meanwhile and
    `opened` is told where; `stay` goes on serving it when the year is over.
    """

    plan: Plan
    folder: Path
    show: Callable[[Entry], None]
    pace_s: float
    days: int | None = None
    once: bool = False
    pause: Callable[[float], Awaitable[Any]] = asyncio.sleep
    clock: Callable[[datetime], None] = lambda at: None
    pages: bool = False
    opened: Callable[[House], None] = lambda house: None
    stay: bool = False
    count: int = field(default=0, init=False)
    reached: date = field(default=FIRST_DAY, init=False)
    last_key: str = field(default="", init=False)

    @property
    def page(self) -> Path:
        """The page that lists the letters."""
        return self.folder / OUTBOX / PAGE

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / LEDGER

    async def run(self) -> None:
        """Live through the year; letters go to `show` and into the folder.

        Raises OccupiedError for a folder with other files in it.
        """
        make_room(self.folder, "duban demo", OUTBOX)
        shutil.rmtree(self.folder / ARCHIVE, ignore_errors=True)
        ledger = Ledger(f"sqlite:///{self.ledger}", durable=False, seed=0)
        try:
            ledger.prepare()
            with (
                Journal(self.folder, self.plan.zone, OUTBOX) as journal,
                self._house() as house,
            ):
                await _Showing(self, ledger, journal, house).run()
        finally:
            ledger.close()

    def _house(self) -> AbstractContextManager[House | None]:
        if not self.pages:
            return nullcontext()
        from scheduler.demopages import opened  # the web takes a while to load

        return opened(self.page.parent, self.folder / ARCHIVE)

    def until(self) -> datetime:
        """The last instant of the showing."""
        end = LAST_DAY if self.days is None else FIRST_DAY + timedelta(days=self.days - 1)
        midnight = datetime.combine(min(end, LAST_DAY) + timedelta(days=1), time(), self.plan.zone)
        return midnight - timedelta(microseconds=1)


class _Showing:
    """One run of a demo: the year, its outbox, and the house that is open meanwhile."""

    def __init__(self, demo: Demo, ledger: Ledger, journal: Journal, house: House | None) -> None:
        self.demo, self.ledger, self.journal, self.house = demo, ledger, journal, house
        self.fresh: list[Entry] = []
        self.page = Page(demo.page.parent, demo.plan.about.title, served=house is not None)
        start = datetime.combine(FIRST_DAY, time(), demo.plan.zone)
        acts, speaker = script(demo.plan), Speaker()
        self.simulation = Simulation(demo.plan, ledger, speaker, start, acts, self._keep)

    async def run(self) -> None:
        """Live through the year, with the house open where there is one."""
        self.page.write(running=True)
        try:
            if self.house is None:
                await self._live(None)
            else:
                await self._live_open(self.house)
        finally:
            self.page.write(running=False)

    async def _live_open(self, house: House) -> None:
        simulation, until = self.simulation, self.demo.until()
        voice = simulation.carrier.voice._replace(links=house.links)
        simulation.carrier = replace(simulation.carrier, voice=voice)
        ends = until + timedelta(days=1)
        board = house.board(self.ledger, lambda: simulation.bureaus, simulation.clock.now, ends)
        board.start()
        try:
            self.demo.opened(house)
            await self._live(house)
            while self.demo.stay:
                await house.handed_in.wait()
                await self._beat(house)
        finally:
            await board.stop()

    async def _live(self, house: House | None) -> None:
        demo, before = self.demo, self.simulation.clock.now()
        for moment in self.simulation.moments(demo.until()):
            # the clock shows what has happened, until the next thing does
            self.simulation.clock.instant = before
            await self._wait(moment - before, house)
            self.simulation.clock.instant = before = moment
            local = moment.astimezone(demo.plan.zone)
            if demo.once and demo.count and local.date() > demo.reached:
                return
            demo.reached = local.date()
            demo.clock(local)
            await self._beat(house)

    async def _beat(self, house: House | None) -> None:
        if house is not None:
            house.handed_in.clear()
        await self.simulation.tick()
        fresh, self.fresh = self.fresh, []
        # here and not where they leave: who shows them may fail, and that ends the showing
        for entry in fresh:
            self.demo.show(entry)
        if fresh and self.demo.pace_s:
            self.page.write(running=True)

    async def _wait(self, gap: timedelta, house: House | None) -> None:
        seconds = min(gap / timedelta(days=1), LONGEST_PAUSE_DAYS) * self.demo.pace_s
        if house is None:
            if seconds > 0:
                await self.demo.pause(seconds)
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := max(until, house.held_until) - loop.time()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(house.handed_in.wait(), left)
                await self._beat(house)

    def _keep(self, sent: Sent) -> None:
        demo, entry = self.demo, self.journal.add(sent)
        self.page.add(entry, html_of(sent.written.content))
        demo.count += 1
        demo.last_key = entry.obligations[0] if entry.obligations else demo.last_key
        self.fresh.append(entry)


def script(plan: Plan) -> list[Timed]:
    """What the bureau does in that year, always the same: most report on time, some do not."""
    bureau = Bureau(plan)
    owed = expand(plan, bureau.calendar, LAST_DAY)
    acts = [act for one in owed for act in _habits(bureau, one)]
    acts.extend(_events(plan))
    return sorted(acts, key=lambda timed: (timed.at, timed.action.key or ""))


def _habits(bureau: Bureau, one: Obligation) -> Iterator[Timed]:
    """One section's way with one obligation: its days and hours follow from the key."""
    dice = sha256(one.key.encode()).digest()
    luck = dice[0] % 20
    at = _at(bureau, one, _days_from_deadline(luck, dice[1]), dice[2])
    yield _act("submit", one, at, by=one.section)
    seen = _later(bureau, at, 1, dice[3])
    if luck == 0:
        yield _act("return", one, seen, by=_OFFICE, reason=_RETURNED)
        again = _later(bureau, seen, 2, dice[4])
        yield _act("submit", one, again, by=one.section)
        seen = _later(bureau, again, 1, dice[5])
    yield _act("accept", one, seen, by=_OFFICE)


def _days_from_deadline(luck: int, die: int) -> int:
    """Working days from the deadline: 14 of 20 in time (negative), 5 late, 1 very late."""
    if luck < 14:
        return -(die % 4)
    return 1 + die % 5 if luck < 19 else 9


def _at(bureau: Bureau, one: Obligation, days: int, die: int) -> datetime:
    on = bureau.calendar.shift(one.deadline.date(), days)
    return _in_office_hours(bureau, on, die)


def _later(bureau: Bureau, at: datetime, days: int, die: int) -> datetime:
    return _in_office_hours(bureau, bureau.calendar.shift(at.date(), days), die)


def _in_office_hours(bureau: Bureau, on: date, die: int) -> datetime:
    """Some minute from 9:30 to 16:59 of a day."""
    return datetime.combine(on, time(9, 30), bureau.plan.zone) + timedelta(minutes=die * 449 // 255)


def _act(do: Any, one: Obligation, at: datetime, *, by: str, reason: str | None = None) -> Timed:
    return Timed(at, Action(at=at, do=do, key=one.key, by=by, reason=reason))


def _events(plan: Plan) -> Iterator[Timed]:
    """A mail server that is down for a morning, and a deadline that the office extends."""
    down, up = (t.replace(tzinfo=plan.zone) for t in _OUTAGE)
    yield Timed(down, Action(at=down, do="smtp", state="down"))
    yield Timed(up, Action(at=up, do="smtp", state="up"))
    item, period, section, deadline, reason = _EXTENSION
    at = datetime.combine(deadline - timedelta(days=9), time(10), plan.zone)
    action = Action(
        at=at,
        do="override",
        item=item,
        period=period,
        section=section,
        deadline=deadline,
        reason=reason,
        by=_OFFICE,
    )
    yield Timed(at, action)
