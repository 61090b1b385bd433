"""The disk under the ledger: full, read-only, or lying."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.nodes import CONNECTIONS, LETTERS, StartNode, message_ids
from tests.support.smtp import FaultyServer


@pytest.fixture
def small_disk(tmp_path: Path, program: Callable[[str], Path]) -> Iterator[Path]:
    """A disk of 2 MB in memory; only root may mount one."""
    mount = program("mount")
    if os.geteuid():
        pytest.skip("only root may mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, check=False
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
    node = start_node(database=f"sqlite:///{small_disk}/ledger.sqlite")
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
