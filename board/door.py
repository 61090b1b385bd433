"""The door to the office's pages: who may come in, and which forms are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from board.context import Context
from board.rendering import Pages, megabytes
from board.sessions import Session, Sessions
from board.upload import FIELD_BYTES_MOST, BadFormError, Limits, TooMuchError, read_form
from ledger import accounts

_LONGEST_FORM_BYTES: Final = 64 * 1024
_MOST_FIELDS: Final = 500
_FORM: Final = "application/x-www-form-urlencoded"
_INCOMPLETE: Final = "表单不完整或太长，请重新填写。"
_SIGNED_OUT: Final = "登录已经结束。请重新登录后再试。"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: an account's name, or None for anybody; `form_token` goes into each form."""

    session: Session
    form_token: str
    name: str | None = None


AtHand = Callable[[Request], bool]
Show = Callable[[Request, Visitor], Response]
Take = Callable[[Request, Visitor, FormData], Response]


class NotAFormError(ValueError):
    """What came is no form of ours, or too long for one."""


class Door:
    """Makes routes that only let in who has signed in, and only take forms of their own visit.

    Handlers are plain functions and run off the loop: they may ask the ledger.
    """

    def __init__(self, context: Context, pages: Pages) -> None:
        self.context, self.pages = context, pages
        self.limits = Limits(context.archive.largest, context.files_at_once)
        self.sessions = Sessions(context.keys, secure=context.https)

    def page(
        self, path: str, show: Show, *, anybody: bool = False, at_hand: AtHand | None = None
    ) -> Route:
        """A page; who has not signed in is sent to do so, unless `anybody` may see it.

        What is `at_hand` is answered on the loop: a thread's turn would take longer than the page.
        """

        def answer(request: Request) -> Response:
            visitor, new = self._visitor(request)
            if visitor.name is None and not anybody:
                return self._to_login(request)
            response = show(request, visitor)
            if new:
                self.sessions.keep(response, visitor.session)
            return response

        async def endpoint(request: Request) -> Response:
            if at_hand is not None and at_hand(request):
                return answer(request)
            return await run_in_threadpool(answer, request)

        return Route(path, endpoint, methods=["GET"])

    def form(self, path: str, take: Take, *, anybody: bool = False) -> Route:
        """What a form is sent to."""

        async def endpoint(request: Request) -> Response:
            try:
                fields = await _fields(request)
            except NotAFormError:
                return self.pages.message(400, "没有提交", _INCOMPLETE)
            return await run_in_threadpool(self._take, take, request, fields, anybody)

        return Route(path, endpoint, methods=["POST"])

    def upload(self, path: str, take: Take, field_bytes: int = FIELD_BYTES_MOST) -> Route:
        """What a form with files is sent to; of who has not signed in nothing is read at all.

        `field_bytes` is the most that one field without a file may have.
        """

        async def endpoint(request: Request) -> Response:
            visitor, _ = await run_in_threadpool(self._visitor, request)
            if visitor.name is None:
                return self.pages.message(403, "没有提交", _SIGNED_OUT)
            try:
                form = await read_form(request, self.limits, field_bytes)
            except TooMuchError:
                return self.pages.message(413, "没有提交", self.too_much)
            except (BadFormError, ClientDisconnect):
                return self.pages.message(400, "没有提交", _INCOMPLETE)
            try:
                return await run_in_threadpool(self._take, take, request, form, False)
            finally:
                await form.close()

        return Route(path, endpoint, methods=["POST"])

    @property
    def too_much(self) -> str:
        """Why files were not taken, and what to do."""
        most = megabytes(self.limits.total_bytes)
        return f"一次最多{self.limits.files}个文件，合计不超过{most}。请压缩或分次登记。"

    def render(self, visitor: Visitor, template: str, status: int = 200, **values: Any) -> Response:
        """A page for a visitor: its template knows `visitor` besides `values`."""
        return self.pages.response(template, status, visitor=visitor, **values)

    def go(self, path: str) -> Response:
        """On to another page of ours after a form (303)."""
        return RedirectResponse(self.context.root + path, 303)

    def _take(self, take: Take, request: Request, fields: FormData, anybody: bool) -> Response:
        visitor, _ = self._visitor(request)
        token = fields.get("form_token")
        ours = isinstance(token, str) and self.sessions.is_form_token(visitor.session, token)
        if not ours or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            text = "页面打开太久，或者不是从本网站提交的。请返回、刷新页面后再试。"
            return self.pages.message(403, "没有提交", text)
        if visitor.name is None and not anybody:
            return self.pages.message(403, "没有提交", _SIGNED_OUT)
        return take(request, visitor, fields)

    def _visitor(self, request: Request) -> tuple[Visitor, bool]:
        """Who asks, and whether this visit has just begun."""
        now = self.context.clock()
        shown = self.sessions.read(request, now)
        session = shown or self.sessions.begin(now)
        name = None
        if session.account is not None:
            with self.context.ledger.read() as connection:
                row = accounts.at_work(connection, session.account, session.version)
            name = row.name if row else None
        visitor = Visitor(session, self.sessions.form_token(session), name)
        return visitor, shown is None

    def _to_login(self, request: Request) -> Response:
        path = request.url.path
        asked = f"{path}?{request.url.query}" if request.url.query else path
        return self.go(f"/login?next={quote(asked, safe='')}")


async def _fields(request: Request) -> FormData:
    """The fields of a form without files, read no further than a form of ours can be long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise NotAFormError
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM_BYTES:
            raise NotAFormError
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise NotAFormError from error
    return FormData([(name, value) for name, value in pairs])
