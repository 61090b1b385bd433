"""Signing in and out."""

from __future__ import annotations

import logging
import re
from typing import Any, Final

from sqlalchemy import Row
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from board.door import Door, Visitor
from board.throttle import WINDOW, Throttle
from jobs.passwords import LONGEST_CHARACTERS, matches
from ledger import accounts, events

_MOST_OF_ACCOUNT: Final = 10
_MOST_OF_ADDRESS: Final = 30
"""An office often shares one address."""
_NAME_CHARACTERS: Final = 64
_OUR_PATH: Final = re.compile(r"/(?:[\w.%=&?-][\w./%=&?-]*)?", re.ASCII)
_HOME: Final = "/"
_MINUTES: Final = int(WINDOW.total_seconds()) // 60


def login_routes(door: Door) -> list[Route]:
    """`/login` and `/logout`."""
    desk = _SignIn(door)
    return [
        door.page("/login", desk.show, anybody=True),
        door.form("/login", desk.take, anybody=True),
        door.form("/logout", desk.leave),
    ]


class _SignIn:
    def __init__(self, door: Door) -> None:
        self.door = door
        self.of_account = Throttle(_MOST_OF_ACCOUNT)
        self.of_address = Throttle(_MOST_OF_ADDRESS)

    def show(self, request: Request, visitor: Visitor) -> Response:
        """The page to sign in with; who has signed in goes on."""
        onward = _onward(request.query_params.get("next"))
        return self.door.go(onward) if visitor.name else self._page(visitor, onward)

    def take(self, request: Request, visitor: Visitor, fields: FormData) -> Response:
        """Let in who shows an account's password; brake whoever guesses."""
        now = self.door.context.clock()
        name = _text(fields, "name").strip()[:_NAME_CHARACTERS]
        onward = _onward(_text(fields, "next"))
        address = request.client.host if request.client else "-"
        if self.of_account.blocked(name, now) or self.of_address.blocked(address, now):
            return self._page(visitor, onward, 429, f"失败次数过多，请{_MINUTES}分钟后再试。")
        row = self._account(name, _text(fields, "password"))
        if row is None:
            self.of_account.failed(name, now)
            self.of_address.failed(address, now)
            # what was typed for a name may be a password
            self.door.context.say("login.refused", logging.WARNING, address=address)
            return self._page(visitor, onward, 403, "账号或密码不对。")
        self.of_account.forgive(name)
        with self.door.context.ledger.write() as connection:
            events.record(connection, now, "account.login", name)
        response = self.door.go(onward)
        self.door.sessions.keep(response, self.door.sessions.begin(now, row.id, row.version))
        return response

    def _account(self, name: str, password: str) -> Row[Any] | None:
        """The account, if it is at work and this is its password."""
        with self.door.context.ledger.read() as connection:
            row = accounts.named(connection, name)
        known = row.password if row is not None and row.disabled_at is None else None
        return row if len(password) <= LONGEST_CHARACTERS and matches(known, password) else None

    def leave(self, request: Request, visitor: Visitor, fields: FormData) -> Response:
        """Sign out."""
        response = self.door.go("/login")
        self.door.sessions.forget(response)
        return response

    def _page(self, visitor: Visitor, onward: str, status: int = 200, said: str = "") -> Response:
        response = self.door.render(visitor, "login.html", status, onward=onward, said=said)
        if status == 429:
            response.headers["Retry-After"] = str(_MINUTES * 60)
        return response


def _text(fields: FormData, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _onward(asked: str | None) -> str:
    """Where to go after signing in: a path of our own, nothing else."""
    return asked if asked and _OUR_PATH.fullmatch(asked) else _HOME
