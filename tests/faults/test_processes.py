"""What whole processes do to each other and tell: a second daemon, a bad file, a secret."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.support.commands import spawn
from tests.support.nodes import StartNode
from tests.support.smtp import FaultyServer

CANARY = "kanarienvogel-geheim"


def test_f19_a_second_daemon_ends_at_once_and_names_the_first(
    start_node: StartNode, faulty: FaultyServer
) -> None:
    first = start_node()
    first.until("daemon.ready")
    second = start_node()
    assert second.wait() == 1
    assert f"process {first.pid}" in second.said
    assert "daemon.ready" not in [line["event"] for line in second.log]
    assert first.stop() == 0


def test_f17_a_flipped_byte_in_a_page_of_the_ledger_lets_no_daemon_start(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path
) -> None:
    first = start_node(smtp_port=1)
    first.until("daemon.ready")
    assert first.stop() == 0
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as ledger:
        (root,) = ledger.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'letter'"
        ).fetchone()
        (size,) = ledger.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * size] ^= 0xFF  # the kind of the page that the table of letters begins with
    path.write_bytes(content)
    second = start_node()
    assert second.wait() == 1
    assert "is damaged" in second.said
    assert path.read_bytes() == bytes(content)
    assert faulty.mails == []


def test_f38_a_password_that_the_relay_repeats_is_in_no_log_no_ledger_and_no_answer(
    start_node: StartNode, make_faulty: Callable[..., FaultyServer], tmp_path: Path
) -> None:
    relay = make_faulty(auth=True)
    relay.script("AUTH", *[b"535 5.7.8 %s is wrong\r\n" % CANARY.encode()] * 500)
    node = start_node(
        smtp_port=relay.port, smtp_username="duban", smtp_password=CANARY, log_level="debug"
    )
    node.until("daemon.ready")
    wait_for_a_refusal(tmp_path)
    assert node.stop() == 0
    here = {"DUBAN_DATABASE": f"sqlite:///{tmp_path}/ledger.sqlite"}
    plan = tmp_path / "plan"
    status = spawn("status", "--plan", plan, variables=here)
    explain = spawn("explain", "monthly/2023-03/第1科", "--plan", plan, variables=here)
    assert "5.7.8" in status.out  # the refusal itself is told
    assert explain.code == 0
    for said in (str(node.log), *(a.out + a.err for a in (status, explain))):
        assert CANARY not in said
    assert [p for p in tmp_path.glob("ledger.sqlite*") if CANARY.encode() in p.read_bytes()] == []


def wait_for_a_refusal(folder: Path) -> None:
    """Wait until the ledger holds what the relay said to a letter."""
    end = time.monotonic() + 60
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        while time.monotonic() < end:
            if ledger.execute("SELECT 1 FROM event WHERE what = 'letter.held'").fetchone():
                return
    raise AssertionError("no letter was held in 60 s")
