"""Signs of life: to systemd within its time, to the outside once a minute, and only when well."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest

from config.settings import Settings
from scheduler import systemd
from scheduler.ping import Ping
from tests.support.daemons import Running, StartDaemon, daemon_settings, start_daemon

__all__ = ["daemon_settings", "start_daemon"]

PATH = "/ping/a-secret-key"


@dataclass
class Watchman:
    """A server that is pinged: it answers with `status` and remembers the paths."""

    status: int = 200
    asked: Queue[str] = field(default_factory=Queue)
    gate: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"


@pytest.fixture
def watchman() -> Iterator[Watchman]:
    """A real HTTP server on loopback."""
    made = Watchman()
    made.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.put(self.path)
            made.gate.wait(30)
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Minutes:
    """A stopwatch that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def joined(ping: Ping) -> None:
    """Wait until the request under way has ended."""
    assert ping._under_way is not None
    ping._under_way.join(30)
    assert not ping._under_way.is_alive()


def test_f51_a_daemon_that_ticks_pings_and_one_that_does_not_stays_silent(
    start_daemon: StartDaemon, daemon_settings: dict[str, Any], watchman: Watchman
) -> None:
    with start_daemon(ping_url=watchman.url) as running:
        assert watchman.asked.get(timeout=60) == PATH
        assert running.stop() == 0
    assert watchman.asked.empty()
    path = daemon_settings["database"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as other:
        for change in ("INSERT", "UPDATE"):
            other.execute(
                f"CREATE TRIGGER broken_{change} BEFORE {change} ON mark WHEN NEW.key = 'tick' "
                "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
    with start_daemon(ping_url=watchman.url) as running:
        running.until("tick.failed")
        running.until("tick.failed")
        assert running.stop() == 0
    assert watchman.asked.empty()


def test_it_pings_once_a_minute_however_often_the_heart_beats(watchman: Watchman) -> None:
    watch = Minutes()
    ping = Ping(watchman.url, watch)
    for watch.seconds in (0, 20, 40, 59.9, 60, 119, 120):
        ping.alive()
        joined(ping)
    assert watchman.asked.qsize() == 3


def test_a_watchman_that_hangs_disturbs_nothing_and_is_not_asked_twice(watchman: Watchman) -> None:
    watchman.gate.clear()
    watch = Minutes()
    ping = Ping(watchman.url, watch)
    for watch.seconds in (0, 60, 120):
        ping.alive()
    assert watchman.asked.get(timeout=30) == PATH
    watchman.gate.set()
    joined(ping)
    assert watchman.asked.empty()


def test_failures_are_logged_once_without_the_address(
    watchman: Watchman, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "duban")
    watch = Minutes()
    ping = Ping(watchman.url, watch)
    for minute, watchman.status in enumerate((404, 404, 200, 200, 500)):
        watch.seconds = minute * 60
        ping.alive()
        joined(ping)
    assert caplog.messages == ["ping.failed", "ping.recovered", "ping.failed"]
    fields = [getattr(record, "duban_fields", {}) for record in caplog.records]
    assert fields == [{"reason": "HTTP 404"}, {}, {"reason": "HTTP 500"}]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/a-secret-key", "Connection refused"),
        ("http://127.0.0.1:a-secret-key/", "InvalidURL"),
        ("http://[a-secret-key/", "ValueError"),
    ],
)
def test_f38_no_failure_repeats_the_address(
    url: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    ping = Ping(url)
    ping.alive()
    joined(ping)
    (record,) = caplog.records
    assert getattr(record, "duban_fields", {}) == {"reason": reason}
    assert "a-secret-key" not in repr(Settings(ping_url=url))


@pytest.mark.parametrize("url", ["ftp://monitor.edu.example/", "monitor.edu.example", "http://a b"])
def test_an_address_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be like https://monitor"):
        Settings(ping_url=url)


# the watchdog


def grows_silent(running: Running) -> bool:
    """Whether systemd hears nothing for a second, after what was said before."""
    try:
        while running.hears(seconds=1) == "WATCHDOG=1":
            pass
    except TimeoutError:
        return True
    return False


def test_f51_the_heart_beats_twice_as_quick_as_the_watchdog_wants(
    start_daemon: StartDaemon,
) -> None:
    environment = {"WATCHDOG_USEC": "200000"}
    with start_daemon(environment, tick_seconds=3600) as running:
        heard = [running.hears() for _ in range(5)]
        assert running.stop() == 0
    assert heard.count("WATCHDOG=1") >= 4


def test_f51_a_loop_that_hangs_is_noticed_by_the_watchdog(
    start_daemon: StartDaemon, daemon_settings: dict[str, Any]
) -> None:
    path = daemon_settings["database"].removeprefix("sqlite:///")
    with start_daemon() as running, closing(sqlite3.connect(path, isolation_level=None)) as other:
        while running.hears() != "WATCHDOG=1":
            pass
        # the next tick waits for the ledger, and the loop with it
        other.execute("BEGIN IMMEDIATE")
        assert grows_silent(running)
        other.execute("ROLLBACK")
        assert running.hears() == "WATCHDOG=1"
        assert running.stop() == 0


@pytest.mark.parametrize(
    ("microseconds", "pid", "seconds"),
    [("180000000", None, 180), ("180000000", "1", None), ("", None, None), ("soon", None, None)],
)
def test_the_watchdogs_time_is_systemds_if_it_is_meant_for_us(
    monkeypatch: pytest.MonkeyPatch, microseconds: str, pid: str | None, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", pid)
    assert systemd.watchdog_seconds() == seconds
