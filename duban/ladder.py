"""The ladder: when an obligation is spoken of, to whom, and which rung counts now.

Level-triggered: only the state decides, never the moment of a timer. Of the rungs whose time has
come the latest counts; those that it overtook are superseded. After downtime, a changed deadline
or a first start in mid-year the same few lines apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import count

from config.model import Audience, Light, Rung
from config.plan import Plan
from duban.calendar import WorkCalendar

_AUDIENCES = tuple(Audience)


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours that a plan keeps, all wall-clock times in the zone of the instants compared."""

    opens: time
    closes: time
    reminder: time
    min_notice: int

    @classmethod
    def of(cls, plan: Plan) -> Hours:
        """The hours that a plan states."""
        about = plan.about
        return cls(*about.office_hours, about.reminder_time, about.min_notice)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of one obligation; `name` is its distance in working days: `-5`, `0`, `+1`."""

    name: str
    at: datetime
    light: Light
    audience: tuple[Audience, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done about one obligation now.

    `issue` are the (audience, step) whose letters go out; `overtaken` those that they make
    superfluous; `held` the officials' rungs that wait because the section was not warned in time;
    `next_at` when to look again, or None when the ladder has ended.
    """

    issue: tuple[tuple[Audience, Step], ...] = ()
    overtaken: tuple[tuple[Audience, Step], ...] = ()
    held: tuple[tuple[Audience, Step], ...] = ()
    next_at: datetime | None = None


def climb(
    rungs: tuple[Rung, ...],
    deadline: datetime,
    calendar: WorkCalendar,
    reminder: time,
    since: datetime | None = None,
) -> Iterator[Step]:
    """The steps of a ladder in the order of time, without end where the last rung repeats.

    With `since`, repeats that lie before the latest of then are passed over: a year of them is
    long. Fixed rungs always come.

    A rung before or on the deadline's day never comes after the deadline itself: with a deadline at
    08:00 and reminders at 09:00 it goes out a working day earlier.
    """
    last: Step | None = None
    for rung in rungs:
        if rung.every is None:
            last = _fixed(rung, deadline, calendar, reminder)
            yield last
        else:
            yield from _repeats(rung, last, deadline, calendar, reminder, since)


def _fixed(rung: Rung, deadline: datetime, calendar: WorkCalendar, reminder: time) -> Step:
    on = calendar.shift(deadline.date(), rung.offset)
    at = datetime.combine(on, reminder, deadline.tzinfo)
    if rung.offset <= 0 and at > deadline:
        at = datetime.combine(calendar.shift(on, -1), reminder, deadline.tzinfo)
    return Step(_name(rung.offset), at, rung.light, rung.to)


