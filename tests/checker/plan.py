"""The plan as an outsider reads it: plain YAML, every value a text, nothing from duban."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.checker.days import shift, works

SECTION, LEADER, HEAD = AUDIENCES = ("section", "leader", "head")
_ALL = list(AUDIENCES)


def _default(first: int, second: int, higher: int) -> list[dict[str, Any]]:
    return [
        {"before": first, "to": [SECTION]},
        {"before": second, "to": [SECTION]},
        {"before": 0, "to": [SECTION]},
        {"after": 1, "to": [SECTION, LEADER]},
        {"after": higher, "to": _ALL},
        {"every": 5, "to": _ALL},
    ]


LADDERS = {"report": _default(5, 2, 3), "milestone": _default(10, 3, 5)}
LADDERS["project"] = LADDERS["milestone"]


@dataclass(frozen=True)
class Duty:
    """One section owes one item for one period by `deadline`, before any decision of the office."""

    item: str
    period: str
    section: str
    deadline: datetime

    @property
    def key(self) -> str:
        """As `duban agenda` names it."""
        return f"{self.item}/{self.period}/{self.section}"


@dataclass(frozen=True)
class Rung:
    """One step of one duty's ladder: its distance in working days, its hour, whom it addresses."""

    offset: int
    at: datetime
    to: frozenset[str]


