"""The wall (晾晒): who owed what in a year and how it stands, on one screen and one sheet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from board.door import Door, Visitor
from config.model import Light
from duban.bureau import Bureau
from duban.standings import Standing
from jobs.wall import Posted, read_wall
from ledger.engine import LedgerError

_YEAR: Final = re.compile(r"(?:19|20)\d\d", re.ASCII)
_MONTHS: Final = range(1, 13)


@dataclass(frozen=True, slots=True)
class Mark:
    """How one state looks: a colour, a sign for who sees no colours, and its word."""

    colour: str
    sign: str
    word: str


_OVERDUE: Final = Mark("red", "逾", "逾期")
_RETURNED: Final = Mark("yellow", "退", "退回")
_URGENT: Final = Mark("yellow", "急", "即将到期")
_NEAR: Final = Mark("blue", "近", "临近")
_PENDING: Final = Mark("plain", "未", "未到期")
_LATE: Final = Mark("green", "迟", "迟报，已核收")
_LATE_SUBMITTED: Final = Mark("green", "迟", "迟报，待核")
_SUBMITTED: Final = Mark("green", "核", "待核")
_ON_TIME: Final = Mark("green", "按", "按时")
_EXEMPT: Final = Mark("plain", "免", "免报")
_BEFORE: Final = Mark("plain", "前", "此前")

_ORDER: Final = (
    _OVERDUE,
    _RETURNED,
    _URGENT,
    _NEAR,
    _PENDING,
    _LATE,
    _LATE_SUBMITTED,
    _SUBMITTED,
    _ON_TIME,
    _EXEMPT,
    _BEFORE,
)
"""All marks, the most pressing first: the order in a cell and in the legend."""

_PENDING_MARKS: Final[Mapping[Light | None, Mark]] = {
    None: _PENDING,
    Light.BLUE: _NEAR,
    Light.YELLOW: _URGENT,
    # an office may write a red rung before the deadline; red is for what is overdue
    Light.RED: _URGENT,
}
_MARKS: Final[Mapping[Standing, Mark]] = {
    Standing.ON_TIME: _ON_TIME,
    Standing.LATE: _LATE,
    Standing.OVERDUE: _OVERDUE,
    Standing.EXEMPT: _EXEMPT,
    Standing.RETURNED: _RETURNED,
    Standing.BEFORE: _BEFORE,
}


def mark(one: Posted) -> Mark:
    """How an obligation looks on the wall. Late stays late: it is green, with 迟."""
    if one.standing is Standing.PENDING:
        return _PENDING_MARKS[one.light]
    if one.standing is Standing.SUBMITTED:
        return _LATE_SUBMITTED if one.late else _SUBMITTED
    return _MARKS[one.standing]


def ordered(counts: Mapping[Mark, int]) -> tuple[tuple[Mark, int], ...]:
    """Marks with how often each stands, the most pressing first."""
    return tuple((m, counts[m]) for m in _ORDER if m in counts)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a section owed in a month: each mark with how often it stands there."""

    marks: tuple[tuple[Mark, int], ...]
    label: str
    query: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """The plan and year that an address asks for."""

    plan_id: int
    bureau: Bureau
    year: int
    now: datetime


def wall_routes(door: Door) -> list[Route]:
    """`/wall` for a year, and `/wall/cell` for a section's month in it."""
    wall = _Wall(door)
    return [door.page("/wall", wall.show, at_hand=wall.at_hand), door.page("/wall/cell", wall.cell)]


