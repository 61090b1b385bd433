"""Years of bureaus under random faults: nothing lost, nothing twice, nobody wronged.

`YEARS` sets how many; `make years COUNT=10000` does so. A failure names the seed and the command
that lives through its year again.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.years.lived import failures
from tests.years.script import FIRST, year_of
from tests.years.world import World

COUNT = int(os.environ.get("YEARS", "20"))
FIRST_SEED = int(os.environ.get("FIRST_YEAR", "1"))
TOGETHER = 5
"""So many in one test, that the workers of a test run share them evenly."""


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + COUNT, TOGETHER))
def test_a_year_under_random_faults_is_proved(first: int) -> None:
    last = min(first + TOGETHER, FIRST_SEED + COUNT)
    found = [line for seed in range(first, last) for line in failures(seed)]
    assert not found, "\n".join(found)


def test_a_seed_gives_the_same_year_again() -> None:
    assert year_of(7) == year_of(7) != year_of(8)


def test_the_same_year_is_the_same_history_byte_for_byte(tmp_path: Path) -> None:
    journals = []
    for name in ("once", "again"):
        folder = tmp_path / name
        folder.mkdir()
        world = World(replace(year_of(7), last=FIRST + timedelta(days=90)), folder)
        world.run()
        world.close()
        journals.append([(m.at, m.outcome, m.content) for m in world.mails])
    assert journals[0] == journals[1]
