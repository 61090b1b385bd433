"""The office decides about one obligation on its pages; the decision stands in `overrides.yaml`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from config.splice import write_override, written
from duban.bureau import Bureau
from duban.deadlines import instant
from duban.standings import State
from jobs.collect import Act, RefusedError, find_obligation, note
from ledger.engine import Ledger


def exempt(ledger: Ledger, bureau: Bureau, folder: Path, act: Act) -> None:
    """Let a section off, for a reason. Raises RefusedError, OverrideRefusedError."""
    _decide(ledger, bureau, folder, act, None)


def extend(ledger: Ledger, bureau: Bureau, folder: Path, act: Act, until: date) -> None:
    """Give a section time until a day, for a reason. Raises RefusedError, OverrideRefusedError."""
    _decide(ledger, bureau, folder, act, until)


def _decide(ledger: Ledger, bureau: Bureau, folder: Path, act: Act, until: date | None) -> None:
    """Log the decision and write it into the plan's folder; the daemon follows the file.

    The log is written first and committed last, so that a file that cannot be written leaves
    nothing; a crash between them leaves a decision that may be made again, as the same.
    """
    if not act.reason:
        raise RefusedError("a decision needs a reason: the section will read it")
    with ledger.write() as connection:
        row = find_obligation(connection, bureau, act)
        if not State(row.state).owed:
            raise RefusedError(f"{row.key} is {row.state}: there is nothing to decide")
        entry: dict[str, str | bool] = {
            "item": row.item,
            "period": row.period,
            "section": row.section,
            "reason": act.reason,
            "by": act.who,
        }
        if until is None:
            entry["exempt"] = True
            note(connection, row, act, "override.written", exempt=True)
        else:
            limit = instant(bureau.plan, bureau.plan.items[row.item], until)
            if limit <= max(row.deadline, act.at):
                raise RefusedError(f"{until} is no later than the deadline, or past")
            entry["deadline"] = written(until)
            note(connection, row, act, "override.written", deadline=limit.isoformat())
        write_override(folder, entry)
