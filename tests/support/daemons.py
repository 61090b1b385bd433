"""The daemon as a process of its own: its log, its end, and what systemd hears of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.ledgers import open_ledger
from tests.support.small_plan import save

RUN = """
import asyncio, json, sys
from pathlib import Path
from config.settings import Settings
from scheduler.clock import VirtualClock
from scheduler.daemon import run
from tests.support.ledgers import at
given = json.loads(sys.argv[1])
clock = VirtualClock(at(given.pop("now")))
folder = Path(given.pop("folder"))
sys.exit(asyncio.run(run([folder], Settings(**given), clock)))
"""
"""Runs a daemon on the settings that are its argument, at the hour `now`."""
_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 60


@dataclass
class Running:
    """A daemon that runs; `stop` ends it and gives its exit code."""

    process: subprocess.Popen[str]
    ear: socket.socket
    log: list[dict[str, Any]] = field(default_factory=list)

    def until(self, name: str) -> dict[str, Any]:
        """Read the log to the next event of this name; gives its fields."""
        assert self.process.stderr is not None
        stray = []
        for line in self.process.stderr:
            if not line.startswith("{"):
                stray.append(line)  # a traceback of an end before the log was set up
                continue
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == name:
                return self.log[-1]
        raise AssertionError(f"the daemon ended without {name}: {self.log}{''.join(stray)}")

    def hears(self, seconds: float = _PATIENCE_SECONDS) -> str:
        """What systemd hears next; raises TimeoutError where it hears nothing for so long."""
        self.ear.settimeout(seconds)
        return self.ear.recv(100).decode()

    def stop(self) -> int:
        """Ask it to end, and read the rest of the log."""
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=_PATIENCE_SECONDS)
        self.log += [json.loads(line) for line in rest.splitlines()]
        return self.process.returncode


StartDaemon = Callable[..., Any]


@pytest.fixture
def daemon_settings(tmp_path: Path) -> dict[str, Any]:
    """Settings of a daemon with the small plan, a folder for letters, and a quick heart."""
    (tmp_path / "plan").mkdir()
    open_ledger(tmp_path).close()
    return {
        "folder": str(save(tmp_path / "plan")),
        "now": "2023-03-01 08:00",
        "database": f"sqlite:///{tmp_path}/ledger.sqlite",
        "outbox": str(tmp_path / "outbox"),
        "mail_from": "duban@edu.example",
        "tick_seconds": 0.05,
        "log_format": "json",
    }


@pytest.fixture
def start_daemon(tmp_path: Path, daemon_settings: dict[str, Any]) -> Iterator[StartDaemon]:
    """Starts a daemon: `with start_daemon(http_listen=…) as running`; it is killed at the end."""
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(tmp_path / "notify"))

    @contextmanager
    def start(environment: dict[str, str] | None = None, **more: Any) -> Iterator[Running]:
        given = daemon_settings | more
        with subprocess.Popen(
            [sys.executable, "-c", RUN, json.dumps(given)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), **(environment or {})},
        ) as process:
            try:
                yield Running(process, ear)
            finally:
                process.kill()

    yield start
    ear.close()
