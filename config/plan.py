"""A loaded plan: the files' values together, with the look-ups that everything else needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from config.holidays import Notice
from config.model import (
    DEFAULT_LADDERS,
    About,
    Holder,
    Item,
    Kind,
    Milestone,
    Official,
    Override,
    PlanFile,
    Project,
    Rule,
    Rung,
    Section,
)


@dataclass(frozen=True)
class Plan:
    """A plan that was loaded whole and whose references all hold.

    `notices` maps a year to the holiday notice that the office pasted for it. `digest` changes
    when any of the plan's files does; `bound` keeps which post a name of an official means.
    Look-ups raise KeyError for a name that the plan does not know.
    """

    file: PlanFile
    overrides: tuple[Override, ...] = ()
    notices: Mapping[int, Notice] = field(default_factory=dict)
    digest: str = ""
    bound: Mapping[str, str] | None = None

    @property
    def about(self) -> About:
        """The head of the plan."""
        return self.file.about

    @property
    def id(self) -> str:
        """The plan's id, unique in a ledger."""
        return self.about.id

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone in which the plan's days and hours are meant."""
        return ZoneInfo(self.about.timezone)

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Rules, milestones and projects by their id."""
        file = self.file
        return {i.id: i for i in (*file.rules, *file.milestones, *file.projects)}

    @cached_property
    def _sections(self) -> Mapping[str, Section]:
        found: dict[str, Section] = {}
        for section in self.file.sections:
            for name in (*section.aliases, section.full_name, section.name):
                if name is not None:
                    found[name] = section
        return found

    def section(self, name: str) -> Section:
        """The section of that name, full name or alias."""
        return self._sections[name]

    @cached_property
    def office(self) -> Section:
        """The section that runs the plan."""
        return self.section(self.about.office)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The post that each holder's name means: as the files were loaded, whoever came since."""
        if self.bound is not None:
            return self.bound
        found: dict[str, str] = {}
        for official in self.file.officials:
            for holder in official.holders:
                found.setdefault(holder.name, official.post)
        return found

    @cached_property
    def _officials(self) -> Mapping[str, Official]:
        posts = {o.post: o for o in self.file.officials}
        return {name: posts[post] for name, post in self._names.items()} | posts

    def official(self, reference: str) -> Official:
        """The post of that name, or the post that a person of that name holds or has held."""
        return self._officials[reference]

    def post_named(self, reference: str) -> Official:
        """The post meant by its name, a holder's, its title, a part of that, or its role.

        Raises KeyError with a message where none or several could be meant.
        """
        if reference in self._officials:
            return self._officials[reference]
        meant = [o for o in self.file.officials if reference in _callings(o)]
        if len(meant) == 1:
            return meant[0]
        posts = "; ".join(o.post for o in meant or self.file.officials)
        raise KeyError(f"{reference!r} does not name one post: {posts}")

    @cached_property
    def head(self) -> Official:
        """The post of the head of the leading group."""
        return self.official(self.about.head)

    def mailbox(self, section: Section) -> str:
        """The address for a section's letters: its own, or the office's where it stands in."""
        return section.email or self.section(section.stand_in or self.about.office).email or ""

    def senders(self, section: Section) -> frozenset[str]:
        """The addresses from which a section's answers are believed, in lower case."""
        return frozenset(a.lower() for a in (self.mailbox(section), *section.also_from) if a)

    def leader(self, section: Section) -> tuple[Official, bool]:
        """A section's leading official, and whether the plan says so.

        Its own `leader`, else the one official who leads all its projects; failing both, the head
        of the group, as a guess that the office should confirm.
        """
        if section.leader is not None:
            return self.official(section.leader), True
        posts = {
            self.official(lead.official).post
            for project in self.projects_of(section)
            for lead in project.leads
            if self.section(lead.section) is section
        }
        return (self.official(posts.pop()), True) if len(posts) == 1 else (self.head, False)

    @cached_property
    def _projects(self) -> Mapping[str, tuple[Project, ...]]:
        found: dict[str, dict[str, Project]] = {}
        for project in self.file.projects:
            for lead in project.leads:
                found.setdefault(self.section(lead.section).name, {})[project.id] = project
        return {name: tuple(projects.values()) for name, projects in found.items()}

    def projects_of(self, section: Section) -> tuple[Project, ...]:
        """The projects that a section leads, in the plan's order."""
        return self._projects.get(section.name, ())

    def ladder(self, item: Item) -> tuple[Rung, ...]:
        """The ladder that an item climbs: its own choice, or the plan's or the built-in default."""
        name = item.ladder or kind_of(item)
        return self.file.ladders.get(name) or DEFAULT_LADDERS[name]

    def with_overrides(self, *more: Override) -> Plan:
        """The same plan with further decisions of the office."""
        return replace(
            self, overrides=(*self.overrides, *more), digest=_chained(self.digest, repr(more))
        )

    def with_holder(self, reference: str, holder: Holder) -> Plan:
        """The same plan with a successor in a post."""
        old = self.post_named(reference)
        new = old.model_copy(update={"holders": (*old.holders, holder)})
        officials = tuple(new if o is old else o for o in self.file.officials)
        file = self.file.model_copy(update={"officials": officials})
        return replace(self, file=file, bound=self._names)


def _callings(official: Official) -> tuple[str | None, ...]:
    title = official.title or ""
    return (official.role, official.title, *title.split("、"))


def _chained(digest: str, more: str) -> str:
    return sha256(f"{digest}\n{more}".encode()).hexdigest()


def kind_of(item: Item) -> Kind:
    """What kind of obligation an item makes."""
    match item:
        case Rule():
            return Kind.REPORT
        case Milestone():
            return Kind.MILESTONE
        case _:
            return Kind.PROJECT


def deadline_time(plan: Plan, item: Item) -> time:
    """The hour at which an item is due, in the plan's zone."""
    return item.time or plan.about.deadline_time