def _repeats(
    rung: Rung,
    last: Step | None,
    deadline: datetime,
    calendar: WorkCalendar,
    reminder: time,
    since: datetime | None,
) -> Iterator[Step]:
    assert rung.every is not None and last is not None  # noqa: S101, PT018 - the model says so
    day, zone = deadline.date(), deadline.tzinfo
    first = max(int(last.name), 0) + rung.every
    if since is not None:
        passed = calendar.count(day, since.date()) - first
        first += max(passed // rung.every - 1, 0) * rung.every
    for offset in count(first, rung.every):  # pragma: no branch - it has no end
        at = datetime.combine(calendar.shift(day, offset), reminder, zone)
        yield Step(_name(offset), at, rung.light, rung.to)


def _name(offset: int) -> str:
    return f"{offset:+d}" if offset else "0"


def steps_until(
    rungs: tuple[Rung, ...],
    deadline: datetime,
    calendar: WorkCalendar,
    reminder: time,
    until: datetime,
) -> list[Step]:
    """All fixed steps, and the repeated ones that are not after `until`."""
    fixed = sum(r.every is None for r in rungs)
    found: list[Step] = []
    for step in climb(rungs, deadline, calendar, reminder):
        if len(found) >= fixed and step.at > until:
            break
        found.append(step)
    return found


def decide(
    steps: Iterator[Step],
    issued: Mapping[Audience, datetime],
    warned: datetime | None,
    now: datetime,
    calendar: WorkCalendar,
    hours: Hours,
    hold: datetime | None = None,
) -> Decision:
    """Which rungs count now.

    `steps` come from `climb`; `issued` gives for each audience the time of the latest step that
    was issued for the present deadline; `warned` the time of the latest step about which the
    section's reminder was accepted before `notice_cutoff(now)`. `now` is aware, in the plan's
    zone. With `hold` no official is told before then, whatever is due: an answer may lie unread.
    """
    due, following = _split(steps, now)
    issue: list[tuple[Audience, Step]] = []
    overtaken: list[tuple[Audience, Step]] = []
    held: list[tuple[Audience, Step]] = []
    fair: bool | None = None
    for audience, fresh in _fresh(due, issued).items():
        if audience is not Audience.SECTION:
            fair = _fair(due, warned, now, calendar, hours) if fair is None else fair
            if hold is not None or not fair:
                held.append((audience, fresh[-1]))
                continue
        issue.append((audience, fresh[-1]))
        overtaken.extend((audience, s) for s in fresh[:-1])
    next_at = following.at if following else None
    if held:
        again = hold or next_morning(now, calendar, hours)
        next_at = again if next_at is None else min(again, next_at)
    return Decision(
        issue=tuple(issue), overtaken=tuple(overtaken), held=tuple(held), next_at=next_at
    )


def _fresh(due: list[Step], issued: Mapping[Audience, datetime]) -> dict[Audience, list[Step]]:
    """For each audience the due steps that are later than what was issued to it, if any."""
    fresh: dict[Audience, list[Step]] = {}
    for audience in _AUDIENCES:
        last = issued.get(audience)
        mine = [s for s in due if (last is None or s.at > last) and audience in s.audience]
        if mine:
            fresh[audience] = mine
    return fresh


def _split(steps: Iterator[Step], now: datetime) -> tuple[list[Step], Step | None]:
    due: list[Step] = []
    for step in steps:
        if step.at > now:
            return due, step
        due.append(step)
    return due, None


def _fair(
    due: list[Step],
    warned: datetime | None,
    now: datetime,
    calendar: WorkCalendar,
    hours: Hours,
) -> bool:
    """Whether the section got, in time, the reminder that it should have had by then.

    That is the latest of its rungs that came due at least `min_notice` working days ago: after an
    outage or a deadline moved earlier an older reminder is not enough, and the section is told
    first. With a `min_notice` of 0 the rungs of this very moment do not count: section and official
    may hear at once, whether the clock is looked at on the stroke of the hour or a second later.
    """
    cutoff = notice_cutoff(now, calendar, hours)
    if hours.min_notice == 0:
        cutoff = due[-1].at
    owed = [s.at for s in due if Audience.SECTION in s.audience and s.at < cutoff]
    return bool(owed) and warned is not None and warned >= owed[-1]


def notice_cutoff(now: datetime, calendar: WorkCalendar, hours: Hours) -> datetime:
    """A reminder accepted before this instant has given `min_notice` by `now`.

    Working days are counted as days: what was accepted at any hour of Monday has by Tuesday's rung
    given one working day. With a `min_notice` of 0 it is `now` itself.
    """
    if hours.min_notice == 0:
        return now
    day = calendar.shift(now.date(), -hours.min_notice) + timedelta(days=1)
    return datetime.combine(day, time(), now.tzinfo)


def open_now(now: datetime, calendar: WorkCalendar, hours: Hours) -> bool:
    """Whether letters may go out: on a working day within the office's hours."""
    return calendar.is_working(now.date()) and hours.opens <= now.time() < hours.closes


def next_opening(now: datetime, calendar: WorkCalendar, hours: Hours) -> datetime:
    """`now` if letters may go out, else the next time that they may."""
    if open_now(now, calendar, hours):
        return now
    if calendar.is_working(now.date()) and now.time() < hours.opens:
        return datetime.combine(now.date(), hours.opens, now.tzinfo)
    return datetime.combine(calendar.shift(now.date(), 1), hours.opens, now.tzinfo)


def next_morning(now: datetime, calendar: WorkCalendar, hours: Hours) -> datetime:
    """The reminders' hour of the first working day after `now`'s."""
    return datetime.combine(calendar.shift(now.date(), 1), hours.reminder, now.tzinfo)
