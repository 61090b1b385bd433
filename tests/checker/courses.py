"""The course of every obligation: how it stood and by when it was due, at each instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.checker.history import Deed, Watch
from tests.checker.plan import PlanReader

OWED, HANDED_IN, EXEMPT, BEFORE = "owed", "handed in", "exempt", "before duban's time"
_HORIZON = timedelta(days=396)


@dataclass(frozen=True)
class Epoch:
    """From `start` on: how it stands; `round` counts new deadlines and returns, `touched` all."""

    start: datetime
    stands: str
    deadline: datetime
    round: int
    touched: int


@dataclass
class Course:
    """One obligation through time."""

    key: str
    epochs: list[Epoch] = field(default_factory=list)

    def at(self, when: datetime) -> Epoch | None:
        """How it was at an instant; None before it existed."""
        index = bisect_right(self.epochs, when, key=lambda e: e.start) - 1
        return self.epochs[index] if index >= 0 else None

    def near(self, when: datetime, slack: timedelta) -> list[Epoch]:
        """How it was at an instant and during `slack` before it."""
        return [e for e, end in self._spans(when) if e.start <= when and end > when - slack]

    def owed(self, last: datetime) -> Iterator[tuple[Epoch, datetime]]:
        """Each time in which it was owed by one deadline: its first epoch and its end."""
        spans = self._spans(last)
        while spans:
            first, end = spans.pop(0)
            while spans and (spans[0][0].stands, spans[0][0].round) == (first.stands, first.round):
                end = spans.pop(0)[1]
            if first.stands == OWED and end > first.start:
                yield first, end

    def _spans(self, last: datetime) -> list[tuple[Epoch, datetime]]:
        ends = [e.start for e in self.epochs[1:]] + [max(last, self.epochs[-1].start) + _TICK]
        return list(zip(self.epochs, ends, strict=True))


_TICK = timedelta(seconds=1)


@dataclass(frozen=True)
class _State:
    planned: datetime
    deadline: datetime
    exempt: bool = False
    handed: bool = False
    before: bool = False
    round: int = 0
    touched: int = 0
    decided: tuple[int, ...] = ()

    @property
    def stands(self) -> str:
        if self.handed:
            return HANDED_IN
        return EXEMPT if self.exempt else BEFORE if self.before else OWED


@dataclass(frozen=True)
class _Ruled:
    """What the files say of one section's obligation now."""

    deadline: datetime
    exempt: bool
    decided: tuple[int, ...] = ()


