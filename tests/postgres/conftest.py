from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.engine import Ledger
from tests.support.daemons import daemon_settings, start_daemon
from tests.support.ledgers import desk, make_desk
from tests.support.nodes import node_settings, start_node
from tests.support.postgres import Cluster, postgres
from tests.support.smtp import faulty, make_faulty

__all__ = [
    "daemon_settings",
    "desk",
    "faulty",
    "make_desk",
    "make_faulty",
    "node_settings",
    "postgres",
    "start_daemon",
    "start_node",
]


@pytest.fixture
def database(postgres: Cluster) -> str:
    """The name of a database of one's own, with duban's tables."""
    return postgres.fresh()


@pytest.fixture
def new_ledger(postgres: Cluster, database: str) -> Callable[[], Ledger]:
    """Opens the test's own database, once more at each call."""
    return lambda: Ledger(postgres.url(database), seed=0)
