"""Another process locks the ledger for long: the daemon looks again soon, and loses nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scheduler.daemon import PATIENCE_S
from tests.faults.test_disk import known_sent
from tests.support.nodes import CONNECTIONS, LETTERS, StartNode, message_ids
from tests.support.smtp import FaultyServer

_HOLD = """
import sqlite3, sys
holding = sqlite3.connect(sys.argv[1], isolation_level=None)
holding.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def _held(ledger: Path) -> Iterator[Callable[[], None]]:
    """Another process holds the write lock, until it is let go."""
    command = [sys.executable, "-c", _HOLD, str(ledger)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        yield lambda: other.kill()


def test_f16_answers_that_came_while_the_ledger_was_locked_are_written_when_it_is_free(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path
) -> None:
    begun, locked = threading.Event(), threading.Event()

    def wait_for_the_lock(_count: int) -> None:
        begun.set()
        locked.wait(60)

    faulty.before_answer = wait_for_the_lock
    node = start_node(smtp_timeout_seconds=60, claim_lease_seconds=600)
    assert begun.wait(60)
    with _held(tmp_path / "ledger.sqlite") as let_go:
        locked.set()
        node.until("delivery.failed", 2)
        assert len(faulty.mails) <= CONNECTIONS
        let_go()
    faulty.wait_for(LETTERS)
    node.until("letter.sent", LETTERS)
    assert node.stop() == 0
    told = [line["reason"] for line in node.log if line["event"] == "delivery.failed"]
    assert f"in use by another process for longer than {PATIENCE_S} s" in told[0]
    assert set(message_ids(faulty).values()) == {1}
    assert known_sent(tmp_path) == set(message_ids(faulty))
