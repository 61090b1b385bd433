"""Years of bureaus under random faults: nothing lost, nothing twice, nobody wronged.

`YEARS` sets how many; `make years COUNT=10000` does so. A failure names the seed and the command
that lives through its year again.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.years.lived import failures
from tests.years.script import year_of

COUNT = int(os.environ.get("YEARS", "160"))
FIRST = int(os.environ.get("FIRST_YEAR", "1"))
TOGETHER = 5
"""So many in one test, that the workers of a test run share them evenly."""


@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, TOGETHER))
def test_a_year_under_random_faults_is_proved(first: int, tmp_path: Path) -> None:
    last = min(first + TOGETHER, FIRST + COUNT)
    found = [line for seed in range(first, last) for line in failures(seed, tmp_path)]
    assert not found, "\n".join(found)


def test_a_seed_gives_the_same_year_again() -> None:
    assert year_of(7) == year_of(7) != year_of(8)
