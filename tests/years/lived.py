"""Years that were lived through, and what the checker says of them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.checker.proofs import findings
from tests.years.script import Year, year_of
from tests.years.world import World

_SHOWN = 3


def failures(seed: int) -> list[str]:
    """What is wrong with a seed's year, in words; nothing where it is proved."""
    return failures_of(year_of(seed))


def failures_of(year: Year, shown: int = _SHOWN, database: str = "") -> list[str]:
    """What is wrong with a year; its ledger is of SQLite, unless an empty one is named."""
    with TemporaryDirectory() as folder:
        world = World(year, Path(folder), database)
        try:
            world.run()
            found = findings(world.case)
        finally:
            world.close()
    if not found:
        return []
    count = f"seed {year.seed}: {len(found)} counter-examples; again: make year SEED={year.seed}"
    return [count, *map(str, found[:shown])]
