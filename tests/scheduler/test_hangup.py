"""SIGHUP asks `duban run` to read its plan again; it never ends it, however early or late it is."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.engine import Ledger
from tests.support import small_plan
from tests.support.commands import ROOT, environment

_PATIENCE_SECONDS = 60
_RUN = "from scheduler.cli import main; main()"


@pytest.fixture
def run_duban(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts `duban run` on the small plan, with a ledger in the test's folder."""
    (tmp_path / "plan").mkdir()
    small_plan.save(tmp_path / "plan")
    settings = environment(
        DUBAN_DATABASE=f"sqlite:///{tmp_path}/ledger.sqlite",
        DUBAN_OUTBOX=str(tmp_path / "outbox"),
        DUBAN_MAIL_FROM="duban@edu.example",
    )
    command = [sys.executable, "-c", _RUN, "run", str(tmp_path / "plan")]
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, cwd=ROOT, env=settings, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if word in line:
            return
    raise AssertionError(f"it ended with {process.wait()} without {word}: {''.join(said)}")


def test_a_hangup_that_comes_while_the_daemon_starts_does_not_end_it(
    run_duban: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    """A daemon that waits for its ledger is hung up on, and starts all the same."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    ledger.prepare()
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        process = run_duban()
        lock, over = tmp_path / "ledger.sqlite.lock", time.monotonic() + _PATIENCE_SECONDS
        while not (lock.exists() and lock.read_text()):
            assert time.monotonic() < over
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        held.execute("ROLLBACK")
    _until(process, "daemon.ready")
    process.send_signal(signal.SIGTERM)
    assert process.wait(_PATIENCE_SECONDS) == 0


def test_a_hangup_that_comes_when_the_daemon_has_stopped_leaves_its_code(
    run_duban: Callable[[], subprocess.Popen[str]],
) -> None:
    """A daemon that was told to stop ends with 0, whatever follows."""
    process = run_duban()
    _until(process, "daemon.ready")
    process.send_signal(signal.SIGTERM)
    _until(process, "daemon.stopped")
    process.send_signal(signal.SIGHUP)
    assert process.wait(_PATIENCE_SECONDS) == 0
