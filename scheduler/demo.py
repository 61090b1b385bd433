"""The demo: the Quanzhou year under a running clock, with sections that report as sections do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from config.plan import Plan
from duban.bureau import Bureau
from duban.deadlines import Obligation, expand
from jobs.deliver import Sent
from ledger.engine import Ledger
from mailroom.render import Speaker
from scheduler.journal import LEDGER, Entry, Journal, make_room
from scheduler.outboxpage import PAGE, Page
from scheduler.script import Action, Timed
from scheduler.simulator import Simulation

OUTBOX: Final = "outbox"
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

    `show` is called for each letter as it leaves; `once` ends the showing after the first day with
    letters. `pause` waits: a test passes its own. `clock` is told each moment, in the plan's zone.
    """

    plan: Plan
    folder: Path
    show: Callable[[Entry], None]
    pace_s: float
    days: int | None = None
    once: bool = False
    pause: Callable[[float], Awaitable[Any]] = asyncio.sleep
    clock: Callable[[datetime], None] = lambda at: None
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
        ledger = Ledger(f"sqlite:///{self.ledger}", durable=False, seed=0)
        page = Page(self.page.parent, self.plan.about.title)
        try:
            ledger.prepare()
            with Journal(self.folder, self.plan.zone, OUTBOX) as journal:
                await self._live(ledger, journal, page)
        finally:
            page.write(running=False)
            ledger.close()

    async def _live(self, ledger: Ledger, journal: Journal, page: Page) -> None:
        def keep(sent: Sent) -> None:
            entry = journal.add(sent)
            page.add(entry, sent.rendered.html)
            self.count += 1
            self.last_key = entry.obligations[0] if entry.obligations else self.last_key
            self.show(entry)

        zone = self.plan.zone
        start = datetime.combine(FIRST_DAY, time(), zone)
        simulation = Simulation(self.plan, ledger, Speaker(), start, script(self.plan), keep)
        page.write(running=True)
        before = start
        for moment in simulation.moments(self._until()):
            await self._wait(moment - before)
            if self.once and self.count and moment.astimezone(zone).date() > self.reached:
                return
            before, sent = moment, self.count
            self.reached = moment.astimezone(zone).date()
            self.clock(moment.astimezone(zone))
            await simulation.tick()
            if self.count > sent and self.pace_s:
                page.write(running=True)

    def _until(self) -> datetime:
        end = LAST_DAY if self.days is None else FIRST_DAY + timedelta(days=self.days - 1)
        midnight = datetime.combine(min(end, LAST_DAY) + timedelta(days=1), time(), self.plan.zone)
        return midnight - timedelta(microseconds=1)

    async def _wait(self, gap: timedelta) -> None:
        days = min(gap / timedelta(days=1), LONGEST_PAUSE_DAYS)
        if self.pace_s and days > 0:
            await self.pause(days * self.pace_s)


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
