"""The demo's house: the board over the running year, and the outbox as pages, on loopback only."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from board.app import app_of
from board.context import Context, Vitals
from board.door import Door, Visitor
from board.listening import ListenError, bind
from board.rendering import Pages
from board.server import Board
from board.sessions import Session
from duban.bureau import Bureau
from jobs.links import Links
from jobs.passwords import hashed
from ledger import accounts
from ledger.archive import Archive
from ledger.engine import Ledger
from scheduler.outboxpage import PAGE, STILL

USUAL_PORT: Final = 8026
_HOLD_S: Final = 60
"""How long the year stands still for somebody who has opened a letter's page."""
_REFRESH_S: Final = 5
_ACCOUNT: Final = "演示"
_LETTER: Final = re.compile(r"[^./\\][^/\\]*\.(?:html|eml)")
_LARGEST_BYTES: Final = 20_000_000
_FILES_AT_ONCE: Final = 10
_LETTER_HEADERS: Final = {
    # a letter brings its own style; whatever else it may hold is kept from doing anything
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-popups"
}
_LIST_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
}


class House:
    """What a visitor of the demo may do: look at the board without an account, read the outbox,
    hand in by a letter's link. Meanwhile the year waits for him.
    """

    def __init__(self, bound: socket, outbox: Path, archive: Path) -> None:
        self._bound, self._outbox, self._archive = bound, outbox, archive
        self._keys = (secrets.token_urlsafe(32),)
        self._enter = secrets.token_urlsafe(12)
        self.port: int = bound.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.links = Links(self.url, self._keys)
        self.handed_in = asyncio.Event()
        self.held_until = 0.0

    @property
    def entrance(self) -> str:
        """The address that lets in whoever sees the terminal, and nobody else."""
        return f"{self.url}/enter/{self._enter}"

    def board(
        self,
        ledger: Ledger,
        bureaus: Callable[[], Mapping[int, Bureau]],
        clock: Callable[[], datetime],
        ends: datetime,
    ) -> Board:
        """The pages, ready to be started; who enters stays until the year `ends`."""
        with ledger.write() as connection:
            accounts.add(connection, _ACCOUNT, hashed(secrets.token_urlsafe(16), _ACCOUNT), clock())
            account = accounts.named(connection, _ACCOUNT)
        assert account is not None  # noqa: S101 - it was just added
        context = Context(
            ledger=ledger,
            bureaus=bureaus,
            clock=clock,
            vitals=lambda: Vitals(state="ok", tick_age_s=0.0),
            say=lambda *_words, **_fields: None,
            archive=Archive(self._archive, _LARGEST_BYTES),
            files_at_once=_FILES_AT_ONCE,
            keys=self._keys,
            links=self.links,
            public_url=self.url,
            fresh=timedelta(),  # its clock stands still while a visitor acts
        )
        session = Session(until=int(ends.timestamp()), account=account.id, version=account.version)
        door = Door(context, Pages())
        routes = [
            self._entrance(door, session),
            door.page("/outbox/", self._list),
            door.page("/outbox/{letter}", self._letter),
            Mount("/", app_of(context)),
        ]
        app = Starlette(routes=routes, middleware=[Middleware(_Watched, house=self)])
        return Board(app, self._bound)

    def _entrance(self, door: Door, session: Session) -> Route:
        def enter(request: Request) -> Response:
            shown = request.path_params["key"].encode()
            if not secrets.compare_digest(shown, self._enter.encode()):
                return door.go("/login")
            response = door.go("/wall")
            door.sessions.keep(response, session)
            return response

        return Route("/enter/{key}", enter, methods=["GET"])

    def _list(self, request: Request, _visitor: Visitor) -> Response:
        again = {} if STILL in request.query_params else {"Refresh": str(_REFRESH_S)}
        # read at once: between a file's length and its bytes the next letters may replace it
        page = (self._outbox / PAGE).read_bytes()
        return Response(page, headers=_LIST_HEADERS | again, media_type="text/html")

    def _letter(self, request: Request, _visitor: Visitor) -> Response:
        name = request.path_params["letter"]
        file = self._outbox / name
        if not _LETTER.fullmatch(name) or not file.is_file():
            return Response("没有这封函件。", 404, media_type="text/plain")
        return FileResponse(file, headers=_LETTER_HEADERS)


class _Watched:
    """Lets the year wait while somebody is at a letter's page, and go on after what he did."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app, self._house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        path, acts = scope.get("path", ""), scope.get("method") == "POST"
        if acts or path.startswith("/r/"):
            self._house.held_until = asyncio.get_running_loop().time() + _HOLD_S

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and path == "/wall":
                MutableHeaders(scope=message)["Refresh"] = str(_REFRESH_S)
            await send(message)

        await self._app(scope, receive, watched)
        if acts:
            self._house.handed_in.set()


@contextmanager
def opened(outbox: Path, archive: Path) -> Iterator[House]:
    """A house on its usual port, or on a free one where that is taken."""
    try:
        bound = bind(f"127.0.0.1:{USUAL_PORT}")
    except ListenError:
        bound = bind("127.0.0.1:0")
    with bound:
        yield House(bound, outbox, archive)
