"""The daemon: a heartbeat over real files, a real ledger and a real mail server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings, SettingsError
from jobs.outcome import FIRST_BACKOFF
from jobs.status import TICK
from jobs.trouble import BARRED
from ledger import plans as marks
from ledger.engine import Ledger, LedgerError
from scheduler.clock import VirtualClock
from scheduler.daemon import AlreadyRunningError, Daemon, NoPlanError, run
from scheduler.loops import loop_factory
from scheduler.loops import run as run_loop
from scheduler.wiring import relay_of
from tests.scheduler.test_parts import quiet_after
from tests.support.ledgers import at, open_ledger
from tests.support.small_plan import OVERRIDES, PLAN, changed, save
from tests.support.smtp import FaultyServer

__all__ = ["quiet_after"]

pytestmark = pytest.mark.usefixtures("quiet_after")

CANARY = "geheim-7Qx9"
BLUE = at("03-17 09:00")
"""The first reminder of the monthly report of March."""
_RUN = """
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


@dataclass
class GatedServer(FaultyServer):
    """A server that answers the end of a mail only when the gate is opened."""

    reached: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)

    async def _answer(self, verb: str, writer: Any, usual: bytes | None = None) -> bytes:
        if verb == "DOT":
            self.reached.set()
            await asyncio.get_running_loop().run_in_executor(None, self.gate.wait, 30)
        return await super()._answer(verb, writer, usual)


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The loop that a daemon in this process runs on: with uvloop installed, and without."""
    if request.param == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan's folder."""
    place = tmp_path / "plan"
    place.mkdir()
    return save(place)


