"""A plan at work: the plan with its calendar and its hours, ready for decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from config.model import Audience, Item
from config.plan import Plan
from duban.calendar import WorkCalendar
from duban.deadlines import leading_posts
from duban.ladder import Hours, Step, climb, next_opening, open_now, steps_until


@dataclass(frozen=True)
class Bureau:
    """One plan with what follows from it. Build one per loaded plan and keep it."""

    plan: Plan

    @cached_property
    def calendar(self) -> WorkCalendar:
        """The working days that the plan's office keeps."""
        return WorkCalendar(self.plan.notices)

    @cached_property
    def hours(self) -> Hours:
        """The hours that the plan's office keeps."""
        return Hours.of(self.plan)

    def local(self, instant: datetime) -> datetime:
        """An instant in the plan's zone."""
        return instant.astimezone(self.plan.zone)

    def day(self, instant: datetime) -> date:
        """The plan's day at an instant."""
        return self.local(instant).date()

    def open(self, now: datetime) -> bool:
        """Whether letters may go out at `now`."""
        return open_now(self.local(now), self.calendar, self.hours)

    def opening(self, now: datetime) -> datetime:
        """`now` if letters may go out, else the next time that they may."""
        return next_opening(self.local(now), self.calendar, self.hours)

    def reminding(self, now: datetime) -> bool:
        """Whether rungs may be issued at `now`: in office hours, from the reminders' hour on."""
        return open_now(self.local(now), self.calendar, self._reminding)

    def next_reminding(self, now: datetime) -> datetime:
        """`now` if rungs may be issued, else the next time that they may."""
        return next_opening(self.local(now), self.calendar, self._reminding)

    @cached_property
    def _reminding(self) -> Hours:
        return replace(self.hours, opens=self.hours.reminder)

    def ladder(self, item: str, deadline: datetime, until: datetime) -> list[Step]:
        """An obligation's fixed steps, and the repeated ones up to `until`."""
        rungs = self.plan.ladder(self.plan.items[item])
        return steps_until(
            rungs, self.local(deadline), self.calendar, self.hours.reminder, self.local(until)
        )

    def first_step(self, item: Item, deadline: datetime) -> datetime:
        """When an obligation is first spoken of."""
        rungs = self.plan.ladder(item)
        return next(climb(rungs, self.local(deadline), self.calendar, self.hours.reminder)).at

    def posts(self, item: str, section: str, audience: Audience) -> tuple[str, ...]:
        """The officials' posts that an audience means for one obligation; none for the section."""
        if audience is Audience.SECTION:
            return ()
        if audience is Audience.HEAD:
            return (self.plan.head.post,)
        return leading_posts(self.plan, self.plan.items[item], section)

    def days_left(self, deadline: datetime, now: datetime) -> int:
        """Working days from `now`'s day to the deadline's: 0 on the day itself, never negative."""
        return max(self.calendar.count(self.day(now), self.day(deadline)), 0)

    def days_late(self, deadline: datetime, now: datetime) -> int:
        """0 until the deadline has passed, then the working days since its day, at least 1."""
        if now <= deadline:
            return 0
        return max(self.calendar.count(self.day(deadline), self.day(now)), 1)
