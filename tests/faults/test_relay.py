"""A relay that refuses one, hangs, or speaks GBK, and a whole daemon that writes to it."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import spawn
from tests.support.nodes import CONNECTIONS, LETTERS, StartNode, message_ids
from tests.support.smtp import FaultyServer

_STATES = "SELECT state, count(*) FROM letter GROUP BY state"


def ask(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the daemon's ledger, which may not be made yet."""
    path = folder / "ledger.sqlite"
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(path)) as ledger:
            return ledger.execute(statement).fetchall()
    except sqlite3.OperationalError:
        return []  # no tables yet


def until(folder: Path, wanted: dict[str, int]) -> None:
    """Wait until the letters' states are these."""
    end, states = time.monotonic() + 60, None
    while states != wanted:
        assert time.monotonic() < end, states
        states = dict(ask(folder, _STATES))


def test_f05_whom_the_relay_refuses_fails_alone_and_the_office_hears_of_it(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path
) -> None:
    faulty.script("RCPT", *[b"250 ok\r\n"] * CONNECTIONS, b"550 5.1.1 no such user\r\n")
    node = start_node()
    until(tmp_path, {"sent": LETTERS, "failed": 1})  # a notice to the office took its place
    assert node.stop() == 0
    ((address, reply),) = ask(tmp_path, "SELECT address, reason FROM letter WHERE state = 'failed'")
    assert "5.1.1" in reply
    written = Counter(message_from_bytes(mail)["To"] for mail in faulty.mails)
    assert not any(address in to for to in written)
    assert set(message_ids(faulty).values()) == {1}
    (kind,) = ask(tmp_path, "SELECT kind FROM letter WHERE kind = 'notice' AND state = 'sent'")
    assert kind == ("notice",)


def test_f07_letters_that_the_relay_does_not_answer_hold_up_no_others(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path
) -> None:
    faulty.script("DATA", "hang").script("DOT", "hang", "drip")
    node = start_node()
    until(tmp_path, {"sent": LETTERS - 3, "queued": 3})
    assert node.stop() == 0
    waiting = ask(tmp_path, "SELECT reply, uncertain FROM letter WHERE state = 'queued'")
    # what was never handed over is known not to be there; of the others nobody knows
    assert sorted(uncertain for _, uncertain in waiting) == [0, 1, 1]
    assert all(reply.startswith("no answer in time") for reply, _ in waiting)


def test_f11_a_refusal_in_gbk_is_real_characters_in_the_log_the_ledger_and_explain(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path
) -> None:
    said = "信箱已满，请稍后再试"
    usual = [b"250 2.0.0 queued\r\n"] * CONNECTIONS  # the office's digest is among the first
    faulty.script("DOT", *usual, b"452 4.2.2 " + said.encode("gbk") + b"\r\n")
    node = start_node()
    until(tmp_path, {"sent": LETTERS - 1, "queued": 1})
    assert node.stop() == 0
    assert [said in str(line) for line in node.log if line["event"] == "raw"] == []
    ((reply, key),) = ask(
        tmp_path,
        "SELECT letter.reply, obligation.key FROM letter JOIN mention ON letter_id = letter.id "
        "JOIN obligation ON obligation.id = obligation_id WHERE letter.state = 'queued'",
    )
    assert said in reply
    told = spawn(
        *("explain", key, "--plan", tmp_path / "plan"),
        variables={"DUBAN_DATABASE": f"sqlite:///{tmp_path}/ledger.sqlite"},
    )
    assert f"服务器答复“452 4.2.2 {said}”" in told.out


def letters(server: FaultyServer) -> list[tuple[str, str, str]]:
    """To whom, about what, and the hour in the office's own zone."""
    mails = [message_from_bytes(mail, policy=policy.default) for mail in server.mails]
    return sorted((m["To"], m["Subject"], str(m["Date"])[-5:]) for m in mails)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_f23_a_daemon_on_a_host_of_another_zone_sends_the_same_letters(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path, zone: str
) -> None:
    node = start_node({"TZ": zone})
    until(tmp_path, {"sent": LETTERS})
    assert node.stop() == 0
    found = letters(faulty)
    reminders = [("s", subject, hour) for to, subject, hour in found if "office" not in to]
    assert set(reminders) == {
        ("s", "【蓝】3月重点工作进展情况 3月24日（周五）截止，还剩5个工作日", "+0800")
    }
    assert ask(tmp_path, "SELECT DISTINCT deadline FROM obligation") == [
        ("2023-03-24 09:30:00.000000+00:00",)
    ]
