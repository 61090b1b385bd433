"""The plan as values: everything that an office may write in `plan.yaml` and `overrides.yaml`.

All models are frozen and refuse unknown keys. Dates are plain dates in the plan's time zone; times
of day are wall-clock times in it. Cross references (a section's name, an official's post) are
checked by `config.references`, not here, so that each is reported at its own line and column.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from config.fields import (
    Day,
    Email,
    Hours,
    Id,
    Instant,
    Line,
    Month,
    MonthDay,
    Name,
    Names,
    Notes,
    OneOrMore,
    Truth,
    WallTime,
    WorkingDays,
    listed,
)
from config.problems import MisplacedError
from config.scalars import check_zone


class Light(StrEnum):
    """How pressing an obligation is; the order of `rank` is the order of urgency."""

    BLUE = "blue"
    YELLOW = "yellow"
    RED = "red"

    @property
    def rank(self) -> int:
        """0 for blue up to 2 for red."""
        return ("blue", "yellow", "red").index(self.value)


class Audience(StrEnum):
    """Whom a rung addresses: the section, its leading officials, the head of the group."""

    SECTION = "section"
    LEADER = "leader"
    HEAD = "head"


class Kind(StrEnum):
    """What an obligation comes from."""

    REPORT = "report"
    MILESTONE = "milestone"
    PROJECT = "project"


class _Stated(BaseModel):
    """Something written in a file; `origin` says where, as `plan.yaml:12`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    _origin: str = PrivateAttr(default="")

    @property
    def origin(self) -> str:
        """`file:line` of the entry, or an empty string for one that no file states."""
        return self._origin


class Noted(_Stated):
    """An entry with its line in the source document and what the office has still to confirm."""

    source: Line | None = Field(default=None, description="where the source says so, e.g. L40")
    to_confirm: Notes = Field(default=(), description="decisions that the office should confirm")


