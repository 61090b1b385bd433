"""A plan at work on a real SQLite file: every job as the daemon would call it, at a set hour."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Row, Table, select

from config.model import Override
from config.plan import Plan
from duban.bureau import Bureau
from jobs.circulate import circulate
from jobs.collect import Act, accept, give_back, submit
from jobs.deliver import Carrier, deliver
from jobs.marking import Sent
from jobs.prepare import Claims
from jobs.reconcile import Reconciled, reconcile
from jobs.remind import remind
from jobs.saying import Voice
from ledger import plans
from ledger.engine import Ledger
from ledger.tables import event, letter, mention, obligation, submission
from mailroom.relay import Relay
from mailroom.render import Speaker
from scheduler.clock import VirtualClock
from scheduler.simulator import ScriptedRelay
from tests.support.plans import REASON, plan_of, rule

ZONE = ZoneInfo("Asia/Shanghai")
CAIWU = "r/2023-03/财务科"
"""The one obligation of `one_report`: due on Friday 24 March 2023, 17:30 (the 25th is a Saturday).

Its rungs: 17, 22 and 24 March to the section; 27 March to the 副局长 too; 29 March to the 局长 too;
then 6 April and every five working days.
"""


@cache
def speaker() -> Speaker:
    """The real templates; one for all tests."""
    return Speaker(None)


def at(text: str) -> datetime:
    """`2023-03-17 09:00` in the plan's zone; `03-17 09:00` is of 2023."""
    return datetime.fromisoformat(text if text[4] == "-" else f"2023-{text}").replace(tzinfo=ZONE)


def one_report(**more: Any) -> Plan:
    """The small plan with a report of 财务科 for March 2023 alone; `more` as `plan_of`."""
    span = {"from": "2023-03", "until": "2023-03"}
    return plan_of(**({"rules": [rule({"monthly": 25}, **span)]} | more))


def everybodys_report(**more: Any) -> Plan:
    """The small plan with a report of all three sections for March 2023 alone."""
    span = {"from": "2023-03", "until": "2023-03"}
    return one_report(**({"rules": [rule({"monthly": 25}, sections="all", **span)]} | more))


@cache
def empty_ledger() -> bytes:
    """The file of a ledger that was prepared and holds nothing."""
    with TemporaryDirectory() as place:
        path = Path(place, "ledger.sqlite")
        made = Ledger(f"sqlite:///{path}", durable=False)
        made.prepare()
        made.close()
        return path.read_bytes()


def open_ledger(folder: Path, name: str = "ledger.sqlite", *, durable: bool = False) -> Ledger:
    """A ledger in `folder`, made if it is not there; the caller closes it."""
    path = folder / name
    if not path.exists():
        path.write_bytes(empty_ledger())
    return Ledger(f"sqlite:///{path}", durable=durable, seed=0)


