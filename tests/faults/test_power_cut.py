"""What a power cut leaves of the ledger's write-ahead log: every cut gives a consistent ledger."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import struct
import threading
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.support.nodes import LETTERS, Node, StartNode, message_ids
from tests.support.smtp import FaultyServer

CUTS = int(os.environ.get("CUTS", "60"))
_WAL_HEADER, _FRAME_HEADER = 32, 24  # https://sqlite.org/fileformat2.html#walformat


@pytest.fixture
def killed(start_node: StartNode, faulty: FaultyServer, tmp_path: Path) -> Path:
    """The folder of a ledger whose daemon was killed in the midst of its letters."""
    nodes: list[Node] = []
    killed = threading.Event()

    def kill(count: int) -> None:
        if count == LETTERS // 2:
            os.kill(nodes[0].pid, signal.SIGKILL)
            killed.set()

    faulty.after_answer = kill
    nodes.append(start_node())
    assert killed.wait(60)
    nodes[0].wait()
    return tmp_path


def copy_of(folder: Path, name: str, wal: bytes) -> Path:
    """The ledger as it would be if its log were `wal`."""
    place = folder / name
    place.mkdir()
    shutil.copy(folder / "ledger.sqlite", place)
    (place / "ledger.sqlite-wal").write_bytes(wal)
    return place / "ledger.sqlite"


def look(path: Path) -> tuple[str, int, int]:
    """Whether the database is sound, and how many events and sent letters it knows."""
    with closing(sqlite3.connect(path)) as ledger:
        sound = ledger.execute("PRAGMA quick_check(1)").fetchone()[0]
        if not ledger.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return sound, 0, 0
        events = ledger.execute("SELECT count(*) FROM event").fetchone()[0]
        sent = ledger.execute("SELECT count(*) FROM letter WHERE state = 'sent'").fetchone()[0]
        noted = ledger.execute("SELECT count(*) FROM event WHERE what = 'letter.sent'").fetchone()
    assert sent == noted[0], "a transaction is there by half"
    return sound, events, sent


def test_f02_a_log_cut_anywhere_is_a_ledger_of_some_earlier_moment(killed: Path) -> None:
    wal = (killed / "ledger.sqlite-wal").read_bytes()
    dice = Random(1)  # noqa: S311
    cuts = sorted(dice.sample(range(len(wal)), CUTS))
    seen = [look(copy_of(killed, f"cut-{at}", wal[:at])) for at in cuts]
    assert {sound for sound, _, _ in seen} == {"ok"}
    known = [(events, sent) for _, events, sent in seen]
    assert known == sorted(known)
    assert len(set(known)) > 3


def test_f02_a_write_torn_by_a_power_cut_takes_nothing_committed_with_it(
    killed: Path, start_node: StartNode, faulty: FaultyServer
) -> None:
    wal = (killed / "ledger.sqlite-wal").read_bytes()
    whole = look(copy_of(killed, "whole", wal))
    size = struct.unpack(">I", wal[8:12])[0] + _FRAME_HEADER
    torn = wal[_WAL_HEADER : _WAL_HEADER + size // 2] + bytes(size // 3)
    assert look(copy_of(killed, "torn", wal + torn)) == whole
    (killed / "ledger.sqlite-wal").write_bytes(wal + torn)
    (killed / "ledger.sqlite-shm").unlink()
    faulty.after_answer = lambda count: None
    told = len(faulty.mails)
    node = start_node()
    faulty.wait_for(told + LETTERS - whole[2])
    node.until("letter.sent", LETTERS - whole[2])
    assert node.stop() == 0
    assert look(killed / "ledger.sqlite")[2] == LETTERS
    with closing(sqlite3.connect(killed / "ledger.sqlite")) as ledger:
        unsure = {r[0] for r in ledger.execute("SELECT message_id FROM letter WHERE uncertain")}
    copies = message_ids(faulty)
    assert len(copies) == LETTERS
    assert {which for which, times in copies.items() if times > 1} <= unsure