class Rung(_Stated):
    """One step: `before` or `after` so many working days, or `every` so many at the end."""

    before: WorkingDays | None = None
    after: Annotated[int, Field(ge=1, le=250)] | None = None
    every: Annotated[int, Field(ge=1, le=250)] | None = None
    light: Light
    to: Annotated[tuple[Audience, ...], Field(min_length=1), BeforeValidator(listed), OneOrMore()]

    @model_validator(mode="after")
    def _one_offset(self) -> Self:
        given = [n for n in ("before", "after", "every") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("a rung needs exactly one of 'before', 'after' and 'every'")
        return self

    @property
    def offset(self) -> int:
        """Working days from the deadline's day: negative before, 0 on it, positive after."""
        if self.before is not None:
            return -self.before
        return self.after or 0


def _in_order(rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
    if all(r.every is not None for r in rungs):
        raise ValueError("a ladder needs at least one rung 'before' or 'after' the deadline")
    for index, rung in enumerate(rungs):
        if rung.every is not None and index < len(rungs) - 1:
            raise MisplacedError(
                "'every' may stand only on the last rung of a ladder", index, "every"
            )
        if index and rung.every is None and rung.offset <= rungs[index - 1].offset:
            message = "the rungs of a ladder go from the earliest to the latest, each day once"
            raise MisplacedError(message, index)
    return rungs


Ladder = Annotated[tuple[Rung, ...], Field(min_length=1), AfterValidator(_in_order)]
"""The rungs of one kind of obligation, from the earliest to the latest."""


class Holder(_Stated):
    """Who holds a post, from a day on (from the beginning where `from` is left out)."""

    name: Name
    email: Email
    since: Day | None = Field(default=None, alias="from")


class Official(Noted):
    """A post among the leading officials and those who have held it, the earliest first."""

    post: Name = Field(description="the post's own name, unique in the plan")
    title: Line | None = Field(default=None, description="the title as the source gives it")
    role: Line | None = Field(default=None, description="the part in the leading group, e.g. 组长")
    holders: Annotated[tuple[Holder, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _succession(self) -> Self:
        for index, (before, holder) in enumerate(pairwise(self.holders), 1):
            if holder.since is None:
                message = "each holder but the first needs 'from', the day of taking over"
                raise MisplacedError(message, "holders", index)
            if before.since is not None and holder.since <= before.since:
                message = "the holders of a post must be in the order of their days"
                raise MisplacedError(message, "holders", index, "from")
        return self

    def holder(self, day: date) -> Holder:
        """Who holds the post on `day` (a day of the plan's time zone)."""
        held = [h for h in self.holders if h.since is None or h.since <= day]
        return held[-1] if held else self.holders[0]


class Head(_Stated):
    """The head of a section, as letters to officials name them."""

    name: Name
    title: Line | None = None


class Section(Noted):
    """A unit that owes reports: one mailbox, a head, a leading official."""

    name: Name = Field(description="the short name, used in keys and letters")
    full_name: Line | None = None
    aliases: Names = ()
    head: Head | None = None
    email: Email | None = None
    also_from: Annotated[tuple[Email, ...], BeforeValidator(listed), OneOrMore()] = Field(
        default=(), description="other addresses from which the section may answer by mail"
    )
    stand_in: Name | None = Field(
        default=None, description="the office, where the section has no mailbox of its own"
    )
    leader: Name | None = Field(
        default=None, description="the leading official: a post or the name of a holder"
    )


class Due(_Stated):
    """When a rule falls due: `monthly` on a day, or `yearly` on one or more days."""

    monthly: int | Literal["last"] | None = Field(
        default=None, description="day of the month, or 'last'; 31 is clamped to a month's end"
    )
    yearly: Annotated[tuple[MonthDay, ...], BeforeValidator(listed), OneOrMore()] | None = Field(
        default=None, description="days of the year as MM-DD; 02-29 is clamped to the 28th"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.monthly is None) == (self.yearly is None):
            raise ValueError("'due' needs exactly one of 'monthly' and 'yearly'")
        if isinstance(self.monthly, int) and not 1 <= self.monthly <= 31:
            raise MisplacedError("'monthly' is a day from 1 to 31, or 'last'", "monthly")
        if self.yearly is not None and len(set(self.yearly)) != max(len(self.yearly), 1):
            raise MisplacedError("'yearly' needs at least one day, and each only once", "yearly")
        return self


class Adjust(StrEnum):
    """Where a nominal date on a day off moves: to the working day before, after, or nowhere."""

    EARLIER = "earlier"
    LATER = "later"
    NONE = "none"


class Item(Noted):
    """What rules, milestones and projects have in common."""

    id: Id
    title: Line
    short_title: Line | None = Field(default=None, description="for the subject of a letter")
    contents: Names = Field(default=(), description="what the report must contain")
    ladder: Name | None = Field(default=None, description="a ladder's name, if not the default")
    adjust: Adjust = Adjust.EARLIER
    time: WallTime | None = Field(default=None, description="the hour, if not the plan's")

    @property
    def label(self) -> str:
        """The short title, or the title."""
        return self.short_title or self.title


class Rule(Item):
    """A recurring duty of sections: monthly, special, half-year or annual report."""

    due: Due
    since: Month | None = Field(default=None, alias="from", description="first period, YYYY-MM")
    until: Month | None = Field(default=None, description="last period, YYYY-MM")
    sections: Literal["all"] | Names = Field(
        default="all", description="'all' is every section but the office"
    )
    excluding: Names = Field(default=(), description="sections that 'all' does not mean")


class Milestone(Item):
    """A one-off duty of a month, or of a day in it."""

    month: Month | None = Field(default=None, description="due at the end of this month")
    on: Day | None = Field(default=None, description="the day, where the source names one")
    sections: Names = Field(default=(), description="who owes it; the office where none is given")
    project: Id | None = Field(default=None, description="the project that it belongs to")

    @model_validator(mode="after")
    def _one_date(self) -> Self:
        if (self.month is None) == (self.on is None):
            raise ValueError("a milestone needs exactly one of 'month' and 'on'")
        return self


class Lead(_Stated):
    """One lead of a project: an official (post or holder's name) and a section."""

    official: Name
    section: Name


class Project(Item):
    """A key project; without `on` it is context of its sections' reports and owes nothing."""

    leads: Annotated[tuple[Lead, ...], Field(min_length=1)]
    on: Day | None = Field(default=None, description="the day that it is to be finished")


class Override(_Stated):
    """The office's own decision about one obligation or a period's: exactly one of three."""

    item: Id
    period: Line = Field(description="as in the key: 2023-06 or 2023")
    section: Name | None = Field(default=None, description="only this section; all where left out")
    deadline: Instant | None = Field(default=None, description="the new day, with an hour or not")
    exempt: Truth = False
    reassign: Name | None = Field(default=None, description="the section that takes it over")
    reason: Line
    by: Line | None = None

    @model_validator(mode="after")
    def _one_decision(self) -> Self:
        if (self.deadline is not None) + self.exempt + (self.reassign is not None) != 1:
            raise ValueError("an override needs exactly one of 'deadline', 'exempt', 'reassign'")
        return self


class About(Noted):
    """The head of `plan.yaml`: what the plan is, who runs it and the hours that it keeps."""

    id: Id
    title: Line
    short_title: Line | None = None
    organization: Line
    office: Name = Field(description="the section that runs the plan and receives the reports")
    head: Name = Field(description="the head of the group: a post or the name of a holder")
    starts: Day = Field(description="the first day on which anything can be due")
    ends: Day | None = Field(default=None, description="the last day on which anything can be due")
    timezone: Annotated[str, AfterValidator(check_zone)] = "Asia/Shanghai"
    office_hours: Hours = (time(8), time(18))
    deadline_time: WallTime = time(17, 30)
    reminder_time: WallTime = time(9)
    digest_time: WallTime = time(8, 30)
    min_notice: Annotated[int, Field(ge=0, le=20)] = Field(
        default=1, description="working days between a section's reminder and an escalation"
    )
    chase_from: Day | None = Field(
        default=None,
        description="also chase what was due from this day on, before the ledger's birth",
    )

    @model_validator(mode="after")
    def _hours_hold(self) -> Self:
        opens, closes = self.office_hours
        for name in ("reminder_time", "digest_time"):
            if not opens <= getattr(self, name) < closes:
                raise MisplacedError(f"'{name}' must lie within 'office_hours'", name)
        return self


def _rung(light: Light, *to: Audience, **offset: int) -> Rung:
    return Rung(light=light, to=to, **offset)


def _default_ladder(first: int, second: int, higher: int) -> tuple[Rung, ...]:
    section, leader, head = Audience
    return (
        _rung(Light.BLUE, section, before=first),
        _rung(Light.YELLOW, section, before=second),
        _rung(Light.YELLOW, section, before=0),
        _rung(Light.RED, section, leader, after=1),
        _rung(Light.RED, section, leader, head, after=higher),
        _rung(Light.RED, section, leader, head, every=5),
    )


DEFAULT_LADDERS: dict[str, tuple[Rung, ...]] = {
    Kind.REPORT: _default_ladder(5, 2, 3),
    Kind.MILESTONE: _default_ladder(10, 3, 5),
    Kind.PROJECT: _default_ladder(10, 3, 5),
}
"""The ladders that apply where a plan defines none of that name."""


def _without_empty(value: Any) -> Any:
    """Let a list of the file be empty: `milestones:` with nothing behind it is left out."""
    if not isinstance(value, dict):
        return value
    lists = ("ladders", "rules", "milestones", "projects", "overrides")
    return {k: v for k, v in value.items() if v is not None or k not in lists}


class PlanFile(_Stated):
    """All of `plan.yaml`."""

    _empty = model_validator(mode="before")(_without_empty)

    about: About = Field(alias="plan")
    ladders: dict[Name, Ladder] = {}
    officials: Annotated[tuple[Official, ...], Field(min_length=1)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    rules: tuple[Rule, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    projects: tuple[Project, ...] = ()


class OverridesFile(_Stated):
    """All of `overrides.yaml`; an empty file states nothing."""

    _empty = model_validator(mode="before")(_without_empty)

    overrides: tuple[Override, ...] = ()