@pytest.fixture
def given(tmp_path: Path, faulty: FaultyServer) -> dict[str, Any]:
    """Settings: the ledger in the test's folder, the mail server on loopback, a quick heart."""
    open_ledger(tmp_path).close()
    return {
        "database": f"sqlite:///{tmp_path}/ledger.sqlite",
        "smtp_host": "127.0.0.1",
        "smtp_port": faulty.port,
        "smtp_tls": "none",
        "mail_from": "duban@edu.example",
        "tick_seconds": 0.05,
        "log_format": "json",
    }


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """systemd's side of the notify socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield made


def _until(ear: socket.socket, state: str) -> list[str]:
    """Listen until systemd hears this state; what it heard."""
    heard: list[str] = []
    while state not in heard:
        heard.append(ear.recv(100).decode())
    return heard


async def _hear(ear: socket.socket) -> str:
    """The next thing that systemd hears."""
    heard = asyncio.get_running_loop().sock_recv(ear, 100)
    return (await asyncio.wait_for(heard, 30)).decode()


async def _beats(ear: socket.socket, enough: Callable[[], bool]) -> None:
    """Let the daemon beat until something is so."""
    while not enough():
        await _hear(ear)


def _while_running(
    folder: Path,
    settings: Settings,
    ear: socket.socket,
    work: Callable[[VirtualClock], Awaitable[None]],
    clock: VirtualClock | None = None,
) -> int:
    """Run the daemon in this process while `work` is done, then tell it to stop."""
    clock = clock or VirtualClock(BLUE)
    ear.setblocking(False)

    async def both() -> int:
        running = asyncio.create_task(run([folder], settings, clock))
        assert await _hear(ear) == "READY=1"
        await work(clock)
        os.kill(os.getpid(), signal.SIGTERM)
        return await running

    return run_loop(both())


def _events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The log so far; each line of it must be JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def _letters(url: str) -> list[tuple[str, str]]:
    book = Ledger(url)
    with book.read() as connection:
        rows = connection.exec_driver_sql("SELECT kind, state FROM letter ORDER BY id").all()
    book.close()
    return [(row.kind, row.state) for row in rows]


@pytest.mark.usefixtures("loop")
def test_letters_arrive_and_the_end_is_graceful(
    folder: Path,
    given: dict[str, Any],
    ear: socket.socket,
    faulty: FaultyServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def work(_clock: VirtualClock) -> None:
        # the digest of the office, the office's and the two sections' reminders
        await _beats(ear, lambda: len(faulty.mails) >= 3)

    assert _while_running(folder, Settings(**given), ear, work) == 0
    assert "chuyou@edu.example" in faulty.recipients
    said = [entry["event"] for entry in _events(capsys)]
    assert said[0] == "plan.reconciled"
    assert said[1] == "daemon.ready"
    assert said[-1] == "daemon.stopped"
    assert said.count("letter.sent") == len(faulty.mails)
    assert {state for _, state in _letters(given["database"])} == {"sent"}


def test_a_restart_tries_a_relay_that_refused_the_login_at_once(
    folder: Path, given: dict[str, Any], ear: socket.socket, faulty: FaultyServer
) -> None:
    """Whoever mends the password starts the daemon again, and wants to see letters leave."""
    book = Ledger(given["database"])
    book.prepare()
    with book.write() as connection:
        marks.set_mark(connection, BARRED, (BLUE + FIRST_BACKOFF).isoformat(), BLUE)
    book.close()

    async def work(_clock: VirtualClock) -> None:
        beats = 0

        def enough() -> bool:
            nonlocal beats
            beats += 1
            return len(faulty.mails) >= 3 or beats > 100

        await _beats(ear, enough)

    assert _while_running(folder, Settings(**given), ear, work) == 0
    assert len(faulty.mails) >= 3


def test_the_daemon_takes_uvloop_where_it_is_installed(loop: str) -> None:
    async def kind() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run_loop(kind()).startswith(loop)
    assert (loop_factory() is None) == (loop == "asyncio")


def test_systemd_hears_ready_alive_and_stopping(
    folder: Path, given: dict[str, Any], ear: socket.socket
) -> None:
    heard: list[str] = []

    async def work(_clock: VirtualClock) -> None:
        while heard.count("WATCHDOG=1") < 2:
            heard.append(await _hear(ear))

    _while_running(folder, Settings(**given), ear, work)
    ear.settimeout(30)
    heard += _until(ear, "STOPPING=1")
    assert set(heard) == {"WATCHDOG=1", "STOPPING=1"}


def test_the_last_beat_is_remembered_by_the_daemons_own_clock(
    folder: Path, given: dict[str, Any], ear: socket.socket
) -> None:
    async def work(_clock: VirtualClock) -> None:
        seen = 0

        def twice() -> bool:
            nonlocal seen
            seen += 1
            return seen > 3

        await _beats(ear, twice)

    _while_running(folder, Settings(**given), ear, work)
    book = Ledger(given["database"])
    with book.read() as connection:
        assert marks.marks(connection)[TICK][1] == BLUE
    book.close()


def test_f27_a_bad_file_at_reload_keeps_the_plan_and_the_office_gets_the_line(
    folder: Path,
    given: dict[str, Any],
    ear: socket.socket,
    faulty: FaultyServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def work(_clock: VirtualClock) -> None:
        await _beats(ear, lambda: len(faulty.mails) >= 3)
        save(folder, changed("leader: 陈军宣", "leader: 无此人"))
        before = len(faulty.mails)
        await _beats(ear, lambda: len(faulty.mails) > before)
        save(folder, PLAN, OVERRIDES)
        await _beats(ear, lambda: len(faulty.mails) > before + 1)

    _while_running(folder, Settings(**given), ear, work)
    events = _events(capsys)
    refused = [entry for entry in events if entry["event"] == "plan.refused"]
    assert [entry["problem"].split(" ")[0] for entry in refused] == ["plan.yaml:25:13:"]
    assert "plan.loaded" in [entry["event"] for entry in events]
    kinds = [entry["kind"] for entry in events if entry["event"] == "letter.sent"]
    assert kinds[-2:] == ["notice", "change"]


def test_a_hangup_reads_the_files_again_at_once(
    folder: Path,
    given: dict[str, Any],
    ear: socket.socket,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said: list[str] = []

    async def work(_clock: VirtualClock) -> None:
        await _hear(ear)
        os.kill(os.getpid(), signal.SIGHUP)

        def loaded() -> bool:
            said.extend(entry["event"] for entry in _events(capsys))
            return "plan.loaded" in said

        await _beats(ear, loaded)

    # an hour between beats: only the signal can hasten one
    slow = Settings(**given | {"tick_seconds": 3600})
    assert _while_running(folder, slow, ear, work) == 0
    assert said.count("plan.loaded") == 1


def test_f38_no_secret_is_in_any_log(
    folder: Path,
    given: dict[str, Any],
    ear: socket.socket,
    make_faulty: Callable[..., FaultyServer],
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    server = make_faulty(auth=True).script("AUTH", *[b"535 5.7.8 %s\r\n" % CANARY.encode()] * 50)
    secret = {
        "smtp_username": "duban",
        "smtp_password": CANARY,
        "smtp_port": server.port,
        "log_level": "debug",
    }

    async def work(_clock: VirtualClock) -> None:
        await _beats(ear, lambda: any("AUTH" in line for said in server.said for line in said))
        await _hear(ear)
        await _hear(ear)

    _while_running(folder, Settings(**given | secret), ear, work)
    shown = capfd.readouterr()
    assert CANARY not in shown.out + shown.err
    assert all(CANARY.encode() not in p.read_bytes() for p in tmp_path.glob("ledger.sqlite*"))


def test_f19_a_second_daemon_on_the_same_ledger_is_refused(
    folder: Path, given: dict[str, Any], ear: socket.socket
) -> None:
    async def work(clock: VirtualClock) -> None:
        with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"):
            await run([folder], Settings(**given), clock)

    assert _while_running(folder, Settings(**given), ear, work) == 0


def test_a_plan_that_never_ran_is_refused_and_the_lock_given_back(
    folder: Path, given: dict[str, Any]
) -> None:
    save(folder, "plan: 3\n")
    for _ in range(2):
        with pytest.raises(NoPlanError):
            asyncio.run(run([folder], Settings(**given), VirtualClock(BLUE)))


def test_settings_that_cannot_send_are_refused_before_the_ledger_is_touched(
    folder: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    with pytest.raises(SettingsError):
        asyncio.run(run([folder], Settings(database=url), VirtualClock(BLUE)))
    assert not (tmp_path / "new.sqlite").exists()


def test_f17_a_ledger_that_was_taken_away_is_missed_and_none_is_made(
    folder: Path, given: dict[str, Any], ear: socket.socket, tmp_path: Path
) -> None:
    async def work(_clock: VirtualClock) -> None:
        await _hear(ear)

    assert _while_running(folder, Settings(**given), ear, work) == 0
    file = tmp_path / "ledger.sqlite"
    file.rename(tmp_path / "away")
    with pytest.raises(LedgerError, match="is not in its place, though duban has worked on it"):
        asyncio.run(run([folder], Settings(**given), VirtualClock(BLUE)))
    assert not file.exists()


def test_f17_a_damaged_ledger_is_refused(folder: Path, given: dict[str, Any]) -> None:
    Path(given["database"].removeprefix("sqlite:///")).write_bytes(b"rubbish" * 1000)
    with pytest.raises(LedgerError, match="is not a ledger"):
        asyncio.run(run([folder], Settings(**given), VirtualClock(BLUE)))


# the daemon as a process of its own


def _start(folder: Path, given: dict[str, Any]) -> subprocess.Popen[str]:
    document = given | {"folder": str(folder), "now": "2023-03-17 09:00"}
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, json.dumps(document)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def test_sigterm_lets_the_letter_in_flight_finish(
    folder: Path, given: dict[str, Any], ear: socket.socket
) -> None:
    server = GatedServer()
    server.start()
    with _start(folder, given | {"smtp_port": server.port, "batch_size": 1}) as daemon:
        assert server.reached.wait(30)
        daemon.send_signal(signal.SIGTERM)
        _until(ear, "STOPPING=1")
        server.gate.set()
        _, log = daemon.communicate(timeout=30)
    server.stop()
    said = [json.loads(line)["event"] for line in log.splitlines()]
    assert daemon.returncode == 0
    assert said[-2:] == ["letter.sent", "daemon.stopped"]
    assert [state for _, state in _letters(given["database"])].count("sent") == 1
    assert "claimed" not in [state for _, state in _letters(given["database"])]


def test_f02_a_killed_daemon_loses_nothing_and_its_lock_is_free(
    folder: Path, given: dict[str, Any], ear: socket.socket, faulty: FaultyServer
) -> None:
    with _start(folder, given) as daemon:
        assert daemon.stderr is not None
        for line in daemon.stderr:
            if json.loads(line)["event"] == "letter.sent":
                break
        daemon.kill()
        daemon.wait()

    async def work(clock: VirtualClock) -> None:
        clock.instant = at("03-17 09:10")  # the lease of what was in flight has run out
        done = {"sent"}
        await _beats(ear, lambda: {s for _, s in _letters(given["database"])} == done)

    ear.setblocking(False)
    assert _while_running(folder, Settings(**given), ear, work, VirtualClock(BLUE)) == 0
    assert {"office@edu.example", "chuyou@edu.example"} == set(faulty.recipients)


# the daemon's own steps, one by one


@pytest.fixture
def daemon(folder: Path, given: dict[str, Any]) -> Iterator[Daemon]:
    """A daemon that was started; its steps are taken by the test."""
    settings = Settings(**given)
    book = Ledger(given["database"], patience_s=0)
    made = Daemon(book, [folder], settings, relay_of(settings), VirtualClock(BLUE))
    made.start()
    yield made
    book.close()


def _steps(daemon: Daemon, *steps: Callable[[], Awaitable[None]]) -> None:
    async def walk() -> None:
        for step in steps:
            await step()
        await daemon.finish()

    asyncio.run(walk())


def test_a_beat_queues_and_a_delivery_sends(daemon: Daemon, faulty: FaultyServer) -> None:
    _steps(daemon, daemon.tick)
    assert faulty.mails == []
    _steps(daemon, daemon.mail)
    assert len(faulty.mails) >= 3


def test_a_daemon_that_was_told_to_stop_sends_nothing_more(
    daemon: Daemon, faulty: FaultyServer
) -> None:
    daemon.stopped.set()
    _steps(daemon, daemon.tick, daemon.mail)
    assert faulty.mails == []


def test_two_deliveries_at_once_are_one_after_the_other(
    daemon: Daemon, faulty: FaultyServer
) -> None:
    async def together() -> None:
        await asyncio.gather(daemon.mail(), daemon.mail())

    _steps(daemon, daemon.tick, together)
    assert len(set(faulty.mails)) == len(faulty.mails)


def test_f16_a_ledger_that_is_in_use_is_reported_and_the_next_beat_goes_on(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    other = Ledger(str(daemon.ledger.url))
    with other.write():
        _steps(daemon, daemon.tick)
    other.close()
    assert "tick.failed" in caplog.messages
    assert not daemon.stopped.is_set()
    caplog.clear()
    _steps(daemon, daemon.tick)
    assert caplog.messages == []


def test_f14_a_ledger_that_lies_ends_the_daemon_rather_than_send_unrecorded_mail(
    daemon: Daemon, faulty: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    path = daemon.ledger.path
    assert path is not None
    daemon.ledger.close()
    path.write_bytes(b"rubbish" * 1000)
    for beside in path.parent.glob("ledger.sqlite-*"):
        beside.unlink()
    _steps(daemon, daemon.tick, daemon.mail)
    assert daemon.failed
    assert daemon.stopped.is_set()
    assert "tick.failed" in caplog.messages
    assert faulty.mails == []


def test_a_fault_of_our_own_is_logged_and_the_heart_beats_on(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def send(self, mail: object) -> object:
            raise ZeroDivisionError

        async def close(self) -> None:
            pass

    broken: Any = Broken()
    daemon._carrier = replace(daemon._carrier, relay=broken)
    _steps(daemon, daemon.tick, daemon.mail, daemon.mail)
    broken_letters = [r for r in caplog.records if r.message == "letter.broken"]
    assert broken_letters
    assert all(r.exc_info and r.exc_info[0] is ZeroDivisionError for r in broken_letters)
    assert not daemon.stopped.is_set()


def test_a_fatal_end_is_the_exit_code_of_the_process(
    folder: Path, given: dict[str, Any], ear: socket.socket
) -> None:
    def ruin() -> None:
        """The tables' first pages are said to lie where no page is."""
        other = sqlite3.connect(given["database"].removeprefix("sqlite:///"))
        other.execute("PRAGMA writable_schema = ON")
        other.execute("UPDATE sqlite_schema SET rootpage = 99999 WHERE type = 'table'")
        other.execute("PRAGMA schema_version = 99999")
        other.commit()
        other.close()

    async def both() -> int:
        running = asyncio.create_task(run([folder], Settings(**given), VirtualClock(BLUE)))
        await _beats(ear, lambda: bool(_letters(given["database"])))
        ruin()
        return await asyncio.wait_for(running, 60)

    ear.setblocking(False)
    assert asyncio.run(both()) == 1
