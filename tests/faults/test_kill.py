"""kill -9 on the real daemon, wherever it stands in a letter."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.nodes import CONNECTIONS, LETTERS, Node, StartNode, message_ids
from tests.support.smtp import FaultyServer

ROUNDS = int(os.environ.get("KILLS", "8"))


class Killer:
    """Ends a daemon from within the relay, at the mails of these numbers."""

    def __init__(self) -> None:
        self.at: set[int] = set()
        self.node: Node | None = None
        self.done = threading.Event()

    def __call__(self, count: int) -> None:
        if count in self.at and self.node is not None and not self.done.is_set():
            os.kill(self.node.pid, signal.SIGKILL)
            self.done.set()

    def hold(self, count: int) -> None:
        """Stop the process before its answer leaves, so that it cannot act upon it any more."""
        if count in self.at and self.node is not None:
            os.kill(self.node.pid, signal.SIGSTOP)
            os.waitpid(self.node.pid, os.WUNTRACED)


def _spare(_count: int) -> None:
    """Let it live."""


@pytest.fixture
def killer() -> Killer:
    return Killer()


def letters(folder: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        return ledger.execute("SELECT message_id, state, uncertain FROM letter").fetchall()


def test_f01_a_kill_between_the_250_and_the_commit_sends_again_with_the_same_message_id(
    start_node: StartNode, faulty: FaultyServer, killer: Killer, tmp_path: Path
) -> None:
    killer.at = {5}
    faulty.before_answer, faulty.after_answer = killer.hold, killer
    killer.node = start_node(smtp_connections=1, batch_size=1, claim_lease_seconds=2)
    assert killer.done.wait(60)
    killer.node.kill()
    told = len(faulty.mails)
    taken = message_ids(faulty)
    second = start_node(smtp_connections=1, batch_size=1, claim_lease_seconds=2)
    faulty.wait_for(told + LETTERS - len(taken) + 1)
    second.until("letter.sent", LETTERS - len(taken) + 1)
    assert second.stop() == 0
    rows = letters(tmp_path)
    twice = {which for which, copies in message_ids(faulty).items() if copies == 2}
    assert {row[0] for row in rows if row[2]} == twice
    assert len(twice) == 1
    assert {row[1] for row in rows} == {"sent"}


# more letters than a batch, then all letters of a bureau in one
@pytest.mark.parametrize(("batch", "rounds", "twice"), [(4, ROUNDS, CONNECTIONS), (100, 4, 1)])
def test_f02_kills_anywhere_lose_nothing_and_double_only_what_is_marked_so(
    start_node: StartNode,
    faulty: FaultyServer,
    killer: Killer,
    tmp_path: Path,
    batch: int,
    rounds: int,
    twice: int,
) -> None:
    dice = Random(2)  # noqa: S311
    for turn in range(rounds):
        killer.done.clear()
        killer.at = {len(faulty.mails) + dice.randrange(1, 4)}
        hooks: list[Callable[[int], None]] = [killer, _spare]
        dice.shuffle(hooks)
        faulty.before_answer, faulty.after_answer = hooks
        killer.node = start_node(batch_size=batch)
        # some die before their first letter, in mid-start
        killer.done.wait(60 if turn % 3 else 0.2)
        killer.node.kill()
    faulty.before_answer = faulty.after_answer = _spare
    last = start_node(batch_size=batch)
    seen = 0
    while {row[1] for row in letters(tmp_path)} != {"sent"}:
        last.until("letter.sent", seen + 1)
        seen = last.count("letter.sent")
    assert last.stop() == 0
    rows, copies = letters(tmp_path), message_ids(faulty)
    assert set(copies) == {row[0] for row in rows}
    assert len(rows) == LETTERS
    assert {which for which, times in copies.items() if times > 1} <= {r[0] for r in rows if r[2]}
    assert sum(copies.values()) - LETTERS <= rounds * twice
