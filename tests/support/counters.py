"""The pages behind links, served over HTTP on loopback for a desk whose clock stands."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.types import ASGIApp

from board.app import app_of
from board.context import Context, Vitals
from jobs.links import Links
from ledger.archive import Archive
from tests.support.ledgers import CAIWU, Desk

LIMIT_BYTES = 100_000
KEYS = ("k" * 32,)


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp], str]]:
    """Serves an app on a free port of loopback until the test ends; gives its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: ASGIApp) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@dataclass
class Office:
    """A desk with its pages: what a clerk's browser would do."""

    desk: Desk
    links: Links
    archive: Archive
    web: httpx2.Client
    said: list[str]

    def link(self, kind: str = "reminder") -> str:
        """The path of the latest letter of a kind, sent now."""
        self.desk.remind()
        self.desk.deliver(links=self.links)
        letters = [row for row in self.desk.letters(kind) if row.sent_at]
        return f"/r/{self.links.letter_token(letters[-1].id)}"

    def open(self, path: str) -> str:
        """The page of a link; it must be there."""
        answer = self.web.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def form(self, path: str, act: str, nth: int = 0) -> dict[str, str]:
        """The hidden fields of the page's form for an act."""
        found = re.findall(
            r'name="form" value="([^"]+)">\s*<input type="hidden" name="act" value="(\w+)"',
            self.open(path),
        )
        tokens = [unescape(token) for token, what in found if what == act]
        return {"form": tokens[nth], "act": act}

    def post(self, path: str, fields: dict[str, str], files: Any = None) -> httpx2.Response:
        """Send a form as a browser does: always with a part for the file field."""
        sent = files if files is not None else [("file", ("", b""))]
        return self.web.post(path, data=fields, files=sent)

    def hand_in(self, path: str, note: str = "", files: Any = None) -> httpx2.Response:
        """Fill in the form for handing in, and send it."""
        return self.post(path, self.form(path, "hand_in") | {"note": note}, files)

    def state(self, key: str = CAIWU) -> str:
        """The obligation's state in the ledger."""
        return str(self.desk.row(key).state)


@pytest.fixture
def office(desk: Desk, tmp_path: Path, serve: Callable[[ASGIApp], str]) -> Iterator[Office]:
    """The pages of `one_report` on 17 March, the day of its first reminder."""
    desk.go("03-17 09:00")
    archive = Archive(tmp_path / "archive", LIMIT_BYTES)
    links = Links("https://duban.edu.example", KEYS)
    said: list[str] = []
    context = Context(
        ledger=desk.ledger,
        bureaus=lambda: desk.bureaus,
        clock=lambda: desk.now,
        vitals=lambda: Vitals(state="ok"),
        say=lambda name, *_level, **fields: said.append(f"{name} {fields}"),
        archive=archive,
        files_at_once=3,
        keys=KEYS,
        links=links,
    )
    address = serve(app_of(context))
    with httpx2.Client(base_url=address, follow_redirects=True) as web:
        yield Office(desk, links, archive, web, said)
