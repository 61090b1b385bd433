"""Pages to read: a month, what will be mailed, the projects, one section, one official."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from board.context import Context
from board.door import Door, Visitor
from board.monthgrid import weeks
from board.rendering import Pages
from board.wall import Mark, mark
from config.model import Project
from duban.bureau import Bureau
from duban.letters import Recipient
from duban.standings import Standing
from jobs.coming import Coming, coming, waiting, written_to
from jobs.feeds import answers_for
from jobs.links import Feed, ForgedError, Links
from jobs.wall import Posted, read_posted
from ledger.tables import obligation

_MONTH: Final = re.compile(r"((?:19|20)\d\d)-(0[1-9]|1[0-2])", re.ASCII)
_AHEAD_DAYS: Final = 14
_MOST_WAITING: Final = 100
_MOST_LETTERS: Final = 30

Shown = list[tuple[Posted, Mark]]


@dataclass(frozen=True, slots=True)
class Asked:
    """The plan that a page is about, at one instant in the plan's zone."""

    plan_id: int
    bureau: Bureau
    now: datetime

    def query(self, **more: str) -> str:
        """The query of another page about the same plan."""
        return urlencode({"plan": self.bureau.plan.id, **more})


@dataclass(frozen=True, slots=True)
class Whole:
    """A section's or an official's year: what it owes, what was written to it, its calendar."""

    asked: Asked
    name: str
    title: str
    official: bool
    posted: Shown
    letters: Sequence[Any]
    feed: str | None
    page: str | None


def reading_routes(door: Door) -> list[Route]:
    """`/month`, `/coming`, `/projects`, `/section` and `/official`."""
    shown = _Reading(door)
    return [
        door.page("/month", shown.month),
        door.page("/coming", shown.coming),
        door.page("/projects", shown.projects),
        door.page("/section", shown.section),
        door.page("/official", shown.official),
    ]


def own_routes(context: Context, links: Links, pages: Pages) -> list[BaseRoute]:
    """`/own/…`: a section's or an official's page behind a link of its own, to read."""

    def show(request: Request) -> Response:
        try:
            feed = links.own_of(request.path_params["token"])
            bureau = context.bureaus().get(feed.plan)
            if bureau is None:
                raise ForgedError("there is no such plan")
            asked = Asked(feed.plan, bureau, bureau.local(context.clock()))
            with context.ledger.read() as connection:
                whole = whole_of(connection, asked, feed.recipient, links)
        except (ForgedError, KeyError):
            return pages.response("closed.html", 403, office=None)
        return pages.response("own.html", whole=whole, now=asked.now, mine=True)

    return [Route("/own/{token}", show, methods=["GET"])]


