"""Daemons as processes under a clock that goes: to be killed, or to work side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any, Self

import pytest

from scheduler.clock import SystemClock
from tests.support.smtp import FaultyServer

_RUN = """
import asyncio, json, sys
from datetime import timedelta
from pathlib import Path
from config.settings import Settings
from scheduler.clock import SystemClock
from scheduler.daemon import run
from tests.support.ledgers import at
given = json.loads(sys.argv[1])

class Going(SystemClock):
    # every process counts from the same moment of the machine's
    start, since = at(given.pop("now")), given.pop("since")
    def now(self):
        return self.start + timedelta(seconds=SystemClock().now().timestamp() - self.since)

folder = Path(given.pop("folder"))
sys.exit(asyncio.run(run([folder], Settings(**given), Going())))
"""
_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 60
SECTIONS = 40
LETTERS = SECTIONS + 1
"""A reminder to each section, and the office's digest."""
CONNECTIONS = 4

_HEAD = """\
plan:
  id: many
  title: 年度重点工作
  organization: 某市教育局
  office: 办公室
  head: 局长
  starts: 2023-02-01
officials:
  - post: 局长
    holders: [{name: 刘殊芳, email: head@edu.example}]
sections:
  - {name: 办公室, email: office@edu.example}
"""
_TAIL = """\
rules:
  - id: monthly
    title: 重点工作进展情况
    due: {monthly: 25}
    from: 2023-03
    until: 2023-03
"""


def many_sections(folder: Path) -> Path:
    """A plan of 40 sections that owe one report, due on Friday 24 March 2023, in `folder`."""
    folder.mkdir()
    numbers = range(1, SECTIONS + 1)
    own = "".join(f"  - {{name: 第{n}科, email: s{n}@edu.example}}\n" for n in numbers)
    (folder / "plan.yaml").write_text(_HEAD + own + _TAIL, encoding="utf-8")
    return folder


@dataclass
class Node:
    """One daemon; its log is read by a thread, and `until` waits for an event of it."""

    settings: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    _heard: threading.Condition = field(default_factory=threading.Condition)
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None

    def start(self) -> Self:
        """Start the process; it need not be ready yet."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN, json.dumps(self.settings)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **self.environment},
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said = json.loads(line) if line.startswith("{") else {"event": "raw", "line": line}
            with self._heard:
                self.log.append(said)
                self._heard.notify_all()

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    def count(self, name: str) -> int:
        """How often an event of this name was logged."""
        return sum(line["event"] == name for line in self.log)

    def until(self, name: str, times: int = 1) -> None:
        """Wait until an event was logged so often."""
        with self._heard:
            heard = self._heard.wait_for(lambda: self.count(name) >= times, _PATIENCE_SECONDS)
        assert heard, f"no {name} in {self.log[-20:]}"

    @property
    def said(self) -> str:
        """What it said that is no line of the log."""
        return "".join(line["line"] for line in self.log if line["event"] == "raw")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; gives its exit code."""
        return self._end(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it ends by itself; gives its exit code."""
        return self._end(None)

    def _end(self, how: signal.Signals | None) -> int:
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return 0
        self._process = None
        if how is not None:
            process.send_signal(how)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_PATIENCE_SECONDS)
        reader.join(_PATIENCE_SECONDS)
        assert process.stderr is not None
        process.stderr.close()
        return process.returncode


StartNode = Callable[..., Node]


@pytest.fixture
def node_settings(faulty: FaultyServer, tmp_path: Path) -> dict[str, Any]:
    """Settings of a daemon with forty reports to remind of, an SQLite ledger and a quick heart."""
    return {
        "folder": str(many_sections(tmp_path / "plan")),
        "since": SystemClock().now().timestamp(),
        "now": "2023-03-17 09:00",
        "database": f"sqlite:///{tmp_path}/ledger.sqlite",
        "smtp_host": "127.0.0.1",
        "smtp_port": faulty.port,
        "smtp_tls": "none",
        "smtp_connections": CONNECTIONS,
        "smtp_timeout_seconds": 1,
        "batch_size": 4,
        "claim_lease_seconds": 3,
        "mail_from": "duban@edu.example",
        "tick_seconds": 0.2,
        "log_format": "json",
    }


@pytest.fixture
def start_node(node_settings: dict[str, Any]) -> Iterator[StartNode]:
    """Starts a daemon: `start_node(http_listen=…)`; all are killed at the end."""
    nodes: list[Node] = []

    def start(environment: dict[str, str] | None = None, **more: Any) -> Node:
        nodes.append(Node(node_settings | more, environment or {}).start())
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()


def message_ids(server: FaultyServer) -> Counter[str]:
    """How often each letter reached its final dot."""
    return Counter(str(message_from_bytes(mail)["Message-ID"]) for mail in server.mails)
