"""`python -m tests.checker JOURNAL --plan FOLDER`: prove a history from outside, or say where not.

Exit code 0: nothing was lost; 1: counter-examples, each printed with what happened around it.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, time, timedelta
from pathlib import Path

from tests.checker.case import Case
from tests.checker.history import read_history
from tests.checker.journal import read_journal
from tests.checker.plan import PlanReader
from tests.checker.proofs import findings


def main(arguments: list[str] | None = None) -> int:
    """Check one journal."""
    asked = _parser().parse_args(arguments)
    plan = PlanReader(asked.plan)
    first = datetime.combine(asked.first.date(), time(), plan.zone)
    last = datetime.combine(asked.last.date() + timedelta(days=1), time(), plan.zone)
    deeds = read_history(asked.history, plan.zone) if asked.history else []
    mails = read_journal(asked.journal)
    claims = asked.claims.read_text("utf-8").splitlines() if asked.claims else []
    found = findings(Case(plan, deeds, mails, first, last, [json.loads(c) for c in claims]))
    if asked.again and _history_of(asked.journal) != _history_of(asked.again):
        sys.stdout.write("I6  the second history differs from the first\n")
        return 1
    for one in found[: asked.show]:
        sys.stdout.write(f"{one}\n")
    said = f"{len(found)} counter-examples" if found else "proved"
    sys.stdout.write(f"{len(mails)} transactions, {len(deeds)} deeds: {said}\n")
    return 1 if found else 0


def _history_of(journal: Path) -> tuple[bytes, list[bytes]]:
    """Every byte that a journal and its mails consist of."""
    mails = sorted(journal.parent.rglob("*.eml"))
    return journal.read_bytes(), [path.read_bytes() for path in mails]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.checker", description=__doc__)
    day = datetime.fromisoformat
    parser.add_argument("journal", type=Path, help="JSON lines, one for each MAIL transaction")
    parser.add_argument("--plan", type=Path, required=True, help="the folder of plan.yaml")
    parser.add_argument("--history", type=Path, help="what was done, as simulate's --script")
    parser.add_argument("--from", dest="first", type=day, required=True, help="the first day")
    parser.add_argument("--to", dest="last", type=day, required=True, help="the last day")
    parser.add_argument("--claims", type=Path, help="`explain --json` of obligations, one a line")
    parser.add_argument("--again", type=Path, help="the journal of a second run (I6)")
    parser.add_argument("--show", type=int, default=20, help="how many counter-examples to print")
    return parser


if __name__ == "__main__":
    sys.exit(main())
