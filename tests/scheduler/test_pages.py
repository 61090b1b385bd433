"""The pages inside the daemon: served on their address, gone with it, and absent unless wanted."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from board.listening import ListenError, bind
from config.settings import Settings
from jobs.passwords import hashed
from ledger import accounts
from ledger.tables import obligation
from scheduler.clock import VirtualClock
from scheduler.daemon import run
from tests.scheduler.test_parts import quiet_after
from tests.support.commands import spawn
from tests.support.daemons import StartDaemon, daemon_settings, start_daemon
from tests.support.ledgers import at, open_ledger

__all__ = ["daemon_settings", "quiet_after", "start_daemon"]

ANY = "127.0.0.1:0"
WEB = ("anyio", "board.app", "prometheus_client", "starlette", "uvicorn")


@pytest.fixture
def taken() -> Iterator[str]:
    """An address that another program holds."""
    with bind(ANY) as other:
        yield f"127.0.0.1:{other.getsockname()[1]}"


def get(address: str, path: str) -> tuple[int, bytes]:
    """What the pages answer."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_daemon_serves_its_pages_and_ends_with_a_clean_log(start_daemon: StartDaemon) -> None:
    with start_daemon(http_listen=ANY) as running:
        address = running.until("pages.ready")["address"]
        while running.hears() != "WATCHDOG=1":
            pass
        status, body = get(address, "/healthz")
        assert (status, json.loads(body)) == (200, {"status": "ok"})
        assert get(address, "/readyz")[0] == 200
        status, body = get(address, "/metrics")
        assert status == 200
        assert b"duban_well 1.0" in body
        # its own clean-up runs to the end: uvicorn does not raise the signal again
        assert running.stop() == 0
    assert running.log[-1]["event"] == "daemon.stopped"
    with pytest.raises(ConnectionRefusedError):
        get(address, "/healthz")


@pytest.mark.usefixtures("quiet_after")
def test_pages_and_heart_share_one_loop_and_end_together(
    daemon_settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with bind(ANY) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    folder, now = Path(daemon_settings.pop("folder")), at(daemon_settings.pop("now"))
    settings = Settings(**daemon_settings, http_listen=address, public_url=f"http://{address}")

    async def both() -> tuple[int, bytes, int]:
        running = asyncio.create_task(run([folder], settings, VirtualClock(now)))
        # the socket listens before the first tick: the answer waits until somebody gives it
        while not (answer := await asyncio.to_thread(asked, address)):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        return *answer, await running

    status, body, code = asyncio.run(both())
    assert (status, code) == (200, 0)
    assert "登录" in body.decode()
    said = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert said[-1] == "daemon.stopped"


def asked(address: str) -> tuple[int, bytes] | None:
    """The login page, None while nobody listens."""
    try:
        return get(address, "/login")
    except ConnectionRefusedError:
        return None


def test_what_the_desk_decides_is_followed_at_once(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    with (
        closing(open_ledger(tmp_path, durable=True)) as ledger,
        start_daemon(http_listen=ANY, tick_seconds=3600) as running,
    ):
        address = running.until("pages.ready")["address"]
        with ledger.write() as connection:
            accounts.add(connection, "林美环", hashed("correct horse", "林美环"), at("03-01 08:00"))
            which = connection.execute(
                select(obligation.c.id).where(obligation.c.state == "open").limit(1)
            ).scalar_one()
        with httpx2.Client(base_url=f"http://{address}") as web:
            name = {"name": "林美环", "password": "correct horse"}
            web.post("/login", data=token(web, "/login") | name)
            page = f"/desk/obligations/{which}"
            form = token(web, page) | {"act": "exempt", "seen": "0", "reason": "本月无此项工作"}
            answer = web.post(page, data=form, files={"file": ("", b"")})
            assert answer.status_code == 303, answer.text
        running.until("plan.loaded")
        assert running.until("plan.reconciled")["exempted"] == 1
        assert running.stop() == 0


def token(web: httpx2.Client, path: str) -> dict[str, str]:
    """The token of a page's forms."""
    found = re.search(r'name="form_token" value="([^"]+)"', web.get(path).text)
    assert found
    return {"form_token": found[1]}


def test_a_request_in_flight_is_answered_before_the_end(start_daemon: StartDaemon) -> None:
    with start_daemon(http_listen=ANY) as running:
        address = running.until("pages.ready")["address"]
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as half:
            half.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert running.stop() == 0
            assert half.recv(100).startswith(b"HTTP/1.1 ")


def test_a_busy_address_is_an_error_before_the_start(
    start_daemon: StartDaemon, daemon_settings: dict[str, Any], tmp_path: Path, taken: str
) -> None:
    plan = daemon_settings["folder"]
    names = ("database", "outbox", "mail_from")
    variables = {f"DUBAN_{name.upper()}": str(daemon_settings[name]) for name in names}
    answer = spawn("run", plan, variables={**variables, "DUBAN_HTTP_LISTEN": taken})
    assert answer.code == 1
    assert f"the pages cannot be served on {taken} (Address already in use)" in answer.err
    assert "set another http_listen" in answer.err
    assert "Traceback" not in answer.err
    assert list((tmp_path / "outbox").iterdir()) == []


@pytest.mark.parametrize("listen", ["no-such-host.example:80", "192.0.2.1:80"])
def test_an_address_of_no_machine_of_ours_is_refused_plainly(listen: str) -> None:
    with pytest.raises(ListenError, match=f"cannot be served on {listen}"):
        bind(listen)


def test_without_an_address_nothing_of_the_web_is_loaded() -> None:
    code = f"import sys, scheduler.daemon; print([m for m in {WEB!r} if m in sys.modules])"
    assert spawn(code=code).out == "[]\n"
