"""The pages over a desk's ledger, asked without a socket, and what they logged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from board.app import app_of
from board.context import Context, Vitals
from jobs.links import Links
from jobs.passwords import hashed
from ledger import accounts
from ledger.archive import Archive
from tests.support.ledgers import Desk, MakeDesk

KEYS = ("an old key of thirty-two characters", "a new key of thirty-two characters!")
PUBLIC = "https://duban.edu.example"
MACHINE = "http://127.0.0.1:8026"
LOCAL = ("127.0.0.1", 50000)
ELSEWHERE = ("203.0.113.7", 50000)


@dataclass
class Pages:
    """A desk with its pages; `vitals` may be set by the test, and another `context` given."""

    desk: Desk
    context: Context
    vitals: Vitals = field(default_factory=lambda: Vitals(state="ok", tick_age_s=1.0))
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _apps: dict[Context, Starlette] = field(default_factory=dict)

    def browser(self, client: tuple[str, int] = LOCAL, base: str = PUBLIC) -> TestClient:
        """A browser with its own cookies, at an address; it follows no redirection."""
        app = self._apps.setdefault(self.context, app_of(self.context))
        return TestClient(app, base_url=base, client=client, follow_redirects=False)

    def insider(self, name: str = "办公室") -> TestClient:
        """The browser of someone of the office who has signed in; makes the account."""
        password = "correct horse 电池"
        with self.desk.ledger.write() as connection:
            accounts.add(connection, name, hashed(password, name), self.desk.now)
        browser = self.browser()
        found = re.search(r'name="form_token" value="([^"]+)"', browser.get("/login").text)
        assert found
        fields = {"form_token": found[1], "name": name, "password": password}
        assert browser.post("/login", data=fields).status_code == 303
        return browser


MakePages = Callable[..., Pages]


@pytest.fixture
def make_pages(make_desk: MakeDesk, tmp_path: Path) -> MakePages:
    """Makes the pages of a desk: `make_pages(plan, "03-01 08:00", public_url=None)`."""

    def make(*plan_and_birth: Any, **changes: Any) -> Pages:
        desk = make_desk(*plan_and_birth)
        context = Context(
            ledger=desk.ledger,
            bureaus=lambda: desk.bureaus,
            clock=lambda: desk.now,
            vitals=lambda: made.vitals,
            say=lambda name, *_level, **fields: made.said.append((name, fields)),
            archive=Archive(tmp_path / "archive", 1_000_000),
            files_at_once=5,
            keys=KEYS,
            links=Links(PUBLIC, KEYS),
            public_url=PUBLIC,
            fresh=timedelta(),
        )
        made = Pages(desk, replace(context, **changes))
        return made

    return make


@pytest.fixture
def pages(make_pages: MakePages) -> Pages:
    """The pages of `one_report`, born on 1 March 2023."""
    return make_pages()
