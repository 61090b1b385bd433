"""The daemon's process on a machine whose clock is set while it runs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.clock import SystemClock
from tests.support.commands import spawn
from tests.support.ledgers import ZONE
from tests.support.nodes import LETTERS, StartNode, message_ids
from tests.support.smtp import FaultyServer


class Machine:
    """A clock that can be set: what a process gets that runs under `environment`."""

    def __init__(self, faketime: Path, folder: Path) -> None:
        library = subprocess.run(
            [faketime, "-m", "now", "printenv", "LD_PRELOAD"],
            capture_output=True,
            text=True,
            check=True,
        )
        self._offset = folder / "offset"
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": library.stdout.strip(),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            # the clock that nobody sets is right
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """So far ahead of the true time, such as `+3d` or `-90m`."""
        part = self._offset.with_suffix(".part")
        part.write_text(f"{offset}\n")
        part.replace(self._offset)


@pytest.fixture
def machine(program: Callable[[str], Path], tmp_path: Path) -> Machine:
    return Machine(program("faketime"), tmp_path)


def test_f21_a_clock_set_back_days_stops_no_heart_and_sends_nothing_again(
    start_node: StartNode, faulty: FaultyServer, machine: Machine
) -> None:
    node = start_node(machine.environment)
    faulty.wait_for(LETTERS)
    node.until("letter.sent", LETTERS)
    machine.set("-3d")
    node.until("clock.jumped")
    machine.set("+0")
    node.until("clock.jumped", 2)
    # the notices prove that the heart beats on; of the letters none came twice
    faulty.wait_for(LETTERS + 1)
    assert node.stop() == 0
    assert set(message_ids(faulty).values()) == {1}


def test_f21_a_clock_set_forward_over_a_deadline_alarms_no_official(
    start_node: StartNode, faulty: FaultyServer, machine: Machine
) -> None:
    # Friday 24 March is the deadline: the sections' last reminder before it goes out
    node = start_node(machine.environment, now="2023-03-24 09:00")
    faulty.wait_for(LETTERS)
    node.until("letter.sent", LETTERS)
    machine.set("+3d")
    node.until("clock.jumped")
    # on Monday by this clock: each section is told that it is late
    node.until("letter.sent", 2 * LETTERS)
    assert node.stop() == 0
    assert "head@edu.example" not in faulty.recipients


def test_f22_after_days_off_a_start_sends_one_letter_to_each_and_alarms_no_official(
    start_node: StartNode, faulty: FaultyServer, machine: Machine
) -> None:
    first = start_node(machine.environment, smtp_port=1, now="2023-03-13 09:00")
    first.until("daemon.ready")
    assert first.stop() == 0
    machine.set("+15d")  # Tuesday 28 March: four rungs have come, one of them to the official
    second = start_node(machine.environment, now="2023-03-13 09:00")
    second.until("letter.sent", LETTERS)
    assert second.stop() == 0
    assert "head@edu.example" not in faulty.recipients
    assert set(message_ids(faulty).values()) == {1}
    sections = [to for to in faulty.recipients if to != "office@edu.example"]
    assert len(sections) == len(set(sections))


def test_f51_status_notices_a_daemon_that_was_killed_once_its_ticks_stay_away(
    start_node: StartNode, machine: Machine, tmp_path: Path
) -> None:
    node = start_node(now=f"{SystemClock().now().astimezone(ZONE):%Y-%m-%d %H:%M}")
    node.until("daemon.ready")
    here = {"DUBAN_DATABASE": f"sqlite:///{tmp_path}/ledger.sqlite"} | machine.environment
    alive = spawn("status", "--json", variables=here)
    assert (alive.code, alive.json["daemon_silent"]) == (0, False)
    os.kill(node.pid, signal.SIGKILL)
    node.wait()
    machine.set("+10m")
    dead = spawn("status", "--json", variables=here)
    assert (dead.code, dead.json["daemon_silent"]) == (1, True)
    assert "the daemon does not run, or hangs" in spawn("status", variables=here).out