class _Wall:
    def __init__(self, door: Door) -> None:
        self.door = door
        self._making = Lock()
        self._kept: tuple[_Asked, Markup] | None = None

    def show(self, request: Request, visitor: Visitor) -> Response:
        """The whole year."""
        asked = self._asked(request)
        if asked is None:
            return self._nothing()
        table, made = self._table(asked)
        response = self.door.render(
            visitor,
            "wall.html",
            about=asked.bureau.plan.about,
            year=asked.year,
            table=table,
            years=[(y, _query(asked, y)) for y in (asked.year - 1, asked.year + 1)],
            plans=_plans(self.door.context.bureaus().values()),
        )
        if made is not asked and not self._is_younger(made, asked, self.door.context.fresh / 2):
            response.background = BackgroundTask(self._renew, asked)
        return response

    def at_hand(self, request: Request) -> bool:
        """Whether the wall that a request asks for has just been made, or is being made anew."""
        asked = self._asked(request)
        kept = None if asked is None else self._kept_for(asked)
        if asked is None or kept is None or not self.door.context.fresh:
            return False
        return self._making.locked() or self._is_younger(kept[0], asked, self.door.context.fresh)

    def _is_younger(self, made: _Asked, asked: _Asked, age: timedelta) -> bool:
        return timedelta() <= asked.now - made.now < age

    def _table(self, asked: _Asked) -> tuple[Markup, _Asked]:
        """The wall as HTML, and when it was made: once for all who ask within a moment.

        Who asks while another's request makes it anew gets the one before.
        """
        kept = self._kept_for(asked)
        if kept is not None and self._is_younger(kept[0], asked, self.door.context.fresh):
            return kept[1], kept[0]
        waits = kept is None or not self.door.context.fresh
        if not self._making.acquire(blocking=waits):
            assert kept is not None  # noqa: S101 - else it would have waited
            return kept[1], kept[0]
        try:
            return self._make_and_keep(asked), asked
        finally:
            self._making.release()

    def _renew(self, asked: _Asked) -> None:
        """Make the wall anew behind the back of who asked, so that the next one need not wait."""
        if self._making.acquire(blocking=False):
            try:
                with suppress(LedgerError):  # who asks next is told
                    self._make_and_keep(asked)
            finally:
                self._making.release()

    def _make_and_keep(self, asked: _Asked) -> Markup:
        table = self._make(asked)
        self._kept = asked, table
        return table

    def _kept_for(self, asked: _Asked) -> tuple[_Asked, Markup] | None:
        kept = self._kept
        if kept is None or kept[0].bureau is not asked.bureau or kept[0].year != asked.year:
            return None
        return kept

    def _make(self, asked: _Asked) -> Markup:
        posted = self._read(asked)
        text = self.door.pages.text(
            "walltable.html",
            about=asked.bureau.plan.about,
            year=asked.year,
            now=asked.now,
            months=_MONTHS,
            rows=_rows(asked, posted),
            legend=_legend(posted),
        )
        return Markup(text)  # noqa: S704 - our own template, which escapes

    def cell(self, request: Request, visitor: Visitor) -> Response:
        """The obligations of one cell."""
        asked = self._asked(request)
        section, month = (request.query_params.get(name, "") for name in ("section", "month"))
        posted = [] if asked is None else self._read(asked)
        mine = [p for p in posted if p.section == section and str(p.month) == month]
        if asked is None or not mine:
            return self._nothing()
        return self.door.render(
            visitor,
            "wallcell.html",
            section=section,
            month=month,
            year=asked.year,
            now=asked.now,
            posted=[(one, mark(one)) for one in mine],
            back=_query(asked, asked.year),
        )

    def _asked(self, request: Request) -> _Asked | None:
        """The plan and year of an address: the first plan and its present year where it is bare."""
        key, year = (request.query_params.get(name) for name in ("plan", "year"))
        found = self.door.context.bureaus().items()
        plan_id, bureau = next(((i, b) for i, b in found if key in (None, b.plan.id)), (None, None))
        if plan_id is None or bureau is None or (year and not _YEAR.fullmatch(year)):
            return None
        now = bureau.local(self.door.context.clock())
        return _Asked(plan_id, bureau, int(year) if year else _present(bureau, now), now)

    def _read(self, asked: _Asked) -> list[Posted]:
        with self.door.context.ledger.read() as connection:
            return read_wall(connection, asked.bureau, asked.plan_id, asked.year, asked.now)

    def _nothing(self) -> Response:
        text = "没有这个方案、年度或事项。请从首页重新进入晾晒。"
        return self.door.pages.message(404, "没有这个页面", text)


def _present(bureau: Bureau, now: datetime) -> int:
    """The year at `now`, or the nearest one that the plan runs in."""
    about = bureau.plan.about
    return max(about.starts.year, min(now.year, about.ends.year if about.ends else now.year))


def _query(asked: _Asked, year: int, **more: str | int) -> str:
    return urlencode({"plan": asked.bureau.plan.id, "year": year, **more})


def _plans(bureaus: Iterable[Bureau]) -> list[tuple[str, str]]:
    """Each plan's title and query, where there is more than one to choose from."""
    found = [(b.plan.about.title, urlencode({"plan": b.plan.id})) for b in bureaus]
    return found if len(found) > 1 else []


def _rows(asked: _Asked, posted: Sequence[Posted]) -> list[tuple[str, list[Cell | None]]]:
    """The sections in the plan's order, then those that only the ledger knows."""
    cells: dict[tuple[str, int], list[Mark]] = {}
    for one in posted:
        cells.setdefault((one.section, one.month), []).append(mark(one))
    named = dict.fromkeys(s.name for s in asked.bureau.plan.file.sections)
    names = named | dict.fromkeys(one.section for one in posted)
    return [
        (name, [_cell(asked, name, month, cells.get((name, month), [])) for month in _MONTHS])
        for name in names
    ]


def _cell(asked: _Asked, section: str, month: int, marks: Sequence[Mark]) -> Cell | None:
    if not marks:
        return None
    counted = ordered(Counter(marks))
    said = "、".join(f"{m.word}{n}项" for m, n in counted)
    query = _query(asked, asked.year, section=section, month=month)
    return Cell(counted, f"{section}{month}月：{said}", query)


def _legend(posted: Sequence[Posted]) -> list[tuple[Mark, int]]:
    """Each mark with how many obligations of the year have it."""
    return list(ordered(Counter(map(mark, posted))))
