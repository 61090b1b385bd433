"""Years that were lived through, and what the checker says of them."""

from __future__ import annotations

from pathlib import Path

from tests.checker.proofs import findings
from tests.years.script import Year, year_of
from tests.years.world import World

_SHOWN = 3


def failures(seed: int, folder: Path | str) -> list[str]:
    """What is wrong with a seed's year, in words; nothing where it is proved."""
    return failures_of(year_of(seed), Path(folder))


def failures_of(year: Year, folder: Path, shown: int = _SHOWN) -> list[str]:
    """What is wrong with a year."""
    world = World(year, folder)
    try:
        world.run()
        found = findings(world.case)
    finally:
        world.close()
        (folder / f"{year.seed}.sqlite").unlink()
    if not found:
        return []
    count = f"seed {year.seed}: {len(found)} counter-examples; again: make year SEED={year.seed}"
    return [count, *map(str, found[:shown])]
