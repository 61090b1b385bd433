"""The application: every route of the house, behind the same headers and the same log."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from board import vitals
from board.calendars import calendar_routes
from board.context import Context
from board.middleware import AccessLog, SafeHeaders
from board.sections import section_routes


def app_of(context: Context) -> Starlette:
    """The pages as an ASGI application. Each concern has a file with its routes."""
    app = Starlette(
        routes=list(_routes(context)),
        middleware=[Middleware(AccessLog, say=context.say), Middleware(SafeHeaders)],
    )
    app.state.context = context
    return app


def _routes(context: Context) -> Iterator[BaseRoute]:
    yield from vitals.routes()
    if context.links is not None:
        yield from calendar_routes(context, context.links)
        yield from section_routes(context, context.links)
