"""What a tick costs when nothing is due, with few and with very many open obligations.

    python bench/idle_tick.py [COUNT ...]        (400 and 1,000,000 by default)

One plan's row owns all obligations; every deadline lies ahead. A tick is what the daemon does each
time: reconcile, digest, remind, and the look for letters to send. Prints medians in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import insert

from config.loader import load_plan
from duban.bureau import Bureau
from jobs.circulate import circulate
from jobs.reconcile import reconcile
from jobs.remind import remind
from ledger import letters, plans
from ledger.engine import Ledger
from ledger.tables import obligation

NOW = datetime(2023, 2, 1, 2, 0, tzinfo=UTC)
TICKS = 200
PLAN = Path(__file__).parents[1] / "config" / "quanzhou-2023"


def filled(path: Path, count: int, bureau: Bureau) -> tuple[Ledger, int]:
    """A ledger with the plan's own obligations and others up to `count`, all still to come."""
    ledger = Ledger(f"sqlite:///{path}")
    ledger.prepare()
    reconcile(ledger, bureau, NOW)
    with ledger.write() as connection:
        plan_id = plans.ids(connection)[bureau.plan.id]
        rows = [_row(plan_id, number) for number in range(max(count - 400, 0))]
        for start in range(0, len(rows), 50_000):
            connection.execute(insert(obligation), rows[start : start + 50_000])
    return ledger, plan_id


def _row(plan_id: int, number: int) -> dict[str, object]:
    due = NOW + timedelta(days=30 + number % 300)
    return {
        "plan_id": plan_id,
        "key": f"monthly/{number}/x",
        "item": "monthly",
        "period": f"{number}",
        "section": "财务科",
        "nominal": due.date(),
        "planned": due,
        "deadline": due,
        "provisional": False,
        "round": 0,
        "state": "open",
        "late": False,
        "next_action_at": due - timedelta(days=7),
    }


def tick(ledger: Ledger, bureau: Bureau, plan_id: int) -> None:
    """One idle tick."""
    bureaus = {plan_id: bureau}
    reconcile(ledger, bureau, NOW)
    circulate(ledger, bureaus, NOW)
    remind(ledger, bureaus, NOW)
    with ledger.read() as connection:
        letters.any_ready(connection, letters.Open([plan_id], [plan_id]), NOW)


def median_ms(work: Callable[[], None]) -> float:
    """The median of many runs, in milliseconds."""
    times = []
    for _ in range(TICKS):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times)


def main() -> None:
    """Measure each count and print one line for it."""
    counts = [int(a) for a in sys.argv[1:]] or [400, 1_000_000]
    plan = load_plan(PLAN).plan
    if plan is None:
        raise SystemExit(f"{PLAN} does not load")
    bureau = Bureau(plan)
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            ledger, plan_id = filled(Path(folder, "ledger.sqlite"), count, bureau)
            tick(ledger, bureau, plan_id)
            shown = median_ms(partial(tick, ledger, bureau, plan_id))
            print(f"{count:>9,} open obligations: {shown:.2f} ms a tick")
            ledger.close()


if __name__ == "__main__":
    main()