class _Reading:
    def __init__(self, door: Door) -> None:
        self.door, self.context = door, door.context

    def month(self, request: Request, visitor: Visitor) -> Response:
        """A month's calendar, and what is due by day; the present one where none is named."""
        asked = self._asked(request)
        wanted = request.query_params.get("month")
        if asked is None or (wanted and not _MONTH.fullmatch(wanted)):
            return self._nothing()
        first = date.fromisoformat(f"{wanted}-01") if wanted else asked.now.date().replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
        begin, end = (datetime.combine(day, time(), asked.now.tzinfo) for day in (first, after))
        rows = self._posted(asked, obligation.c.deadline >= begin, obligation.c.deadline < end)
        days = [(day, list(some)) for day, some in groupby(rows, lambda one: _day(one[0]))]
        before = first - timedelta(days=1)
        others = [
            (f"{d.year}年{d.month}月", asked.query(month=f"{d:%Y-%m}")) for d in (before, after)
        ]
        grid = weeks(first, rows, asked.bureau.calendar)
        return self._page(
            visitor, "month.html", asked, first=first, days=days, weeks=grid, others=others
        )

    def coming(self, request: Request, visitor: Visitor) -> Response:
        """What waits to be sent, and what will be in the next days."""
        asked = self._asked(request)
        if asked is None:
            return self._nothing()
        until = asked.now + timedelta(days=_AHEAD_DAYS)
        with self.context.ledger.read() as connection:
            found = coming(connection, asked.bureau, asked.plan_id, asked.now, until)
            queued = waiting(connection, asked.plan_id, _MOST_WAITING)
        days = [(at, list(some)) for at, some in groupby(found, lambda one: one.at)]
        named = {one.to: _holder(asked, one) for one in found}
        return self._page(
            visitor, "coming.html", asked, days=days, queued=queued, named=named, most=_AHEAD_DAYS
        )

    def projects(self, request: Request, visitor: Visitor) -> Response:
        """The key projects with their leads, and what is dated in them."""
        asked = self._asked(request)
        if asked is None:
            return self._nothing()
        plan = asked.bureau.plan
        mine = {
            item.id: getattr(item, "project", None) or item.id
            for item in (*plan.file.milestones, *plan.file.projects)
        }
        dated: dict[str, Shown] = {}
        for one, how in self._posted(asked, obligation.c.item.in_(list(mine))):
            dated.setdefault(mine[one.item], []).append((one, how))
        rows = [(p, _leads(asked, p), dated.get(p.id, [])) for p in plan.file.projects]
        return self._page(visitor, "projects.html", asked, rows=rows)

    def section(self, request: Request, visitor: Visitor) -> Response:
        """One section's page."""
        return self._whole(request, visitor, official=False)

    def official(self, request: Request, visitor: Visitor) -> Response:
        """One official's page."""
        return self._whole(request, visitor, official=True)

    def _whole(self, request: Request, visitor: Visitor, *, official: bool) -> Response:
        asked = self._asked(request)
        recipient = Recipient(request.query_params.get("name", ""), official=official)
        try:
            if asked is None:
                raise KeyError(recipient.name)
            with self.context.ledger.read() as connection:
                whole = whole_of(connection, asked, recipient, self.context.links)
        except KeyError:
            return self._nothing()
        return self._page(visitor, "own.html", asked, whole=whole, mine=False)

    def _asked(self, request: Request) -> Asked | None:
        key = request.query_params.get("plan")
        for plan_id, bureau in self.context.bureaus().items():
            if key in (None, bureau.plan.id):
                return Asked(plan_id, bureau, bureau.local(self.context.clock()))
        return None

    def _posted(self, asked: Asked, *wanted: Any) -> Shown:
        with self.context.ledger.read() as connection:
            return _marked(read_posted(connection, asked.bureau, asked.plan_id, asked.now, *wanted))

    def _page(self, visitor: Visitor, template: str, asked: Asked, **values: Any) -> Response:
        bureaus: Mapping[int, Bureau] = self.context.bureaus()
        plans = [(b.plan.about.title, urlencode({"plan": b.plan.id})) for b in bureaus.values()]
        return self.door.render(
            visitor,
            template,
            asked=asked,
            now=asked.now,
            about=asked.bureau.plan.about,
            plans=plans if len(plans) > 1 else [],
            **values,
        )

    def _nothing(self) -> Response:
        text = "没有这个方案、月份、科室或领导。请从首页重新进入。"
        return self.door.pages.message(404, "没有这个页面", text)


def whole_of(
    connection: Connection, asked: Asked, recipient: Recipient, links: Links | None
) -> Whole:
    """A section's or an official's page. Raises KeyError for one that the plan does not name."""
    plan, now = asked.bureau.plan, asked.now
    if recipient.official:
        official = plan.official(recipient.name)
        name = official.post
        title = f"{official.holder(now.date()).name}　{official.title or official.post}"
    else:
        section = plan.section(recipient.name)
        name = section.name
        title = section.full_name or section.name
    year = date(now.year, 1, 1), date(now.year, 12, 31)
    wanted: list[ColumnElement[bool]] = [obligation.c.nominal.between(*year)]
    if not recipient.official:
        wanted.append(obligation.c.section == name)
    posted = read_posted(connection, asked.bureau, asked.plan_id, now, *wanted)
    if recipient.official:
        posted = [one for one in posted if _answers(asked.bureau, name, one)]
    whose = Feed(asked.plan_id, Recipient(name, official=recipient.official))
    return Whole(
        asked=asked,
        name=name,
        title=title,
        official=recipient.official,
        posted=_marked(posted),
        letters=written_to(
            connection, asked.plan_id, name, official=recipient.official, most=_MOST_LETTERS
        ),
        feed=links.feed(whose) if links else None,
        page=links.own(whose) if links else None,
    )


def _marked(posted: Iterable[Posted]) -> Shown:
    return [(one, mark(one)) for one in posted]


def _answers(bureau: Bureau, post: str, one: Posted) -> bool:
    overdue = one.standing is Standing.OVERDUE
    return answers_for(bureau, post, one.item, one.section, overdue=overdue)


def _day(one: Posted) -> date:
    return one.deadline.date()


def _holder(asked: Asked, one: Coming) -> str:
    """Who holds the post that a letter is for; a section is called by its name."""
    if not one.official:
        return one.to
    return asked.bureau.plan.official(one.to).holder(one.at.date()).name


def _leads(asked: Asked, project: Project) -> list[tuple[str, str, str]]:
    """Of each lead the post, who holds it now, and the section."""
    plan, today = asked.bureau.plan, asked.now.date()
    found = []
    for lead in project.leads:
        official = plan.official(lead.official)
        found.append((official.post, official.holder(today).name, plan.section(lead.section).name))
    return found
