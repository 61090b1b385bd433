"""Years under random faults, as in tests/years, with their ledgers on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.support.postgres import Cluster
from tests.years.lived import failures_of
from tests.years.script import year_of


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_year_on_postgresql_is_proved(seed: int, postgres: Cluster, database: str) -> None:
    found = failures_of(year_of(seed), database=postgres.url(database))
    assert not found, "\n".join(found)
