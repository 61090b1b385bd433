"""What the pages cost the letters: letters a second, with and without people at the pages.

    python bench/pages_and_letters.py [LETTERS]        (2,000 by default)

A real daemon sends letters to a server on loopback while nobody, 20 requests a second, or four
clients without a pause ask for its pages (the login page, the probes, the figures). Prints one line
for each, with the median and the slowest hundredth of the answers. Each run ends by itself.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from config.loader import load_plan
from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.letters import Recipient
from jobs.reconcile import reconcile
from ledger import letters, plans
from ledger.engine import Ledger
from tests.support.smtp import FaultyServer

PLAN = Path(__file__).parents[1] / "config" / "quanzhou-2023"
NOW = datetime(2023, 2, 1, 2, 0, tzinfo=UTC)
PATHS = ("/login", "/readyz", "/metrics", "/healthz")
_DAEMON = """
import asyncio, json, sys
from datetime import datetime
from pathlib import Path
from config.settings import Settings
from scheduler.clock import VirtualClock
from scheduler.daemon import run
given = json.loads(sys.argv[1])
clock = VirtualClock(datetime.fromisoformat(given.pop("now")))
sys.exit(asyncio.run(run([Path(given.pop("folder"))], Settings(**given), clock)))
"""


def filled(path: Path, count: int) -> None:
    """A ledger with so many notices that may go out."""
    plan = load_plan(PLAN).plan
    if plan is None:
        raise SystemExit(f"{PLAN} does not load")
    ledger = Ledger(f"sqlite:///{path}")
    ledger.prepare()
    reconcile(ledger, Bureau(plan), NOW)
    data = {"title": "方案文件有误", "message": ["请更正。"], "details": ["plan.yaml:1:1"]}
    office = Recipient(plan.office.name, official=False)
    with ledger.write() as connection:
        plan_id = plans.ids(connection)[plan.id]
        for _ in range(count):
            letters.queue(
                connection, ledger, plan_id, LetterKind.NOTICE, office, NOW, "x.example", data=data
            )
    ledger.close()


@contextmanager
def daemon(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A daemon over the ledger in `folder`, which sends to `port`, with pages on a free port."""
    given = {
        "folder": str(PLAN),
        "now": NOW.isoformat(),
        "database": f"sqlite:///{folder}/ledger.sqlite",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_tls": "none",
        "mail_from": "duban@edu.example",
        "log_format": "json",
        "http_listen": "127.0.0.1:0",
    }
    with subprocess.Popen(
        [sys.executable, "-c", _DAEMON, json.dumps(given)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=PLAN.parents[1],
        env={**os.environ, "PYTHONPATH": str(PLAN.parents[1])},
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


@contextmanager
def relay() -> Iterator[int]:
    """A mail server that takes everything; gives its port."""
    server = FaultyServer()
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


class Readers:
    """Clients that ask for pages one after the other until they are told to stop."""

    def __init__(self, address: str, clients: int, pause_s: float) -> None:
        self.took: list[float] = []
        self._address, self._pause_s = address, pause_s
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let all of them end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        number = 0
        while not self._stop.wait(self._pause_s):
            begun = time.perf_counter()
            connection.request("GET", PATHS[number % len(PATHS)])
            connection.getresponse().read()
            self.took.append((time.perf_counter() - begun) * 1e3)
            number += 1
        connection.close()


def measure(count: int, clients: int, pause_s: float) -> tuple[float, list[float]]:
    """Letters a second, and what each request took in milliseconds."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        filled(folder / "ledger.sqlite", count)
        with relay() as port, daemon(folder, port) as process:
            readers, sent, begun = None, 0, 0.0
            for line in process.stderr or ():
                entry = json.loads(line)
                if entry["event"] == "pages.ready" and clients:
                    readers = Readers(entry["address"], clients, pause_s)
                if entry["event"] == "letter.sent":
                    begun = begun or time.perf_counter()
                    sent += 1
                if sent == count:
                    break
            rate = sent / (time.perf_counter() - begun)
            if readers:
                readers.stop()
    return rate, readers.took if readers else []


def main() -> None:
    """Measure and print one line for each kind of company."""
    count = int(sys.argv[1]) if sys.argv[1:] else 2000
    for name, clients, pause_s in (
        ("nobody", 0, 0.0),
        ("20 requests a second", 1, 0.05),
        ("four clients without a pause", 4, 0.0),
        ("nobody", 0, 0.0),
    ):
        rate, took = measure(count, clients, pause_s)
        shown = ""
        if len(took) > 1:
            slow = statistics.quantiles(took, n=100)[98]
            shown = (
                f"; {len(took)} answers, median {statistics.median(took):.0f} ms, p99 {slow:.0f} ms"
            )
        print(f"{name:<30}{rate:>7.0f} letters a second{shown}")


if __name__ == "__main__":
    main()
