"""The pages behind the links in letters: a section hands in, an official looks.

A link needs no login: its token opens one letter's page. GET and HEAD never change anything, for
mail scanners follow links; a POST needs a form that this page made for the present state.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from board.context import Context
from board.rendering import Pages, megabytes
from board.upload import (
    BadFormError,
    Limits,
    TooMuchError,
    files_of,
    kept_files,
    read_form,
    text_of,
)
from duban.bureau import Bureau
from duban.letters import Recipient
from jobs.collect import Act, RefusedError, submit, withdraw
from jobs.extensions import request as ask_for_time
from jobs.letterpage import ExpiredError, LetterPage, PageItem, read_page
from jobs.links import LINK, Feed, ForgedError, Form, Links
from ledger.archive import TooLargeError
from ledger.engine import LedgerError
from mailroom import words

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_NAME_CHARACTERS: Final = 40
_NOTE_CHARACTERS: Final = 2000


@dataclass(frozen=True)
class Said:
    """What the page says above everything else, about which obligation, and what was typed."""

    text: str
    good: bool = False
    about: int | None = None
    typed: Mapping[str, str] = field(default_factory=dict)


class NotTakenError(ValueError):
    """The form lacks something; the message tells the clerk what, in Chinese."""


def section_routes(context: Context, links: Links, pages: Pages) -> list[BaseRoute]:
    """The routes of the pages behind links, for the app that serves them."""
    counter = _Counter(context, links, pages)
    return [
        Route("/r/{token}", counter.show, methods=["GET"]),
        Route("/r/{token}", counter.act, methods=["POST"]),
    ]


class _Counter:
    """Shows a letter's page, and takes what its forms bring."""

    def __init__(self, context: Context, links: Links, pages: Pages) -> None:
        self.context, self.links, self.pages = context, links, pages
        self.limits = Limits(context.archive.largest, context.files_at_once)

    async def show(self, request: Request) -> Response:
        """The page as it stands; changes nothing."""
        return await self._answer(request, self._show)

    async def act(self, request: Request) -> Response:
        """Take a form; answers with the page that shows what came of it."""
        return await self._answer(request, self._act)

    async def _answer(
        self, request: Request, work: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        try:
            return await work(request)
        except (ForgedError, ExpiredError) as error:
            return self._closed(error)
        except ClientDisconnect:
            # somebody closed the page while a file was on its way: nothing was taken
            return Response(status_code=400)
        except (LedgerError, OSError) as error:
            self.context.say("page.failed", logging.ERROR, reason=str(error))
            text = self.pages.text("broken.html")
            return Response(text, 503, dict(_HEADERS), media_type="text/html")

    async def _show(self, request: Request) -> Response:
        page = await run_in_threadpool(self._read, request)
        return self._page(page, _done(page, request.query_params))

    async def _act(self, request: Request) -> Response:
        page = await run_in_threadpool(self._read, request)
        if page.official or request.headers.get("sec-fetch-site") == "cross-site":
            raise ForgedError("this page takes no forms from there")
        try:
            form = await read_form(request, self.limits)
        except TooMuchError:
            return self._page(page, Said(self._too_much()), 413)
        except BadFormError:
            return self._page(page, Said(_INCOMPLETE), 400)
        try:
            return await run_in_threadpool(self._take, page, form)
        finally:
            await form.close()

    def _read(self, request: Request) -> LetterPage:
        which = self.links.letter_of(request.path_params["token"])
        with self.context.ledger.read() as connection:
            return read_page(connection, self.context.bureaus(), which, self.context.clock())

    def _take(self, page: LetterPage, form: FormData) -> Response:
        typed = {name: text_of(form, name) for name in ("note", "by", "reason", "wished")}
        made = self.links.form_of(text_of(form, "form"))
        item = page.item(made.obligation)
        if made.letter != page.letter:
            raise ForgedError("the form is another page's")
        if made.seen != item.seen:
            return self._page(page, Said(_CHANGED, about=item.id, typed=typed), 403)
        try:
            done = self._do(text_of(form, "act"), page, item, form, typed)
        except (NotTakenError, TooLargeError) as error:
            text = self._too_much() if isinstance(error, TooLargeError) else str(error)
            return self._page(page, Said(text, about=item.id, typed=typed), 422)
        except RefusedError:
            return self._page(page, Said(_CHANGED, about=item.id, typed=typed), 403)
        where = f"?done={done}&item={item.id}#o{item.id}"
        return RedirectResponse(where, 303, headers=dict(_HEADERS))

    def _do(
        self,
        what: str,
        page: LetterPage,
        item: PageItem,
        form: FormData,
        typed: Mapping[str, str],
    ) -> str:
        ledger, name = self.context.ledger, typed["by"][:_NAME_CHARACTERS]
        act = Act(
            item.facts.key,
            self.context.clock(),
            f"{page.name} {name}" if name else page.name,
            via=LINK,
            reason=typed["note"][:_NOTE_CHARACTERS] or None,
        )
        match what:
            case "hand_in":
                self._hand_in(page.bureau, act, form)
            case "withdraw":
                withdraw(ledger, page.bureau, act)
            case "extend":
                self._ask(page, item, act, typed)
            case _:
                raise NotTakenError(_INCOMPLETE)
        return what

    def _hand_in(self, bureau: Bureau, act: Act, form: FormData) -> None:
        if not files_of(form) and not act.reason:
            raise NotTakenError("还没有登记：请选择文件；没有文件的，请在“说明”中写明办理情况。")
        files = kept_files(self.context.archive, form)
        submit(self.context.ledger, bureau, replace(act, files=files))

    def _ask(self, page: LetterPage, item: PageItem, act: Act, typed: Mapping[str, str]) -> None:
        if not typed["reason"]:
            raise NotTakenError("还没有申请：请写明延期的原因。")
        asked = Act(act.key, act.at, act.who, act.via, typed["reason"])
        due = words.day(item.facts.deadline, page.now)
        try:
            wished = date.fromisoformat(typed["wished"])
            ask_for_time(self.context.ledger, page.bureau, asked, wished)
        except (ValueError, RefusedError) as error:
            raise NotTakenError(
                f"还没有申请：希望的日期要晚于今天和现在的时限（{due}），并在一年之内。"
            ) from error

    def _page(self, page: LetterPage, said: Said | None, status: int = 200) -> Response:
        links, plan = self.links, page.bureau.plan
        whose = Feed(page.plan, Recipient(page.name, official=page.official))
        text = self.pages.text(
            "letter.html",
            page=page,
            now=page.now,
            said=said,
            about=plan.about,
            office=plan.office.name,
            office_email=plan.mailbox(plan.office),
            limits=self.limits,
            feed=links.feed(whose),
            own=links.own(whose),
            forms={i.id: links.form(Form(page.letter, i.id, i.seen)) for i in page.items},
        )
        return Response(text, status, dict(_HEADERS), media_type="text/html")

    def _closed(self, error: ForgedError | ExpiredError) -> Response:
        """An expired link says what to do; any other tells nothing of what there is."""
        office = None
        if isinstance(error, ExpiredError):
            plan = error.bureau.plan
            office = {"name": plan.office.name, "email": plan.mailbox(plan.office)}
        text = self.pages.text("closed.html", office=office)
        return Response(text, 403, dict(_HEADERS), media_type="text/html")

    def _too_much(self) -> str:
        return (
            f"没有登记：一次最多{self.limits.files}个文件，合计不超过"
            f"{megabytes(self.limits.total_bytes)}。请压缩或分次报送，也可联系办公室。"
        )


_INCOMPLETE: Final = "表单不完整，没有登记。请重新填写。"
_CHANGED: Final = "这件事刚才已有变化，这次提交没有重复登记。现在的情况如下。"


def _done(page: LetterPage, query: Mapping[str, Any]) -> Said | None:
    """What a form came to, if the ledger bears it out."""
    which = next((i for i in page.items if str(i.id) == query.get("item")), None)
    if which is None:
        return None
    text = ""
    match query.get("done"):
        case "hand_in" if which.latest is not None:
            at = words.moment(which.latest.at, page.now)
            text = f"已收到，编号{which.latest.row.number}，{at}。回执将发到科室邮箱。"
        case "withdraw" if which.may_hand_in:
            text = "已撤回。此事项恢复为未报送，提醒照常。"
        case "extend" if which.request is not None:
            text = "申请已送办公室。答复之前，原时限不变。"
    return Said(text, good=True, about=which.id) if text else None
