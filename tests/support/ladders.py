"""Ladders, deadlines and instants for Hypothesis, and a section's history under `decide`.

`History` is the ledger's part in small: it remembers per audience the latest rung that was issued,
and which reminders to the section the relay accepted, and when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from config.model import DEFAULT_LADDERS, Audience, Light, Rung
from duban.calendar import WorkCalendar
from duban.ladder import Decision, Hours, Step, climb, decide, notice_cutoff

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar()
NINE = time(9)
HOURS = Hours(time(8), time(18), NINE, 1)
REPORT = DEFAULT_LADDERS["report"]
DAY = timedelta(days=1)

Call = tuple[Audience, Step]


def at(text: str) -> datetime:
    """`2023-03-24 17:30` as an instant in the plan's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def working_days_after(first: date, last: date) -> int:
    """The working days in (first, last], one by one."""
    days = (last - first).days
    return sum(CALENDAR.is_working(first + DAY * n) for n in range(1, days + 1))


@st.composite
def ladders(draw: st.DrawFn, *, endless: bool | None = None) -> tuple[Rung, ...]:
    """Any ladder that a plan may state; with a repeating last rung or not, or either."""
    offsets = sorted(draw(st.sets(st.integers(-12, 12), min_size=1, max_size=6)))
    audiences = st.lists(st.sampled_from(Audience), min_size=1, max_size=3, unique=True)
    lights = st.sampled_from(Light)
    rungs = [
        Rung(
            before=-n if n <= 0 else None,
            after=n if n > 0 else None,
            light=draw(lights),
            to=tuple(draw(audiences)),
        )
        for n in offsets
    ]
    if draw(st.booleans()) if endless is None else endless:
        every, light = draw(st.integers(1, 7)), draw(lights)
        rungs.append(Rung(every=every, light=light, to=tuple(draw(audiences))))
    return tuple(rungs)


deadlines = st.builds(
    datetime.combine,
    st.dates(date(2020, 1, 1), date(2060, 12, 31)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.just(ZONE),
)
"""Any deadline: on days off and at night as well, since the office may set one there."""

reminder_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
hours = st.builds(Hours, st.just(time(8)), st.just(time(18)), st.just(NINE), st.integers(0, 4))


@st.composite
def instants(draw: st.DrawFn, deadline: datetime, most: int = 8) -> list[datetime]:
    """Some instants about a deadline, in order: from before any rung to long after it."""
    minutes = draw(st.lists(st.integers(-60 * 24 * 30, 60 * 24 * 45), min_size=1, max_size=most))
    return sorted(deadline + timedelta(minutes=m) for m in minutes)


def first_steps(rungs: tuple[Rung, ...], deadline: datetime, most: int = 12) -> list[Step]:
    """The first steps of a ladder at nine o'clock."""
    return list(islice(climb(rungs, deadline, CALENDAR, NINE), most))


@dataclass
class History:
    """One obligation under `decide`, from its first tick on."""

    rungs: tuple[Rung, ...]
    deadline: datetime
    hours: Hours = HOURS
    issued: dict[Audience, datetime] = field(default_factory=dict)
    accepted: list[tuple[datetime, Step]] = field(default_factory=list)
    letters: list[tuple[datetime, Audience, Step]] = field(default_factory=list)
    overtaken: list[Call] = field(default_factory=list)

    def warned(self, now: datetime) -> datetime | None:
        """The latest of the section's rungs whose reminder was accepted early enough."""
        cutoff = notice_cutoff(now, CALENDAR, self.hours)
        return max((s.at for when, s in self.accepted if when < cutoff), default=None)

    def tick(self, now: datetime, *, relay_up: bool = True) -> Decision:
        """Decide at `now` and do what was decided; the relay accepts at once, or never."""
        steps = climb(self.rungs, self.deadline, CALENDAR, self.hours.reminder)
        made = decide(steps, self.issued, self.warned(now), now, CALENDAR, self.hours)
        for audience, step in made.issue:
            self.issued[audience] = step.at
            self.letters.append((now, audience, step))
            if audience is Audience.SECTION and relay_up:
                self.accepted.append((now, step))
        self.overtaken.extend(made.overtaken)
        return made

    def run(self, instants: Iterable[datetime]) -> History:
        """Tick at each of the instants."""
        for now in instants:
            self.tick(now)
        return self

    def spoken(self, audience: Audience) -> list[Step]:
        """The rungs that were issued for an audience or overtaken, in the order of time."""
        issued = [s for _, a, s in self.letters if a is audience]
        overtaken = [s for a, s in self.overtaken if a is audience]
        return sorted([*issued, *overtaken], key=lambda s: (s.at, int(s.name)))
