"""Simulated histories: a plan, a script as an office would write it, and what left the house."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.plan import Plan
from duban.deadlines import Obligation, agenda
from jobs.marking import Sent
from ledger.engine import Ledger
from scheduler.script import read_script
from scheduler.simulator import Simulation
from tests.support.ledgers import ZONE, at, open_ledger, speaker


def say(when: str, do: str, **more: Any) -> str:
    """One line of a script; `03-17 09:00` is of 2023."""
    return json.dumps({"at": at(when).isoformat(), "do": do, **more}, ensure_ascii=False)


@dataclass
class History:
    """What happened: the simulation with its ledger, and the letters that the relay accepted."""

    simulation: Simulation
    sent: list[Sent]

    @property
    def ledger(self) -> Ledger:
        """The ledger that the history wrote."""
        return self.simulation.ledger

    def about(self, key: str, *kinds: str) -> list[tuple[str, str, str]]:
        """When (`03-17 09:00`), what and to whom: the letters about an obligation."""
        return [
            (
                f"{one.at.astimezone(ZONE):%m-%d %H:%M}",
                one.ready.facts.kind.value,
                one.mail.recipient,
            )
            for one in self.sent
            if key in one.ready.keys and (not kinds or one.ready.facts.kind in kinds)
        ]

    def of_kind(self, kind: str) -> list[Sent]:
        """The letters of one kind."""
        return [one for one in self.sent if one.ready.facts.kind == kind]


def live(
    plan: Plan, folder: Path, first: str, last: str, *script: str, name: str = "year.sqlite"
) -> History:
    """Live through a plan's days from `first` to `last`; the caller closes the ledger."""
    lines = folder / f"{name}.jsonl"
    lines.write_text("\n".join(script), encoding="utf-8")
    sent: list[Sent] = []
    simulation = Simulation(
        plan, open_ledger(folder, name), speaker(), at(first), read_script(lines, ZONE), sent.append
    )
    asyncio.run(simulation.run(at(last)))
    return History(simulation, sent)


def owed(history: History, first: str, last: str) -> list[Obligation]:
    """The obligations of the agenda between two days."""
    bureau = history.simulation.bureau
    return agenda(bureau.plan, bureau.calendar, at(first).date(), at(last).date())
