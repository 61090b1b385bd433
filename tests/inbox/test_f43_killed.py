"""The real daemon killed at any point of taking a mail in: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.engine import Ledger
from ledger.tables import attachment, letter, mail, submission
from tests.support.commands import spawn
from tests.support.daemons import RUN, StartDaemon, daemon_settings, start_daemon
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.ledgers import at
from tests.support.mails import file_part, multipart, words_part

__all__ = ["daemon_settings", "start_daemon"]

_DEADLY = """
import importlib, os, signal, sys
module, name = sys.argv[2].rsplit(".", 1)
room = importlib.import_module(module)
usual = getattr(room, name)
def deadly(*given, **named):
    usual(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(room, name, deadly)
"""
SECTION = "chuyou@edu.example"
_UNHEARD = {"NOTIFY_SOCKET": ""}


def rows(url: str, table: Any) -> list[Any]:
    """All rows of a table."""
    ledger = Ledger(url)
    try:
        with ledger.read() as connection:
            return list(connection.execute(select(table)))
    finally:
        ledger.close()


@pytest.mark.parametrize(
    "point",
    [
        "jobs.inbox.read",  # the bytes are kept, nothing is decided
        "ledger.mails.enter",  # within the transaction
        "jobs.inbox.submit_within",  # handed in, not committed
        "jobs.listen.take_in",  # committed
    ],
)
def test_f43_a_kill_between_fetch_and_commit_neither_loses_nor_doubles_a_report(
    dovecot: Dovecot, start_daemon: StartDaemon, daemon_settings: dict[str, Any], point: str
) -> None:
    account = dovecot.account()
    settings = daemon_settings | {
        "imap_host": "localhost",
        "imap_port": dovecot.tls,
        "imap_username": account.user,
        "imap_password": PASSWORD,
        "imap_ca_file": str(dovecot.ca),
        "imap_poll_seconds": 0.1,
        "now": "2023-03-17 09:30",
    }
    with start_daemon(_UNHEARD, **settings) as running:
        while (sent := running.until("letter.sent"))["to"] != SECTION:
            pass
        running.stop()
    answer = multipart(
        [words_part("报"), file_part("月报.pdf")],
        f"From: {SECTION}",
        f"In-Reply-To: {sent['message_id']}",
    )
    account.put(answer, at("03-17 10:00"))
    settings["now"] = "2023-03-17 10:10"
    died = spawn(json.dumps(settings), point, code=_DEADLY + RUN)
    assert died.code == -signal.SIGKILL, died.err
    with start_daemon(_UNHEARD, **settings) as running:
        while running.until("letter.sent")["kind"] != "receipt":
            pass
        assert running.stop() == 0
    url = str(settings["database"])
    assert [row.state for row in rows(url, mail)] == ["taken"]
    assert [row.via for row in rows(url, submission)] == ["mail"]
    assert [row.name for row in rows(url, attachment)] == ["月报.pdf"]
    receipts = [row for row in rows(url, letter) if row.kind == "receipt"]
    assert [row.state for row in receipts] == ["sent"]
    outbox = Path(settings["outbox"])
    assert (
        len([f for f in outbox.iterdir() if receipts[0].message_id.encode() in f.read_bytes()]) == 1
    )
