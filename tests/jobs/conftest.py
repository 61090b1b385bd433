from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from ledger.engine import Ledger
from tests.support.ledgers import desk, make_desk, open_ledger
from tests.support.postgres import Cluster, postgres
from tests.support.smtp import faulty, make_faulty

__all__ = ["desk", "faulty", "make_desk", "make_faulty", "postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Ledger]:
    """Makes an empty ledger: every test of a job runs on both databases."""
    if request.param == "sqlite":
        names = count()
        return lambda: open_ledger(tmp_path, f"ledger-{next(names)}.sqlite")
    cluster: Cluster = request.getfixturevalue("postgres")
    return lambda: Ledger(cluster.url(cluster.fresh()), seed=0)
