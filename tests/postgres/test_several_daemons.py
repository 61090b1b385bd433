"""Three daemons on one ledger: one decides, all deliver, and any of them may die."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from ledger.engine import Ledger
from ledger.leader import Leader
from tests.support.daemons import StartDaemon
from tests.support.nodes import CONNECTIONS, LETTERS, StartNode, message_ids
from tests.support.postgres import Cluster
from tests.support.smtp import FaultyServer


@pytest.fixture
def node_settings(
    node_settings: dict[str, Any], postgres: Cluster, database: str
) -> dict[str, Any]:
    """All nodes of a test have one ledger."""
    return node_settings | {"database": postgres.url(database)}


@pytest.fixture
def rows(postgres: Cluster, database: str) -> Callable[[str], list[tuple[Any, ...]]]:
    return lambda statement: postgres.do(statement, database)


def test_one_of_three_decides_and_the_letters_go_out_once(
    start_node: StartNode, faulty: FaultyServer, rows: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    nodes = [start_node() for _ in range(3)]
    faulty.wait_for(LETTERS)
    for node in nodes:
        node.until("daemon.ready")
    assert [node.stop() for node in nodes] == [0, 0, 0]
    assert sum(node.count("plan.reconciled") for node in nodes) == 1
    assert sum(node.count("daemon.follows") for node in nodes) == 2
    assert set(message_ids(faulty).values()) == {1}
    assert rows("SELECT state, count(*) FROM letter GROUP BY state") == [("sent", LETTERS)]


def test_f02_daemons_killed_at_random_lose_nothing_and_double_only_what_is_marked_so(
    start_node: StartNode, faulty: FaultyServer, rows: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    dice = Random(20)  # noqa: S311
    nodes = [start_node() for _ in range(3)]
    for reached in (6, 14, 22):
        faulty.wait_for(reached)
        nodes.pop(dice.randrange(len(nodes))).kill()
        nodes.append(start_node())
    until_all_are_sent(rows)
    for node in nodes:
        node.stop()
    copies = message_ids(faulty)
    uncertain = {row[0] for row in rows("SELECT message_id FROM letter WHERE uncertain")}
    assert set(copies) == {row[0] for row in rows("SELECT message_id FROM letter")}
    assert {which for which, times in copies.items() if times > 1} <= uncertain
    assert sum(copies.values()) - LETTERS <= 3 * CONNECTIONS


def test_a_dead_leader_is_followed_by_another_that_decides(
    start_node: StartNode, faulty: FaultyServer
) -> None:
    first = start_node()
    first.until("daemon.ready")
    second = start_node()
    second.until("daemon.follows")
    first.kill()
    second.until("daemon.leads")
    faulty.wait_for(LETTERS)
    assert len(message_ids(faulty)) == LETTERS


def test_daemons_come_back_by_themselves_when_the_database_does(
    start_node: StartNode, postgres: Cluster, faulty: FaultyServer
) -> None:
    faulty.script("DOT", *[b"451 not now\r\n"] * LETTERS)
    node = start_node()
    faulty.wait_for(1)
    postgres.stop("immediate")
    node.until("tick.failed")
    postgres.start()
    node.until("daemon.leads")
    assert node.stop() == 0


def test_f51_a_daemon_whose_database_is_away_is_not_taken_for_one_that_hangs(
    start_daemon: StartDaemon, postgres: Cluster, database: str
) -> None:
    with start_daemon(database=postgres.url(database)) as running:
        running.until("daemon.ready")
        postgres.stop("immediate")
        try:
            running.until("tick.failed")
            with suppress(TimeoutError):  # what it said before
                while running.hears(seconds=0.01):
                    pass
            assert [running.hears(seconds=20) for _ in range(3)] == ["WATCHDOG=1"] * 3
        finally:
            postgres.start()
        running.until("daemon.leads")
        assert running.stop() == 0


def test_only_one_session_leads_and_the_next_one_when_it_ends(
    postgres: Cluster, database: str
) -> None:
    one, other = (Ledger(postgres.url(database)) for _ in range(2))
    first, second = Leader(one), Leader(other)
    assert (first.leads(), second.leads(), first.leads()) == (True, False, True)
    postgres.do(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
        "WHERE locktype = 'advisory' AND granted"
    )
    assert first.leads() is False
    assert second.leads() is True
    assert first.leads() is False
    second.close()
    until_nobody_leads(postgres)
    assert first.leads() is True
    first.close()
    one.close()
    other.close()


def until_nobody_leads(postgres: Cluster) -> None:
    """Wait for the server: it ends a closed session in its own time, and the lock with it."""
    end = time.monotonic() + 10
    while postgres.do("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"):
        assert time.monotonic() < end


def until_all_are_sent(rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        states = dict(rows("SELECT state, count(*) FROM letter GROUP BY state"))
        if states == {"sent": LETTERS}:
            return
    raise AssertionError(states)
