"""What the pages cost the letters, and how fast the wall comes meanwhile.

    python -m bench.pages_and_letters [LETTERS [ROUNDS]]        (10,000 and 3 by default)

A real daemon sends letters to Postfix's smtp-sink while 50 readers who each look once a second, or
four who never pause, ask for the wall of twenty sections by a year; and time about with nobody.
Prints one line for each, with what the letters lost, and the median and the slowest hundredth of
the answers: medians of the rounds. Each run ends by itself.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
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

import httpx2

from bench.sink import Sink
from config.loader import load_plan
from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.letters import Recipient
from jobs.passwords import hashed
from jobs.reconcile import reconcile
from ledger import accounts, letters, plans
from ledger.engine import Ledger
from scheduler.clock import SystemClock

PLAN = Path(__file__).parents[1] / "config" / "quanzhou-2023"
NOW = datetime(2023, 2, 1, 2, 0, tzinfo=UTC)
NAME, PASSWORD = "reader", "a password of the bench"
WALL = "/wall?year=2023"
COMPANY = (("50 readers, once a second", 50, 1.0), ("four readers without a pause", 4, 0.0))
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


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
        accounts.add(connection, NAME, hashed(PASSWORD, NAME), NOW)
    ledger.close()


@contextmanager
def daemon(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A daemon over the ledger in `folder`, which sends to `port`, with pages on a free port."""
    given = {
        "folder": str(PLAN),
        "now": NOW.isoformat(),
        "since": SystemClock().now().timestamp(),
        "figures": str(folder / "figures"),
        "tick_seconds": 20,
        "database": f"sqlite:///{folder}/ledger.sqlite",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_tls": "none",
        "mail_from": "duban@edu.example",
        "log_format": "json",
        "http_listen": "127.0.0.1:0",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "bench.daemon", json.dumps(given)],
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


def signed_in(address: str) -> str:
    """The cookie of somebody who has signed in and seen the wall: its template is compiled then."""
    with httpx2.Client(base_url=f"http://{address}", timeout=60) as browser:
        found = _TOKEN.search(browser.get("/login").text)
        if found is None:
            raise SystemExit("the login page has no form")
        fields = {"form_token": found[1], "name": NAME, "password": PASSWORD}
        browser.post("/login", data=fields)
        browser.get(WALL).raise_for_status()
        return f"duban={browser.cookies['duban']}"


class Readers:
    """Clients that ask for pages one after the other until they are told to stop."""

    def __init__(self, address: str, clients: int, pause_s: float) -> None:
        self.took: list[float] = []
        self._address, self._pause_s = address, pause_s
        self._stop, self._signing, self._cookie = threading.Event(), threading.Lock(), ""
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let all of them end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _signed_in(self) -> str:
        """The session that all of them share."""
        with self._signing:
            self._cookie = self._cookie or signed_in(self._address)
            return self._cookie

    def _ask(self) -> None:
        cookie = self._signed_in()
        connection = http.client.HTTPConnection(self._address, timeout=60)
        # they do not all come in the same moment
        pause_s = random.uniform(0, self._pause_s)  # noqa: S311
        while not self._stop.wait(pause_s):
            begun = time.perf_counter()
            connection.request("GET", WALL, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"the wall answers {answer.status}")
            self.took.append((time.perf_counter() - begun) * 1e3)
            pause_s = self._pause_s
        connection.close()


def measure(count: int, clients: int, pause_s: float) -> tuple[float, list[float]]:
    """Letters a second, and what each request took in milliseconds."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        filled(folder / "ledger.sqlite", count)
        with Sink() as sink, daemon(folder, sink.port) as process:
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


def slowest(took: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(took, n=100)[98]


def main() -> None:
    """Measure each kind of company beside nobody, time about, and print a line for each."""
    given = [int(argument) for argument in sys.argv[1:]]
    count, rounds = (*given, *(10_000, 3)[len(given) :])
    for name, clients, pause_s in COMPANY:
        pairs = [
            (measure(count, 0, 0)[0], *measure(count, clients, pause_s)) for _ in range(rounds)
        ]
        lost = [1 - with_them / alone for alone, with_them, _ in pairs]
        took = [took for _, _, took in pairs if len(took) > 1]
        print(
            f"{name}: {statistics.median(r for _, r, _ in pairs):.0f} letters a second, "
            f"{statistics.median(r for r, _, _ in pairs):.0f} without; lost "
            f"{statistics.median(lost):.0%} ({min(lost):.0%} to {max(lost):.0%}); "
            f"{sum(map(len, took))} answers, median "
            f"{statistics.median(statistics.median(t) for t in took):.0f} ms, p99 "
            f"{statistics.median(map(slowest, took)):.0f} ms "
            f"({min(map(slowest, took)):.0f} to {max(map(slowest, took)):.0f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
