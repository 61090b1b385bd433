"""The primary is lost in the midst of the letters, and a standby takes its place."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.engine import Ledger, LedgerError
from tests.support.lines import PATIENCE, Line
from tests.support.nodes import CONNECTIONS, LETTERS, StartNode, message_ids
from tests.support.postgres import Cluster, start_cluster
from tests.support.smtp import FaultyServer


@pytest.fixture
def primary(program: Callable[[str], Path]) -> Iterator[Cluster]:
    """A server of this test's own, which waits for the disk."""
    cluster = start_cluster(durable=True)
    if cluster is None:
        program("/usr/lib/postgresql/*/bin/postgres")
        raise AssertionError
    yield cluster
    if cluster.running:
        cluster.stop("immediate")
    shutil.rmtree(cluster.folder)


@pytest.fixture
def standby(primary: Cluster) -> Iterator[Cluster]:
    """Has all that the primary called committed."""
    cluster = primary.follow()
    yield cluster
    cluster.stop("immediate")
    shutil.rmtree(cluster.folder)


@pytest.fixture
def database(primary: Cluster, standby: Cluster) -> str:
    """The name of a database on both."""
    name = primary.fresh()
    end = time.monotonic() + 30
    while (name,) not in standby.do("SELECT datname FROM pg_database"):
        assert time.monotonic() < end
    return name


def address(database: str, *servers: Cluster | Line) -> str:
    """The ledger wherever it may be written."""
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://duban@/{database}?{hosts}&target_session_attrs=read-write"


@pytest.fixture
def node_settings(
    node_settings: dict[str, Any], primary: Cluster, standby: Cluster, database: str
) -> dict[str, Any]:
    """The daemon knows both servers."""
    return node_settings | {"database": address(database, primary, standby)}


def test_f20_when_a_standby_takes_the_primary_s_place_no_letter_is_lost_or_sent_twice(
    start_node: StartNode,
    faulty: FaultyServer,
    primary: Cluster,
    standby: Cluster,
    database: str,
) -> None:
    def lose_the_primary(count: int) -> None:
        if count == 10:
            primary.stop("immediate")

    faulty.before_answer = lose_the_primary
    node = start_node()
    node.until("tick.failed")
    standby.promote()
    faulty.wait_for(LETTERS)
    assert node.stop() == 0
    assert set(message_ids(faulty).values()) == {1}
    states = standby.do("SELECT state, count(*) FROM letter GROUP BY state", database)
    assert states == [("sent", LETTERS)]


def test_f20_when_the_primary_s_machine_falls_silent_the_standby_made_primary_is_found(
    start_node: StartNode,
    faulty: FaultyServer,
    primary: Cluster,
    standby: Cluster,
    database: str,
) -> None:
    line, lost = Line(primary.port), threading.Event()

    def lose_the_machine(count: int) -> None:
        if count == 10:
            line.fall_silent()
            lost.set()

    faulty.before_answer = lose_the_machine
    both = f"{address(database, line, standby)}&{PATIENCE}"
    node = start_node(database=both, smtp_timeout_seconds=30, claim_lease_seconds=60)
    assert lost.wait(60)
    standby.promote()
    faulty.wait_for(LETTERS)
    assert node.stop() == 0
    assert set(message_ids(faulty).values()) == {1}
    states = standby.do("SELECT state, count(*) FROM letter GROUP BY state", database)
    assert states == [("sent", LETTERS)]
    line.stop()


def until(primary: Cluster, database: str, statement: str, rows: list[tuple[object, ...]]) -> None:
    """Wait until the primary gives these rows."""
    end = time.monotonic() + 60
    while (found := primary.do(statement, database)) != rows:
        assert time.monotonic() < end, found


def test_f02_a_daemon_killed_while_its_commit_waits_for_a_lost_standby_loses_no_mark(
    start_node: StartNode,
    faulty: FaultyServer,
    primary: Cluster,
    standby: Cluster,
    database: str,
) -> None:
    lost = threading.Event()

    def lose_the_standby(count: int) -> None:
        if count == 10:
            standby.stop("immediate")
            lost.set()

    faulty.before_answer = lose_the_standby
    node = start_node()
    assert lost.wait(60)
    waiting = "SELECT DISTINCT wait_event FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    until(primary, database, waiting, [("SyncRep",)])
    node.kill()
    standby.start()
    start_node()
    until(primary, database, "SELECT DISTINCT state FROM letter", [("sent",)])
    copies = message_ids(faulty)
    doubted = {
        row[0] for row in primary.do("SELECT message_id FROM letter WHERE uncertain", database)
    }
    assert len(copies) == LETTERS
    assert {which for which, times in copies.items() if times > 1} <= doubted
    assert copies.total() - LETTERS <= CONNECTIONS


def test_while_no_server_may_be_written_that_is_what_is_said(
    primary: Cluster, standby: Cluster, database: str
) -> None:
    primary.stop("immediate")
    book = Ledger(address(database, primary, standby))
    with pytest.raises(LedgerError, match="only a standby answers"):
        book.prepare()
    book.close()
