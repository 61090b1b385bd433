"""What people see when something is not there or goes wrong: what happened, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from board.rendering import Pages
from ledger.engine import LedgerError

_TEXTS: Final = {
    404: ("没有这个页面", "请检查网址是否完整，或从函件、首页重新打开。"),
    405: ("不能这样打开", "请从函件或首页重新打开这个页面。"),
}
_ELSE: Final = ("不能打开", "请返回后再试；仍打不开的，请联系系统管理员。")


def failures(
    pages: Pages, say: Callable[..., None]
) -> Mapping[Any, Callable[[Request, Any], Response]]:
    """The application's handlers of exceptions. The log has the details, a page never."""

    def not_there(_request: Request, error: HTTPException) -> Response:
        page = pages.message(error.status_code, *_TEXTS.get(error.status_code, _ELSE))
        page.headers.update(error.headers or {})
        return page

    def no_ledger(_request: Request, error: LedgerError) -> Response:
        say("page.failed", logging.ERROR, reason=str(error))
        text = "台账暂时不能读写，刚才的操作没有登记。请几分钟后再试；仍不行的，请联系系统管理员。"
        page = pages.message(503, "请稍后再试", text)
        page.headers["Retry-After"] = "60"
        return page

    def broken(_request: Request, _error: Exception) -> Response:
        text = "程序出错，刚才的操作可能没有登记。请返回查看；仍不行的，请联系系统管理员。"
        return pages.message(500, "出错了", text)

    return {HTTPException: not_there, LedgerError: no_ledger, Exception: broken}
