"""An office with very many sections: the Quanzhou plan and more of its like, all due at once."""

from __future__ import annotations

import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select, update

from config.loader import load_plan
from duban.bureau import Bureau
from jobs.circulate import circulate
from jobs.reconcile import reconcile
from jobs.remind import remind
from ledger import plans
from ledger.engine import Ledger
from ledger.tables import letter

PLAN = Path(__file__).parents[1] / "config" / "quanzhou-2023"
NOW = datetime.fromisoformat("2023-04-19T09:00:00+08:00")
"""The first reminder of the report of April: of one report, as in most months."""
AFTER_MINUTES = 30
"""When the daemons' clock begins, after that."""
_OWN = 22
"""The letters of the plan itself at that hour, with the office's digest."""
_LATER = timedelta(days=3)


def make_plan(folder: Path, count: int) -> Path:
    """The plan with so many more sections that `count` letters are due at NOW."""
    shutil.copytree(PLAN, folder)
    file = folder / "plan.yaml"
    head, rest = file.read_text(encoding="utf-8").split("sections:\n", 1)
    more = "".join(
        f"  - {{name: 第{n}科, email: s{n}@qzedu.example}}\n" for n in range(count - _OWN)
    )
    rest = rest.replace("until: 2023-12", "until: 2023-04")
    file.write_text(f"{head}sections:\n{more}{rest}", encoding="utf-8")
    return folder


class Filled(NamedTuple):
    """How many letters were queued, and in how many seconds: all obligations looked at."""

    letters: int
    seconds: float


def fill(url: str, folder: Path) -> Filled:
    """Queue every letter that is due at NOW, but hold it back."""
    loaded = load_plan(folder)
    if loaded.plan is None:
        raise SystemExit("\n".join(map(str, loaded.problems)))
    bureau, ledger = Bureau(loaded.plan), Ledger(url)
    ledger.prepare()
    reconcile(ledger, bureau, NOW - timedelta(days=7))
    with ledger.read() as connection:
        bureaus = {plans.ids(connection)[bureau.plan.id]: bureau}
    begun = time.monotonic()
    circulate(ledger, bureaus, NOW)
    # some obligations are looked at again a minute later, when others have been queued
    for minute in range(AFTER_MINUTES):
        remind(ledger, bureaus, NOW + timedelta(minutes=minute))
    seconds = time.monotonic() - begun
    with ledger.write() as connection:
        queued = letter.c.state == "queued"
        connection.execute(update(letter).where(queued).values(due_at=NOW + _LATER))
        count: int = connection.execute(select(func.count()).where(queued)).scalar_one()
    ledger.close()
    return Filled(count, seconds)


def release(ledger: Ledger) -> None:
    """All letters that were held back are due from now on."""
    with ledger.write() as connection:
        held = letter.c.due_at == NOW + _LATER
        connection.execute(update(letter).where(held).values(due_at=NOW))


def settled(ledger: Ledger) -> bool:
    """Whether no letter is left to send."""
    with ledger.read() as connection:
        left = select(func.count()).where(letter.c.state.in_(("queued", "claimed")))
        return connection.execute(left).scalar_one() == 0
