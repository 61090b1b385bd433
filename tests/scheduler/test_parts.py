"""The daemon's small parts: the lock, the log, what systemd hears, and the wiring."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import Settings, SettingsError
from jobs.log import event, log
from mailroom.outbox import OutboxRelay
from mailroom.smtp import SmtpRelay
from scheduler import logs, systemd
from scheduler.clock import SystemClock, VirtualClock
from scheduler.lock import AlreadyRunningError, DaemonLock
from scheduler.wiring import carrier_of, relay_of
from tests.support.ledgers import at

_HOLD = """
import sys
from pathlib import Path
from scheduler.lock import DaemonLock
with DaemonLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def quiet_after() -> Iterator[None]:
    """Give the loggers back as they were."""
    root, apscheduler = logging.getLogger(), logging.getLogger("apscheduler")
    before = (root.handlers[:], root.level, log.level, apscheduler.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    log.setLevel(before[2])
    apscheduler.setLevel(before[3])


def test_f19_a_second_daemon_is_refused_and_told_the_first(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with DaemonLock(path), pytest.raises(AlreadyRunningError) as caught:
        DaemonLock(path).__enter__()
    assert f"process {os.getpid()} on {socket.gethostname()}" in str(caught.value)
    assert "stop it first" in str(caught.value)


def test_f19_a_link_to_a_ledger_leads_to_the_same_lock(tmp_path: Path) -> None:
    """SQLite follows a link, so that two daemons would else send from one file."""
    path, link = tmp_path / "ledger.sqlite", tmp_path / "link.sqlite"
    link.symlink_to(path)
    with DaemonLock(path), pytest.raises(AlreadyRunningError):
        DaemonLock(link).__enter__()


def test_f19_the_lock_of_another_process_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunningError, match=f"process {other.pid} on"):
            DaemonLock(path).__enter__()
        other.kill()
        other.wait()
    with DaemonLock(path):
        pass


def test_the_lock_is_given_back_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    for _ in range(2):
        with DaemonLock(path):
            assert (tmp_path / "ledger.sqlite.lock").stat().st_mode & 0o777 == 0o600


def test_a_ledger_that_is_no_file_needs_no_lock() -> None:
    with DaemonLock(None), DaemonLock(None):
        pass


def test_an_event_in_json_is_one_document_on_one_line(
    quiet_after: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("json", "info")
    event("letter.sent", to="caiwu@edu.example", subject="【黄】\n专报", path=Path("a"))
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["event"] == "letter.sent"
    assert entry["level"] == "info"
    assert entry["subject"] == "【黄】\n专报"
    assert entry["path"] == "a"
    assert entry["at"].endswith("+00:00")


def test_a_plain_event_is_a_line_with_its_fields(
    quiet_after: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("plain", "info")
    event("plan.loaded", plan="demo", folder=None)
    assert capsys.readouterr().err == "info    plan.loaded plan=demo\n"


@pytest.mark.parametrize("form", ["plain", "json"])
def test_an_error_has_its_traceback(
    quiet_after: None, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    logs.set_up(form, "info")
    log.error("tick.failed", exc_info=ValueError("why"))
    shown = capsys.readouterr().err
    assert "ValueError: why" in shown
    assert "tick.failed" in shown


def test_the_level_is_the_settings_and_other_libraries_speak_from_warnings_on(
    quiet_after: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("plain", "warning")
    event("letter.sent")
    logging.getLogger("alembic").info("chatter")
    logging.getLogger("alembic").warning("trouble")
    assert capsys.readouterr().err == "warning trouble\n"


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_each_state_over_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    name = f"@duban-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name[1:] if abstract else name)
        ear.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        systemd.notify("READY=1")
        assert ear.recv(100) == b"READY=1"


def test_a_service_manager_that_does_not_read_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    full = 100 + int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "notify"))

        def talk() -> None:
            for _ in range(full):
                systemd.notify("WATCHDOG=1")

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        talking.join(10)
        assert not talking.is_alive()


def test_without_systemd_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    systemd.notify("READY=1")


def test_the_machines_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    first = clock.now()
    assert first.utcoffset() is not None
    assert clock.now() >= first


def test_a_virtual_clock_stands_where_it_was_set() -> None:
    clock = VirtualClock(at("03-17 09:00"))
    assert clock.now() == clock.now() == at("03-17 09:00")


def test_an_outbox_goes_before_a_mail_server(tmp_path: Path) -> None:
    settings = Settings(
        outbox=tmp_path / "out", smtp_host="mail.edu.example", mail_from="duban@edu.example"
    )
    assert isinstance(relay_of(settings), OutboxRelay)


def test_a_relay_is_made_by_the_settings() -> None:
    settings = Settings(
        smtp_host="mail.edu.example",
        smtp_username="duban",
        smtp_password=SecretStr("geheim"),
        mail_from="duban@edu.example",
    )
    assert isinstance(relay_of(settings), SmtpRelay)
    plain = Settings(smtp_host="127.0.0.1", smtp_tls="none", mail_from="duban@edu.example")
    assert isinstance(relay_of(plain), SmtpRelay)


def test_settings_that_cannot_send_are_refused_before_anything_else() -> None:
    with pytest.raises(SettingsError, match="set smtp_host"):
        relay_of(Settings())


def test_the_carrier_names_this_process_as_the_owner_of_its_claims(tmp_path: Path) -> None:
    settings = Settings(outbox=tmp_path, mail_from="duban@edu.example", batch_size=7)
    carrier, other = (
        carrier_of(settings, relay_of(settings), SystemClock(), lambda sent: None, lambda: False)
        for _ in range(2)
    )
    assert carrier.claims.owner.startswith(f"{socket.gethostname()[:60]}:{os.getpid()}:")
    assert carrier.claims.owner != other.claims.owner  # in a container the number comes again
    assert (carrier.claims.batch, carrier.claims.lease.total_seconds()) == (7, 360)
    assert carrier.voice.sender == "duban@edu.example"
