"""duban as whole daemons on a ledger that is full of letters."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bench.figures import Figures
from bench.machinery import Machinery
from bench.office import AFTER_MINUTES, NOW, Filled, fill, make_plan, release, settled
from bench.sink import Sink
from ledger.engine import Ledger
from scheduler.clock import SystemClock

_ROOT = Path(__file__).parents[1]
_GLANCE_S = 0.05
_QUIET_S = 1
_SETTINGS: dict[str, Any] = {
    "smtp_host": "127.0.0.1",
    "smtp_tls": "none",
    "smtp_messages_per_connection": 1000,
    "mail_from": "duban@qzedu.example",
    "tick_seconds": 20,
    "log_format": "json",
}


class Daemon:
    """One daemon; its log goes to a file."""

    def __init__(self, machinery: Machinery, settings: dict[str, Any]) -> None:
        self._figures, self._log = machinery.fresh("figures"), machinery.fresh("log")
        given = json.dumps(settings | {"figures": str(self._figures)})
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.daemon", given], stderr=log, cwd=_ROOT
            )
        machinery.started.append(self._process)
        while b"daemon.ready" not in self._log.read_bytes():
            if self._process.poll() is not None:
                raise SystemExit(self._log.read_text(encoding="utf-8"))
            time.sleep(_GLANCE_S)
        self._rest()

    def _rest(self) -> None:
        """Wait until it and the process that words letters have started: neither works any more."""
        spent, before = self._ticks(), -1
        while spent != before:
            time.sleep(_QUIET_S)
            spent, before = self._ticks(), spent

    def _ticks(self) -> int:
        """How long the processor worked for it and for what it started, in the kernel's ticks."""
        one = self._process.pid
        children = Path(f"/proc/{one}/task/{one}/children").read_text(encoding="ascii").split()
        stats = [Path(f"/proc/{pid}/stat").read_text(encoding="utf-8") for pid in (one, *children)]
        return sum(sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in stats)

    @property
    def memory_mb(self) -> float:
        """The most memory that it ever held."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def stop(self) -> list[float]:
        """End it; gives the milliseconds from each 250 to its commit."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        lags: list[float] = json.loads(self._figures.read_text(encoding="utf-8"))
        return lags

    def wake(self) -> None:
        """Let it look at once: its beat is not what is measured."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()


def _start(machinery: Machinery, folder: Path, url: str, sink: Sink, **more: Any) -> Daemon:
    # every daemon counts from the moment that it starts, half an hour after the reminders
    when = {
        "now": (NOW + timedelta(minutes=AFTER_MINUTES)).isoformat(),
        "since": SystemClock().now().timestamp(),
    }
    where = {"folder": str(folder), "database": url, "smtp_port": sink.port}
    return Daemon(machinery, _SETTINGS | where | when | more)


def sqlite(machinery: Machinery, count: int) -> Figures:
    """One daemon on SQLite."""
    folder, full, filled = _full_file(machinery, count)
    file = machinery.fresh("ledger")
    shutil.copy(full, file)
    return _race(machinery, folder, f"sqlite:///{file}", filled, 1)


def postgres(machinery: Machinery, count: int, daemons: int) -> Figures:
    """One or more daemons on PostgreSQL."""
    folder, full, filled = _full_database(machinery, count)
    name = machinery.fresh("ledger").name.replace("-", "_")
    machinery.postgres.do(f"CREATE DATABASE {name} TEMPLATE {full}")
    figures = _race(machinery, folder, machinery.postgres.url(name), filled, daemons)
    machinery.postgres.do(f"DROP DATABASE {name}")
    return figures


def killed(machinery: Machinery, count: int) -> int:
    """Kill a daemon on SQLite in the midst, start another; gives how many came twice."""
    folder, full, (held, _) = _full_file(machinery, count)
    file = machinery.fresh("ledger")
    shutil.copy(full, file)
    url = f"sqlite:///{file}"
    quick = {"smtp_timeout_seconds": 0.5, "claim_lease_seconds": 5}
    with Sink() as sink:
        first = _start(machinery, folder, url, sink, **quick)
        ledger = Ledger(url)
        release(ledger)
        first.wake()
        sink.wait(held // 2)
        first.kill()
        # what the first had claimed is taken over when its lease is over
        second = _start(machinery, folder, url, sink, tick_seconds=1, **quick)
        _until_settled(ledger)
        ledger.close()
        second.stop()
        time.sleep(_QUIET_S)
        return sink.count - held


def _race(machinery: Machinery, folder: Path, url: str, filled: Filled, daemons: int) -> Figures:
    with Sink() as sink:
        running = [_start(machinery, folder, url, sink) for _ in range(daemons)]
        ledger = Ledger(url)
        begun = time.monotonic()
        release(ledger)
        for daemon in running:
            daemon.wake()
        taken = sink.wait(filled.letters) - begun
        _until_settled(ledger)
        ledger.close()
        memory = max(daemon.memory_mb for daemon in running)
        lags = [lag for daemon in running for lag in daemon.stop()]
    return Figures(filled.letters, taken, filled.seconds, lags, memory)


def _until_settled(ledger: Ledger) -> None:
    while not settled(ledger):
        time.sleep(_GLANCE_S * 4)


@cache
def _folder(machinery: Machinery, count: int) -> Path:
    return make_plan(machinery.fresh("plan"), count)


@cache
def _full_file(machinery: Machinery, count: int) -> tuple[Path, Path, Filled]:
    folder, file = _folder(machinery, count), machinery.fresh("full")
    return folder, file, fill(f"sqlite:///{file}", folder)


@cache
def _full_database(machinery: Machinery, count: int) -> tuple[Path, str, Filled]:
    folder, name = _folder(machinery, count), f"full{count}"
    machinery.postgres.do(f"CREATE DATABASE {name}")
    filled = fill(machinery.postgres.url(name), folder)
    # what its autovacuum does by itself within minutes, long before a morning's letters are due
    machinery.postgres.do("VACUUM ANALYZE", name)
    return folder, name, filled