class PlanReader:
    """`plan.yaml` and `overrides.yaml` of a folder."""

    def __init__(self, folder: Path) -> None:
        self.file: dict[str, Any] = _read(folder / "plan.yaml")
        self.overrides: list[dict[str, Any]] = _read(folder / "overrides.yaml").get("overrides", [])
        about = self.file["plan"]
        self.about = about
        self.zone = ZoneInfo(about.get("timezone", "Asia/Shanghai"))
        opens, closes = about.get("office_hours", "08:00-18:00").split("-")
        self.opens, self.closes = _hour(opens), _hour(closes)
        self.reminder = _hour(about.get("reminder_time", "09:00"))
        self.min_notice = int(about.get("min_notice", 1))
        self.office = self.section(about["office"])
        self.head = self.post(about["head"])

    @cached_property
    def items(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Each item by its id: what it is (report, milestone, project), and its entry."""
        kinds = {"report": "rules", "milestone": "milestones", "project": "projects"}
        return {e["id"]: (kind, e) for kind, part in kinds.items() for e in self._part(part)}

    def _part(self, name: str) -> list[dict[str, Any]]:
        return self.file.get(name) or []

    @cached_property
    def _names(self) -> dict[str, str]:
        found = {}
        for s in self.file["sections"]:
            for name in (*_listed(s.get("aliases")), s.get("full_name"), s["name"]):
                found[name] = s["name"]
        return found

    def section(self, name: str) -> str:
        """The short name behind a name, full name or alias; the name itself if none knows it."""
        return self._names.get(name, name)

    @cached_property
    def mailboxes(self) -> dict[str, str]:
        """Each section's address: its own, or the office's where that stands in."""
        own = {s["name"]: s.get("email") for s in self.file["sections"]}
        return {name: email or own[self.office] for name, email in own.items()}

    @cached_property
    def holders(self) -> dict[str, list[tuple[date, str]]]:
        """Each post's addresses with the day that each begins."""
        return {
            o["post"]: [
                (date.fromisoformat(h.get("from", "0001-01-01")), h["email"]) for h in o["holders"]
            ]
            for o in self.file["officials"]
        }

    def post(self, name: str) -> str:
        """The post that is meant by its name, a holder's, a title or a role."""
        for told in (_called, _titled):
            meant = [o["post"] for o in self.file["officials"] if name in told(o)]
            if len(meant) == 1:
                return str(meant[0])
        raise KeyError(f"{name} names no post, or several")

    def posts(self, item: str, section: str, audience: str) -> list[str]:
        """The posts that an audience means for an item of a section."""
        if audience == HEAD:
            return [self.head]
        kind, entry = self.items[item]
        leads = entry["leads"] if kind == "project" else self._leads_of(entry.get("project"))
        if leads:
            mine = [x for x in leads if self.section(x["section"]) == section]
            return list(dict.fromkeys(self.post(x["official"]) for x in mine or leads))
        return [self._leader(section)]

    def _leads_of(self, project: str | None) -> list[dict[str, str]]:
        return self.items[project][1].get("leads", []) if project else []

    def _leader(self, section: str) -> str:
        entry = next(s for s in self.file["sections"] if s["name"] == section)
        if "leader" in entry:
            return self.post(entry["leader"])
        leads = [x for p in self._part("projects") for x in p["leads"]]
        mine = {self.post(x["official"]) for x in leads if self.section(x["section"]) == section}
        return mine.pop() if len(mine) == 1 else self.head

    def duties(self, until: date) -> Iterator[Duty]:
        """Everything that the plan's files alone make sections owe, up to a nominal day."""
        for item, (kind, entry) in self.items.items():
            for period, nominal in self._occurrences(kind, entry, until):
                for section in self._owing(kind, entry):
                    yield Duty(item, period, section, self.due(item, _adjusted(entry, nominal)))

    def due(self, item: str, when: str | date) -> datetime:
        """The instant that a day, or a day and an hour, means as a deadline of an item."""
        entry = self.items[item][1]
        hour = _hour(entry.get("time", self.about.get("deadline_time", "17:30")))
        if isinstance(when, str):
            said = datetime.fromisoformat(when)
            if len(when) > len("2023-03-25"):
                return said.astimezone(self.zone) if said.tzinfo else said.replace(tzinfo=self.zone)
            when = said.date()
        return datetime.combine(when, hour, self.zone)

    def _owing(self, kind: str, entry: dict[str, Any]) -> list[str]:
        if kind == "project":
            named = [x["section"] for x in entry["leads"]]
        elif kind == "report" and entry.get("sections", "all") == "all":
            out = {self.office, *map(self.section, _listed(entry.get("excluding")))}
            named = [s["name"] for s in self.file["sections"] if s["name"] not in out]
        else:
            named = _listed(entry.get("sections")) or [self.office]
        return list(dict.fromkeys(map(self.section, named)))

    def _occurrences(
        self, kind: str, entry: dict[str, Any], until: date
    ) -> Iterable[tuple[str, date]]:
        starts = date.fromisoformat(self.about["starts"])
        ends = date.fromisoformat(self.about.get("ends", "9999-12-31"))
        if kind == "report":
            for year in range(starts.year, until.year + 1):
                for period, day in _periods(entry["due"], year):
                    month = f"{day:%Y-%m}"
                    within = entry.get("from", "") <= month <= entry.get("until", "9999")
                    if within and starts <= day <= min(ends, until):
                        yield period, day
        elif "on" in entry:
            day = date.fromisoformat(entry["on"])
            yield f"{day:%Y-%m}", day
        elif "month" in entry:
            first = date.fromisoformat(f"{entry['month']}-01")
            yield entry["month"], _clamped(first.year, first.month, 31)

    def rungs(self, item: str, deadline: datetime, until: datetime) -> list[Rung]:
        """The ladder of one deadline: the fixed rungs, and the repeated ones up to `until`."""
        kind, entry = self.items[item]
        name = entry.get("ladder", kind)
        steps = (self.file.get("ladders") or {}).get(name) or LADDERS[name]
        found: list[Rung] = []
        for step in steps:
            to = frozenset(_listed(step["to"]))
            if "every" not in step:
                offset = -int(step["before"]) if "before" in step else int(step["after"])
                found.append(Rung(offset, self._at(deadline, offset), to))
                continue
            start, every = max(found[-1].offset, 0), int(step["every"])
            for offset in count(start + every, every):
                at = self._at(deadline, offset)
                if at > until:
                    break
                found.append(Rung(offset, at, to))
        return found

    def _at(self, deadline: datetime, offset: int) -> datetime:
        day = shift(deadline.date(), offset)
        at = datetime.combine(day, self.reminder, self.zone)
        if offset <= 0 and at > deadline:  # a reminder never comes after what it reminds of
            at = datetime.combine(shift(day, -1), self.reminder, self.zone)
        return at

    def notice_cutoff(self, wall: datetime) -> datetime:
        """A reminder accepted before this has given the section its notice by `wall`."""
        if self.min_notice == 0:
            return wall
        day = shift(wall.date(), -self.min_notice) + timedelta(days=1)
        return datetime.combine(day, time(), self.zone)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader) or {}  # noqa: S506 - texts


def _listed(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _hour(text: str) -> time:
    return time.fromisoformat(text.strip().rjust(5, "0"))


def _called(official: dict[str, Any]) -> list[str]:
    return [official["post"], *(h["name"] for h in official["holders"])]


def _titled(official: dict[str, Any]) -> list[str]:
    title = official.get("title", "")
    return [official.get("role", ""), title, *title.split("、")]


def _clamped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _periods(due: dict[str, Any], year: int) -> list[tuple[str, date]]:
    if "monthly" in due:
        day = 31 if due["monthly"] == "last" else int(due["monthly"])
        return [(f"{year}-{month:02d}", _clamped(year, month, day)) for month in range(1, 13)]
    days = [_clamped(year, *map(int, text.split("-"))) for text in _listed(due["yearly"])]
    form = "%Y" if len(days) == 1 else "%Y-%m"
    if len({day.month for day in days}) < len(days):
        form = "%Y-%m-%d"
    return [(f"{day:{form}}", day) for day in sorted(days)]


def _adjusted(entry: dict[str, Any], nominal: date) -> date:
    way = entry.get("adjust", "earlier")
    if way == "none" or works(nominal):
        return nominal
    return shift(nominal, 0 if way == "earlier" else 1)
