"""The demo's pages: a visitor looks at the board, hands in by a letter's link, sees the light."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx2 as httpx
import pytest

from scheduler.demopages import USUAL_PORT

COMMAND = (sys.executable, "-c", "from scheduler.cli import main; main()")


@dataclass
class Shown:
    """A demo that is running, with its terminal."""

    terminal: IO[str]
    entrance: str = ""
    outbox: str = ""

    def until(self, words: str) -> str:
        """The next line with these words; raises AssertionError where the demo ends before."""
        for line in self.terminal:
            if words in line:
                return line
        raise AssertionError(f"the demo ended before it said {words!r}")


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    options = ("--speed", "0.2", "--days", "60", "--out", str(tmp_path / "demo"))
    with subprocess.Popen([*COMMAND, "demo", *options], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        running = Shown(demo.stdout)
        running.entrance = running.until("/enter/").split("：")[1].strip()
        running.outbox = running.until("/outbox/").split("：")[1].strip()
        yield running
        demo.kill()


@pytest.fixture
def visitor(shown: Shown) -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        browser.get(shown.entrance)
        yield browser


def _page_of(visitor: httpx.Client, shown: Shown, section: str) -> httpx.Response:
    """The page that the newest reminder to a section leads to."""
    found = re.search(rf'href="(\d+-reminder-{section}\.html)"', visitor.get(shown.outbox).text)
    assert found
    letter = visitor.get(shown.outbox + found[1])
    assert "sandbox" in letter.headers["content-security-policy"]
    link = re.search(r'href="(http://127\.0\.0\.1:\d+/r/[^"]+)"', letter.text)
    assert link
    return visitor.get(link[1])


def test_a_visitor_hands_in_and_the_receipt_goes_out_while_the_year_waits(
    shown: Shown, visitor: httpx.Client
) -> None:
    shown.until("2月月报")
    shown.until("财务科")
    page = _page_of(visitor, shown, "财务科")
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form
    before = visitor.get(shown.entrance).text
    sent = visitor.post(
        str(page.url),
        data={"form": form[1], "act": "hand_in", "note": "已办结", "by": "演示人"},
        files={"files": ("二月.txt", b"report", "text/plain")},
    )
    assert sent.status_code == 200
    assert "收到" in shown.until("收到")
    wall = visitor.get(shown.entrance)
    assert wall.text != before
    assert "待核" in wall.text
    assert wall.headers["refresh"] == "5"


def test_a_demo_beside_another_says_that_it_took_another_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else has it already: as good
            taken.bind(("127.0.0.1", USUAL_PORT))
            taken.listen()
        options = ("--speed", "0.01", "--days", "1", "--out", str(tmp_path / "demo"))
        command = [*COMMAND, "demo", *options]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    port = re.search(rf"端口 {USUAL_PORT} 已被占用，改用 (\d+)。", said)
    assert port
    assert f"http://127.0.0.1:{port[1]}/enter/" in said


def test_the_outbox_loads_itself_anew_unless_it_is_asked_not_to(
    shown: Shown, visitor: httpx.Client
) -> None:
    page = visitor.get(shown.outbox)
    assert page.headers["refresh"] == "5"
    still = re.search(r'href="(\?\w+)">不刷新', page.text)
    assert still
    assert "refresh" not in visitor.get(shown.outbox + still[1]).headers


def test_a_stranger_is_not_let_in(shown: Shown) -> None:
    with httpx.Client(timeout=30) as stranger:
        assert stranger.get(shown.outbox).headers["location"].startswith("/login")
        wrong = stranger.get(shown.entrance[:-3] + "abc")
        assert wrong.headers["location"] == "/login"
        assert "set-cookie" not in wrong.headers
        assert stranger.get(shown.outbox + "..%2Fledger.sqlite").status_code in (303, 404)


def test_the_outbox_gives_letters_and_nothing_else(shown: Shown, visitor: httpx.Client) -> None:
    for name in ("..%2Fledger.sqlite", ".index.html.part", "ledger.sqlite", "%2Fetc%2Fpasswd"):
        assert visitor.get(shown.outbox + name).status_code == 404
