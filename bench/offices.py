"""What many offices on one ledger cost: start, an idle beat, one changed plan, and memory.

    python -m bench.offices [COUNT]        (300 by default)

Every office has the Quanzhou plan under a name of its own, about 330 obligations in thirteen
months. Prints seconds, and what that is for each plan; ends by saying whether a change of one plan
touched any other.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from ledger.engine import Ledger
from ledger.tables import event, obligation
from scheduler.plans import Plans

PLAN = Path(__file__).parents[1] / "config" / "quanzhou-2023"
NOW = datetime.fromisoformat("2023-02-01T10:00:00+08:00")
_COUNT = 300


def offices(folder: Path, count: int) -> list[Path]:
    """So many plans' folders."""
    text = (PLAN / "plan.yaml").read_text(encoding="utf-8")
    made = []
    for number in range(count):
        own = folder / f"office-{number}"
        shutil.copytree(PLAN, own)
        renamed = text.replace("id: quanzhou-2023", f"id: office-{number}")
        (own / "plan.yaml").write_text(renamed, encoding="utf-8")
        made.append(own)
    return made


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else _COUNT
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = Ledger(f"sqlite:///{folder}/ledger.sqlite")
        ledger.prepare()
        made = offices(folder, count)
        plans = Plans(ledger, made)
        _say("start", plans.start, count)
        with ledger.read() as connection:
            rows = connection.execute(select(func.count()).select_from(obligation)).scalar_one()
            before = connection.execute(select(func.max(event.c.id))).scalar_one()
        _say("an idle beat", plans.follow, count)
        file = made[0] / "plan.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("due: {monthly: 25}", "due: {monthly: 24}"), encoding="utf-8")
        _say("a changed plan", plans.follow, count)
        with ledger.read() as connection:
            touched = connection.execute(
                select(event.c.plan_id).where(event.c.id > before).distinct()
            ).all()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count:,} plans, {rows:,} obligations; at most {memory:,.0f} MB of memory")
        print(f"the change is in the log of {len(touched)} plan(s)")
        ledger.close()


def _say(what: str, work: Callable[[datetime], None], count: int) -> None:
    begun = time.perf_counter()
    work(NOW)
    took = time.perf_counter() - begun
    print(f"{what}: {took:.2f} s, {took / count * 1e3:.2f} ms a plan", flush=True)


if __name__ == "__main__":
    main()
