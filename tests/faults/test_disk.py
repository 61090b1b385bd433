"""The disk under the ledger: full, read-only, or lying."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

from ledger.engine import Ledger
from tests.support.commands import spawn
from tests.support.nodes import CONNECTIONS, LETTERS, StartNode, message_ids
from tests.support.smtp import FaultyServer


@pytest.fixture
def small_disk(tmp_path: Path, program: Callable[[str], Path]) -> Iterator[Path]:
    """A disk of 3 MB in memory; only root may mount one."""
    mount = program("mount")
    if os.geteuid():
        pytest.skip("only root may mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path) -> Path:
    """A file that takes all the room there is."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return filler


def test_f13_on_a_full_disk_sending_stops_and_goes_on_when_there_is_room(
    start_node: StartNode, faulty: FaultyServer, small_disk: Path
) -> None:
    def fill_at_the_third(count: int) -> None:
        if count == 3:
            fill(small_disk)

    faulty.before_answer = fill_at_the_third
    # claimed one by one: else those claimed before the disk was full would go out as well
    node = start_node(database=f"sqlite:///{small_disk}/ledger.sqlite", batch_size=1)
    node.until("delivery.failed")
    told = [line for line in node.log if line["event"] == "delivery.failed"]
    assert "the disk is full; nothing is sent until there is room" in told[0]["reason"]
    node.until("delivery.failed", 3)
    assert len(faulty.mails) <= 3 + CONNECTIONS
    (small_disk / "filler").unlink()
    faulty.wait_for(LETTERS)
    assert node.stop() == 0
    assert set(message_ids(faulty).values()) == {1}
    assert len(message_ids(faulty)) == LETTERS


def test_f13_status_says_that_the_disk_of_the_ledger_is_full(small_disk: Path) -> None:
    """The daemon cannot write down why it is silent; whoever asks is told what to mend."""
    url = f"sqlite:///{small_disk}/ledger.sqlite"
    here = {"DUBAN_DATABASE": url}
    with closing(Ledger(url)) as ledger:
        ledger.prepare()
        with ledger.read():  # held open, as by a daemon
            roomy = spawn("status", "--json", variables=here)
            fill(small_disk)
            full = spawn("status", "--json", variables=here)
            said = spawn("status", variables=here)
    assert (roomy.code, roomy.json["disk_full"]) == (0, False)
    assert (full.code, full.json["disk_full"]) == (1, True)
    assert "the ledger's disk is full: nothing is sent until there is room" in said.out


Inject = Callable[[int, str], None]


@pytest.fixture
def inject(program: Callable[[str], Path]) -> Iterator[Inject]:
    """From now on the system answers a process so: `inject(pid, "fsync:error=EIO")`."""
    strace, tracers = program("strace"), list[subprocess.Popen[str]]()

    def start(pid: int, fault: str) -> None:
        calls = fault.split(":")[0]
        tracer = subprocess.Popen(
            [strace, "-f", "-p", str(pid), "-e", f"trace={calls}", "-e", f"inject={fault}"],
            stderr=subprocess.PIPE,
            text=True,
        )
        tracers.append(tracer)
        assert tracer.stderr is not None
        _skip_unless_attached(tracer.stderr)

    yield start
    for tracer in tracers:
        tracer.terminate()
        tracer.communicate(timeout=60)


def _skip_unless_attached(said: IO[str]) -> None:
    line = said.readline()
    if "attached" not in line:
        pytest.skip(f"no process may be traced here: {line.strip()}")


def known_sent(place: Path) -> set[str]:
    """The Message-IDs of the letters that the ledger knows to be sent."""
    with closing(sqlite3.connect(place / "ledger.sqlite")) as ledger:
        rows = ledger.execute("SELECT message_id FROM letter WHERE state = 'sent'").fetchall()
    return {row[0] for row in rows}


def test_f14_a_disk_that_fails_to_sync_ends_the_daemon_and_nothing_unclaimed_is_sent(
    start_node: StartNode, faulty: FaultyServer, inject: Inject, tmp_path: Path
) -> None:
    # the first letters wait in the relay until the disk has begun to lie
    begun, lies = threading.Event(), threading.Event()

    def wait_for_the_lie(_count: int) -> None:
        begun.set()
        lies.wait(60)

    faulty.before_answer = wait_for_the_lie
    node = start_node(smtp_timeout_seconds=60, claim_lease_seconds=600)
    assert begun.wait(60)
    inject(node.pid, "fsync,fdatasync:error=EIO")
    lies.set()
    assert node.wait() == 1
    told = [line["reason"] for line in node.log if line["event"] == "delivery.failed"]
    assert "cannot be read or written: the disk reports an error" in told[0]
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        claimed = ledger.execute(
            "SELECT message_id FROM letter WHERE state IN ('claimed', 'sent')"
        ).fetchall()
    assert set(message_ids(faulty)) <= {row[0] for row in claimed}
    assert len(faulty.mails) <= CONNECTIONS


def test_f13_a_write_that_finds_no_room_stops_sending_until_there_is_room(
    start_node: StartNode, faulty: FaultyServer, inject: Inject, tmp_path: Path
) -> None:
    begun, full = threading.Event(), threading.Event()

    def wait_until_full(_count: int) -> None:
        begun.set()
        full.wait(60)

    faulty.before_answer = wait_until_full
    node = start_node(smtp_timeout_seconds=60, claim_lease_seconds=600)
    assert begun.wait(60)
    inject(node.pid, "pwrite64:error=ENOSPC:when=1..40")
    full.set()
    node.until("delivery.failed")
    faulty.wait_for(LETTERS)
    node.until("letter.sent", LETTERS)
    assert node.stop() == 0
    assert set(message_ids(faulty).values()) == {1}
    assert known_sent(tmp_path) == set(message_ids(faulty))


def test_f15_on_a_disk_that_only_reads_the_daemon_refuses_to_start(
    start_node: StartNode, faulty: FaultyServer, small_disk: Path
) -> None:
    database = f"sqlite:///{small_disk}/ledger.sqlite"
    with read_only(small_disk):
        empty = start_node(database=database)
        assert empty.wait() == 1
    first = start_node(database=database, smtp_port=1)
    first.until("daemon.ready")
    assert first.stop() == 0
    with read_only(small_disk):
        again = start_node(database=database)
        assert again.wait() == 1
    for node in (empty, again):
        assert "ledger.sqlite.lock cannot be opened (Read-only file system)" in node.said
    assert faulty.mails == []


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Nothing may be written on that disk."""
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
