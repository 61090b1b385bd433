"""Around every page: a log without names or tokens, and headers that keep browsers strict."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_HEADERS: Final = {
    # no script at all, style from our own sheet only, and no page of ours inside another one
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    # an address may be a key: it must not travel to other pages
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_PROBES: Final = ("/healthz", "/readyz", "/metrics")


class SafeHeaders:
    """Adds SAFE_HEADERS to each answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, safely)


class AccessLog:
    """Logs each request as `http.request`: the route's pattern, never the path, which may hold
    a token, nor the query. Probes are asked every few seconds and are not logged.
    """

    def __init__(self, app: ASGIApp, say: Callable[..., None]) -> None:
        self._app, self._say = app, say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        begun, status = perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if scope["type"] == "http" and scope["path"] not in _PROBES:
                route: Any = scope.get("route")
                self._say(
                    "http.request",
                    method=scope["method"],
                    route=getattr(route, "path", "-"),
                    status=status,
                    ms=round((perf_counter() - begun) * 1e3),
                )
