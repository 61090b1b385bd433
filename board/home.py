"""The office's first page: how the plans stand, and whether duban itself is well."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from board.door import Door, Visitor
from duban.standings import Standing
from jobs.status import status
from mailroom.words import clock

_TROUBLES: Final = {
    "starting": "正在启动",
    "failing": "出错，正在重试",
    "late": "停顿",
}


def home_routes(door: Door) -> list[Route]:
    """`/`."""

    def home(request: Request, visitor: Visitor) -> Response:
        context = door.context
        now, vitals = context.clock(), context.vitals()
        bureaus = [*context.bureaus().values()]
        keys = [bureau.plan.id for bureau in bureaus]
        with context.ledger.read() as connection:
            found = status(connection, now, keys)
        again = found.barred_until
        return door.render(
            visitor,
            "home.html",
            found=found,
            standings=Standing,
            tried_again=clock(bureaus[0].local(again)) if again and bureaus else "",
            trouble=_TROUBLES.get(vitals.state, ""),
            tick_age_s=vitals.tick_age_s,
        )

    return [door.page("/", home)]