@dataclass
class Desk:
    """One plan, its ledger, a relay and a clock that stands until it is set."""

    ledger: Ledger
    bureau: Bureau
    clock: VirtualClock
    relay: Any = field(default_factory=ScriptedRelay)
    sent: list[Sent] = field(default_factory=list)
    _versions: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def now(self) -> datetime:
        """The hour that the clock stands at."""
        return self.clock.now()

    @property
    def plan_id(self) -> int:
        """The plan's row."""
        with self.ledger.read() as connection:
            return plans.ids(connection)[self.bureau.plan.id]

    @property
    def bureaus(self) -> Mapping[int, Bureau]:
        """What the jobs want to know of the plans."""
        return {self.plan_id: self.bureau}

    def go(self, when: str) -> Desk:
        """Set the clock."""
        self.clock.instant = at(when).astimezone(UTC)
        return self

    def replan(self, plan: Plan) -> Reconciled:
        """The plan's files have changed: take the new plan."""
        self.bureau = Bureau(replace(plan, digest=f"version {next(self._versions)}"))
        return self.reconcile()

    def override(self, key: str = CAIWU, **decision: Any) -> Reconciled:
        """The office decides about one obligation, and the ledger follows."""
        item, period, section = key.split("/")
        made = {"item": item, "period": period, "section": section, "reason": REASON} | decision
        self.bureau = Bureau(self.bureau.plan.with_overrides(Override.model_validate(made)))
        return self.reconcile()

    def reconcile(self) -> Reconciled:
        """Bring the ledger to the plan."""
        return reconcile(self.ledger, self.bureau, self.now)

    def remind(self) -> int:
        """Queue what counts now."""
        return remind(self.ledger, self.bureaus, self.now)

    def circulate(self) -> int:
        """Queue the digest, if it is time."""
        return circulate(self.ledger, self.bureaus, self.now)

    def carrier(self, **changes: Any) -> Carrier:
        """What delivery needs."""
        usual: dict[str, Any] = {
            "relay": self.relay,
            "speaker": speaker(),
            "clock": self.clock.now,
            "on_sent": self.sent.append,
        }
        claims = {f.name: changes.pop(f.name) for f in fields(Claims) if f.name in changes}
        voice: dict[str, Any] = {"sender": "duban@edu.example", "sender_name": "督办"}
        voice |= {name: changes.pop(name) for name in Voice._fields if name in changes}
        usual["voice"] = Voice(**voice)
        return Carrier(**(usual | {"claims": Claims(**({"owner": "test"} | claims))} | changes))

    def deliver(self, **changes: Any) -> list[Sent]:
        """Send what is due; gives what the relay accepted."""
        before = len(self.sent)
        relay: Relay = changes.get("relay", self.relay)

        async def work() -> None:
            try:
                await deliver(self.ledger, self.bureaus, self.carrier(**changes))
            finally:
                await relay.close()
                if "scribe" in changes:
                    await changes["scribe"].close()

        asyncio.run(work())
        return self.sent[before:]

    def beat(self, when: str | None = None) -> list[Sent]:
        """What the daemon does at a beat, but for the digest; gives what the relay accepted."""
        if when is not None:
            self.go(when)
        self.reconcile()
        self.remind()
        return self.deliver()

    def beats(self, *hours: str) -> list[Sent]:
        """One beat at each of these hours; gives what the relay accepted in all."""
        return [sent for hour in hours for sent in self.beat(hour)]

    def act(self, key: str = CAIWU, **more: Any) -> Act:
        """Somebody's act now."""
        usual: dict[str, Any] = {"key": key, "at": self.now, "who": "林美环"}
        return Act(**(usual | more))

    def submit(self, key: str = CAIWU, **more: Any) -> str:
        """A section hands in."""
        return submit(self.ledger, self.bureau, self.act(key, **more))

    def accept(self, key: str = CAIWU, **more: Any) -> None:
        """The office accepts."""
        accept(self.ledger, self.bureau, self.act(key, who="办公室", **more))

    def give_back(self, key: str = CAIWU, limit: str | None = None, **more: Any) -> None:
        """The office returns a report."""
        act = self.act(key, who="办公室", **({"reason": "缺下一步工作计划"} | more))
        give_back(self.ledger, self.bureau, act, at(limit) if limit else None)

    def all(self, table: Table) -> list[Row[Any]]:
        with self.ledger.read() as connection:
            return list(connection.execute(select(table).order_by(table.c.id)))

    def rows(self) -> dict[str, Row[Any]]:
        """All obligations by their keys."""
        return {row.key: row for row in self.all(obligation)}

    def row(self, key: str = CAIWU) -> Row[Any]:
        """One obligation."""
        return self.rows()[key]

    def letters(self, kind: str | None = None) -> list[Row[Any]]:
        """All letters, or those of one kind."""
        return [row for row in self.all(letter) if kind in (None, row.kind)]

    def mentions(self, key: str = CAIWU) -> list[Row[Any]]:
        """Every place of an obligation in letters, and its rungs without one."""
        which = self.row(key).id
        return [row for row in self.all(mention) if row.obligation_id == which]

    def submissions(self) -> list[Row[Any]]:
        """Everything handed in."""
        return self.all(submission)

    def events(self, what: str | None = None) -> list[Row[Any]]:
        """The log, or its lines of one name."""
        return [row for row in self.all(event) if what in (None, row.what)]

    def mark(self, key: str) -> Any:
        """One remembered value."""
        with self.ledger.read() as connection:
            return plans.get_mark(connection, key)


MakeDesk = Callable[..., Desk]


ON_SQLITE = pytest.mark.parametrize("new_ledger", ["sqlite"], indirect=True)
"""Of a test about the ledger's file, or about how SQLite goes about something."""


def empty_ledgers(request: pytest.FixtureRequest, database: str) -> Callable[[], Ledger]:
    """Makes empty ledgers, of SQLite in the test's own folder or of the private PostgreSQL."""
    if database == "postgresql":
        cluster = request.getfixturevalue("postgres")
        return lambda: Ledger(cluster.url(cluster.fresh()), seed=0)
    folder, names = request.getfixturevalue("tmp_path"), count()
    return lambda: open_ledger(folder, f"ledger-{next(names)}.sqlite")


@pytest.fixture
def new_ledger(request: pytest.FixtureRequest) -> Callable[[], Ledger]:
    """Makes an empty ledger, of SQLite if LEDGER=postgresql does not say otherwise."""
    usual = os.environ.get("LEDGER", "sqlite")
    return empty_ledgers(request, getattr(request, "param", usual))


@pytest.fixture
def make_desk(new_ledger: Callable[[], Ledger]) -> Iterator[MakeDesk]:
    """Makes a desk for a plan, born at an hour: `make_desk(plan, "03-01 08:00", relay=…)`."""
    made: list[Desk] = []

    def make(plan: Plan | None = None, born: str = "03-01 08:00", **more: Any) -> Desk:
        clock = VirtualClock(at(born).astimezone(UTC))
        desk = Desk(new_ledger(), Bureau(one_report() if plan is None else plan), clock, **more)
        desk.reconcile()
        made.append(desk)
        return desk

    yield make
    for desk in made:
        desk.ledger.close()


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """A desk for `one_report`, born on 1 March 2023."""
    return make_desk()


def told(sent: list[Sent]) -> list[tuple[str, str]]:
    """Kind and address of letters, in order."""
    return [(one.ready.facts.kind.value, one.mail.recipient) for one in sent]
