"""What machines ask: does the daemon live, is it ready, how much is there to do."""

from __future__ import annotations

import hmac
import ipaddress
import logging
from urllib.parse import urlsplit

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from board.context import Context, context_of
from ledger.engine import LedgerError


def routes() -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`. None of them names a person."""
    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


async def healthz(request: Request) -> Response:
    """200 while the daemon ticks, 503 with the reason in one word; asks nothing but memory."""
    vitals = context_of(request).vitals()
    return _answer(vitals.state, well=vitals.well)


def readyz(request: Request) -> Response:
    """200 if the daemon ticks, has plans and reaches its ledger; else 503 with what is missing."""
    context = context_of(request)
    if not context.bureaus():
        return _answer("plans", well=False)
    if not _reaches(context):
        return _answer("ledger", well=False)
    vitals = context.vitals()
    return _answer(vitals.state, well=vitals.well)


def _reaches(context: Context) -> bool:
    try:
        with context.ledger.read() as connection:
            connection.execute(text("SELECT 1 FROM plan")).first()
    except LedgerError:
        return False
    return True


def _answer(state: str, *, well: bool) -> Response:
    return JSONResponse({"status": state}, 200 if well else 503)


def metrics(request: Request) -> Response:
    """Figures for Prometheus, to this machine, or to whoever shows the token of the settings.

    503 in plain text while the ledger is away.
    """
    context = context_of(request)
    if not (_is_local(request, context) or _has_token(request, context.metrics_token)):
        said = "only from this machine, or with the bearer token of metrics_token\n"
        return PlainTextResponse(said, 403)
    from board.metrics import CONTENT_TYPE, exposition

    try:
        return Response(exposition(context), media_type=CONTENT_TYPE)
    except LedgerError as error:
        context.say("page.failed", logging.ERROR, reason=str(error))
        said = "the ledger cannot be read at the moment; the daemon's log says why\n"
        return PlainTextResponse(said, 503)


def _is_local(request: Request, context: Context) -> bool:
    # a proxy that does not say whom it speaks for makes all the world look like this machine
    if request.url.hostname == urlsplit(context.public_url or "").hostname:
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _has_token(request: Request, token: str | None) -> bool:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if token is None or kind.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), token.encode())