class Docket:
    """Follows the deeds and writes the courses."""

    def __init__(
        self, plan: PlanReader, deeds: list[Deed], watch: Watch, first: datetime, last: datetime
    ) -> None:
        self.plan, self.first = plan, first
        self.born = watch.up_from(first) or first
        self.decisions: list[dict[str, Any]] = list(plan.overrides)
        self.base: dict[tuple[str, str], dict[str, datetime]] = {}
        for duty in plan.duties((last + _HORIZON).date()):
            self.base.setdefault((duty.item, duty.period), {})[duty.section] = duty.deadline
        self.states: dict[str, _State] = {}
        self.courses: dict[str, Course] = {}
        self.taken: list[tuple[datetime, str]] = []
        for item, period in self.base:
            self._rule(item, period, self.first)
        for at, deed in sorted(_effective(deeds, watch), key=lambda pair: pair[0]):
            self._follow(deed, max(at, first))

    def _follow(self, deed: Deed, at: datetime) -> None:
        item, period, section = self._named(deed)
        if deed.do in ("override", "exempt"):
            self.decisions.append(deed.what | {"item": item, "period": period, "section": section})
            self._rule(item, period, at)
            return
        for key in [k for k in self.states if _matches(k, item, period, section)]:
            self._act(deed, key, at)

    def _named(self, deed: Deed) -> tuple[str, str, str | None]:
        what = deed.what
        item, period, section = what.get("item"), what.get("period"), what.get("section")
        if "key" in what:
            item, period, section = (*what["key"].split("/"), None)[:3]
        return str(item), str(period), section and self.plan.section(section)

    def _act(self, deed: Deed, key: str, at: datetime) -> None:
        old = self.states[key]
        if deed.do == "return":
            if old.handed:
                limit = deed.what.get("deadline")
                due = old.deadline if limit is None else self.plan.due(key.split("/")[0], limit)
                new = replace(old, handed=False, before=False, deadline=due)
                self._write(key, replace(new, round=old.round + 1, touched=old.touched + 1), at)
        elif not old.handed and ("refused" in deed.what or not old.exempt):
            self.taken.append((at, key))
            self._write(key, replace(old, handed=True), at)

    def _rule(self, item: str, period: str, at: datetime) -> None:
        ruled = self._ruled(item, period)
        for section, now in ruled.items():
            key = f"{item}/{period}/{section}"
            old = self.states.get(key)
            self._write(key, self._born(now) if old is None else self._ruled_anew(old, now), at)

    def _ruled(self, item: str, period: str) -> dict[str, _Ruled]:
        """The office's decisions in their order; one for all passes over who owes nothing."""
        found = {s: _Ruled(due, False) for s, due in self.base.get((item, period), {}).items()}
        for number, made in enumerate(self.decisions):
            if (made["item"], made["period"]) != (item, period):
                continue
            named = made.get("section") and self.plan.section(made["section"])
            for section in [named] if named else [s for s in found if not found[s].exempt]:
                if section not in found:
                    continue
                old = found[section]
                decided = (*old.decided, number)
                if made.get("deadline"):
                    due = self.plan.due(item, made["deadline"])
                    found[section] = _Ruled(due, False, decided)
                    continue
                found[section] = _Ruled(old.deadline, True, decided)
                if made.get("reassign"):
                    heir = self.plan.section(made["reassign"])
                    found[heir] = _Ruled(old.deadline, False, decided)
        return found

    def _born(self, now: _Ruled) -> _State:
        before = now.deadline < self.born and not self._chased(now)
        return _State(now.deadline, now.deadline, now.exempt, before=before, decided=now.decided)

    def _chased(self, now: _Ruled) -> bool:
        since: str = self.plan.about.get("chase_from", "9999-12-31")
        return f"{now.deadline:%Y-%m-%d}" >= since

    def _ruled_anew(self, old: _State, now: _Ruled) -> _State:
        new = replace(old, decided=now.decided, touched=old.touched + (old.decided != now.decided))
        if now.exempt:
            return replace(new, exempt=True)
        anew = old.decided != now.decided and old.deadline != now.deadline
        if not (old.planned != now.deadline or old.exempt or anew):
            return new
        before = (old.before or old.exempt) and self._born(now).before
        moved = replace(new, planned=now.deadline, deadline=now.deadline, exempt=False)
        return replace(moved, before=before, round=old.round + 1)

    def _write(self, key: str, new: _State, at: datetime) -> None:
        if self.states.get(key) == new:
            return
        self.states[key] = new
        course = self.courses.setdefault(key, Course(key))
        course.epochs.append(Epoch(at, new.stands, new.deadline, new.round, new.touched))


def _effective(deeds: list[Deed], watch: Watch) -> Iterator[tuple[datetime, Deed]]:
    """Deeds with the time from which they count: files are read when the daemon is up."""
    for deed in deeds:
        if deed.what.get("refused"):
            continue
        if deed.do in ("override", "exempt"):
            at = watch.up_from(deed.at)
            if at is not None:
                yield at, deed
        elif deed.do in ("submit", "accept", "return"):
            yield deed.at, deed


def _matches(key: str, item: str, period: str, section: str | None) -> bool:
    found = key.split("/")
    return found[:2] == [item, period] and section in (None, found[2])


class Seats:
    """Who held which post, by the plan and by the history's successions."""

    def __init__(self, plan: PlanReader, deeds: list[Deed]) -> None:
        self.plan = plan
        self.succeeded = [
            (d.at, plan.post(d.what["post"]), d.what["email"])
            for d in deeds
            if d.do == "holder" and not d.what.get("refused")
        ]

    def address(self, post: str, at: datetime, wall: datetime) -> str:
        """The address of whoever holds a post at an instant."""
        held = [email for day, email in self.plan.holders[post] if day <= wall.date()]
        found = held[-1] if held else self.plan.holders[post][0][1]
        for when, succeeded, email in self.succeeded:
            if succeeded == post and when <= at:
                found = email
        return found.lower()
