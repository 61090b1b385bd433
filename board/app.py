"""The application: every route of the house, behind the same headers and the same log."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from board import vitals
from board.assets import asset_routes
from board.calendars import calendar_routes
from board.context import Context
from board.desk import desk_routes
from board.deskmail import desk_mail_routes
from board.deskplans import desk_plan_routes
from board.door import Door
from board.failures import failures
from board.home import home_routes
from board.login import login_routes
from board.middleware import AccessLog, SafeHeaders
from board.reading import own_routes, reading_routes
from board.rendering import Pages
from board.sections import section_routes
from board.wall import wall_routes


def app_of(context: Context) -> Starlette:
    """The pages as an ASGI application. Each concern has a file with its routes."""
    pages = Pages(context.root)
    app = Starlette(
        routes=list(_routes(context, pages)),
        middleware=[Middleware(AccessLog, say=context.say), Middleware(SafeHeaders)],
        exception_handlers=failures(pages, context.say),
    )
    app.state.context = context
    return app


def _routes(context: Context, pages: Pages) -> Iterator[BaseRoute]:
    door = Door(context, pages)
    yield from vitals.routes()
    yield from asset_routes()
    yield from login_routes(door)
    yield from home_routes(door)
    yield from desk_routes(door)
    yield from desk_mail_routes(door)
    yield from desk_plan_routes(door)
    yield from wall_routes(door)
    yield from reading_routes(door)
    if context.links is not None:
        yield from calendar_routes(context, context.links)
        yield from own_routes(context, context.links, pages)
        yield from section_routes(context, context.links, pages)
