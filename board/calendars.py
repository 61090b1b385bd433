"""The calendars at signed addresses: deadlines in the calendar of a phone or a computer."""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from board.context import Context
from board.ical import Event, Status, calendar_text
from duban.standings import State
from jobs.feeds import Deadlines, Entry, read_feed
from jobs.letterbox import mail_domain
from jobs.links import ForgedError, Links
from mailroom import words

_CANCELLED: Final = (State.EXEMPT, State.DROPPED)


def calendar_routes(context: Context, links: Links) -> list[BaseRoute]:
    """The route of the calendars."""

    def answer(token: str) -> Response:
        try:
            feed = links.feed_of(token)
            with context.ledger.read() as connection:
                found = read_feed(connection, context.bureaus(), feed, context.clock())
        except ForgedError:
            return Response("", 403)
        headers = {"Cache-Control": "private, max-age=600", "Referrer-Policy": "no-referrer"}
        return Response(text_of(found), headers=headers, media_type="text/calendar")

    async def calendar(request: Request) -> Response:
        return await run_in_threadpool(answer, request.path_params["token"])

    return [Route("/cal/{token}.ics", calendar, methods=["GET"])]


def text_of(deadlines: Deadlines) -> str:
    """The calendar as a file."""
    bureau = deadlines.bureau
    about, domain = bureau.plan.about, mail_domain(bureau)
    name = f"{deadlines.name} {about.short_title or about.title}"
    events = (_event(deadlines, one, f"{about.id}.{domain}") for one in deadlines.entries)
    return calendar_text(name, "duban", events)


def _event(deadlines: Deadlines, entry: Entry, domain: str) -> Event:
    facts = entry.facts
    return Event(
        uid=f"obligation-{entry.id}@{domain}",
        stamp=entry.changed_at,
        sequence=entry.round,
        day=facts.deadline.date(),
        summary=_summary(deadlines, entry),
        description="\n".join(
            line
            for line in (
                facts.title,
                f"时限：{facts.deadline:%Y-%m-%d %H:%M}",
                f"须含：{'、'.join(facts.contents)}" if facts.contents else "",
                f"所属专项：{facts.project}" if facts.project else "",
                "放假安排未公布，时限暂定" if facts.provisional else "",
            )
            if line
        ),
        status=_status(entry),
    )


def _summary(deadlines: Deadlines, entry: Entry) -> str:
    """`3月专报（17:30前）`, with the section for an official, and what has become of it."""
    facts = entry.facts
    whose = f"{facts.section}：" if deadlines.official else ""
    if entry.state.owed:
        # the time that passes does not change an event: an overdue one is not called so here
        returned = "退回重报，" if entry.state is State.RETURNED else ""
        became = f"{returned}{words.clock(facts.deadline)}前"
    else:
        became = facts.standing
    return f"{whose}{words.name(facts, facts.deadline)}（{became}）"


def _status(entry: Entry) -> Status:
    if entry.state in _CANCELLED:
        return Status.CANCELLED
    return Status.TENTATIVE if entry.facts.provisional else Status.CONFIRMED
