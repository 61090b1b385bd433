"""From the plan to obligations: who owes what, for which period, by which instant.

nominal date (the plan's own words) -> working day -> the office's overrides -> deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from config.model import Adjust, Item, Kind, Milestone, Override, Project, Rule
from config.periods import nominal_dates
from config.plan import Plan, deadline_time, kind_of
from duban.calendar import WorkCalendar

_AGENDA_MARGIN = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One section owes one thing for one period by one deadline.

    `nominal` is the date in the plan, `adjusted` the working day that it falls on, `deadline` the
    aware instant (in the plan's zone) after the `overrides` were applied in their order. `exempt`
    is the reason where nothing is owed. `posts` are the leading officials' posts, the nearest
    first.
    """

    key: str
    kind: Kind
    item: Item
    period: str
    section: str
    posts: tuple[str, ...]
    nominal: date
    adjusted: date
    deadline: datetime
    provisional: bool
    exempt: str | None = None
    overrides: tuple[Override, ...] = ()
    to_confirm: tuple[str, ...] = ()


def key_of(item: str, period: str, section: str) -> str:
    """The key of an obligation: `ITEM/PERIOD/SECTION`."""
    return f"{item}/{period}/{section}"


def expand(plan: Plan, calendar: WorkCalendar, until: date) -> list[Obligation]:
    """All obligations of a plan whose nominal date is not after `until`, exempt ones included.

    In the order of item, period and section as the plan states them. Raises KeyError only for a
    plan whose references were not checked.
    """
    decisions = _decisions(plan)
    found: list[Obligation] = []
    for item in plan.items.values():
        owed_by = [(section, leading_posts(plan, item, section)) for section in owing(plan, item)]
        for period, nominal in _occurrences(plan, item, until):
            made = _obligations(plan, calendar, item, period, nominal, owed_by)
            ruled = decisions.get((item.id, period))
            found.extend(_decide(plan, made, ruled) if ruled else made)
    return found


def agenda(plan: Plan, calendar: WorkCalendar, first: date, last: date) -> list[Obligation]:
    """The obligations whose deadline lies on a day from `first` to `last`, the earliest first."""
    return sorted(
        (
            o
            for o in expand(plan, calendar, last + _AGENDA_MARGIN)
            if first <= o.deadline.date() <= last
        ),
        key=lambda o: (o.deadline, o.nominal),
    )


def owing(plan: Plan, item: Item) -> tuple[str, ...]:
    """The sections that owe an item, by their short names, before any override."""
    match item:
        case Rule(sections="all"):
            out = {plan.office.name, *(plan.section(n).name for n in item.excluding)}
            return tuple(s.name for s in plan.file.sections if s.name not in out)
        case Project():
            names: Iterable[str] = (lead.section for lead in item.leads)
        case Rule() | Milestone():
            names = item.sections or (plan.office.name,)
        case _:  # pragma: no cover - the union of items is closed
            raise TypeError(type(item))
    return tuple(dict.fromkeys(plan.section(n).name for n in names))


def leading_posts(plan: Plan, item: Item, section: str) -> tuple[str, ...]:
    """The posts that lead an item for a section, the nearest first.

    A project's own leads count first, paired with the section where they are; else the section's
    leading official.
    """
    project = item if isinstance(item, Project) else None
    if isinstance(item, Milestone) and item.project is not None:
        found = plan.items[item.project]
        project = found if isinstance(found, Project) else None
    if project is not None:
        mine = [x for x in project.leads if plan.section(x.section).name == section]
        leads = mine or project.leads
        return tuple(dict.fromkeys(plan.official(x.official).post for x in leads))
    return (plan.leader(plan.section(section))[0].post,)


def periods(plan: Plan, item: Item, until: date) -> list[str]:
    """The periods of an item up to `until`, in order."""
    return [period for period, _ in _occurrences(plan, item, until)]


def _occurrences(plan: Plan, item: Item, until: date) -> list[tuple[str, date]]:
    years = range(plan.about.starts.year, until.year + 1)
    found = nominal_dates(item, plan.about, years)
    return [(period, nominal) for period, nominal in found if nominal <= until]


def _obligations(
    plan: Plan,
    calendar: WorkCalendar,
    item: Item,
    period: str,
    nominal: date,
    owed_by: Iterable[tuple[str, tuple[str, ...]]],
) -> list[Obligation]:
    """One occurrence of an item for each of the sections, given with their leading posts."""
    adjusted = adjust(calendar, nominal, item.adjust)
    moved = [nominal + timedelta(days=n) for n in _between(nominal, adjusted)]
    kind, provisional = kind_of(item), any(calendar.provisional(day) for day in moved)
    deadline = datetime.combine(adjusted, deadline_time(plan, item), plan.zone)
    return [
        Obligation(
            key=key_of(item.id, period, section),
            kind=kind,
            item=item,
            period=period,
            section=section,
            posts=posts,
            nominal=nominal,
            adjusted=adjusted,
            deadline=deadline,
            provisional=provisional,
            to_confirm=item.to_confirm,
        )
        for section, posts in owed_by
    ]


def adjust(calendar: WorkCalendar, nominal: date, way: Adjust) -> date:
    """The day on which a nominal date falls due, given what a day off does to it."""
    match way:
        case Adjust.EARLIER:
            return calendar.on_or_before(nominal)
        case Adjust.LATER:
            return calendar.on_or_after(nominal)
        case Adjust.NONE:  # pragma: no branch - there is no fourth way
            return nominal


def _between(start: date, end: date) -> range:
    days = (end - start).days
    return range(days + 1) if days >= 0 else range(days, 1)


def _decisions(plan: Plan) -> dict[tuple[str, str], list[Override]]:
    found: dict[tuple[str, str], list[Override]] = {}
    for override in plan.overrides:
        found.setdefault((override.item, override.period), []).append(override)
    return found


def _decide(plan: Plan, made: list[Obligation], ruled: list[Override]) -> list[Obligation]:
    """Apply the office's decisions in their order; a later one on the same obligation wins.

    A decision for all sections passes over those who owe nothing: the exempt, and a section that
    handed the obligation on. Only a decision that names such a section makes it owe again.
    """
    present = {o.section: o for o in made}
    for override in ruled:
        named = None if override.section is None else plan.section(override.section).name
        for section in (
            [s for s in present if present[s].exempt is None] if named is None else [named]
        ):
            if section not in present:
                continue
            present[section] = _apply(plan, present[section], override)
            if override.reassign is not None:
                heir = plan.section(override.reassign).name
                present[heir] = _handed_over(plan, present[section], heir)
    return list(present.values())


def _apply(plan: Plan, obligation: Obligation, override: Override) -> Obligation:
    overrides = (*obligation.overrides, override)
    if override.deadline is not None:
        deadline = instant(plan, obligation.item, override.deadline)
        return replace(
            obligation, overrides=overrides, deadline=deadline, exempt=None, provisional=False
        )
    reason = override.reason
    if override.reassign is not None:
        reason = f"改由{plan.section(override.reassign).name}承办：{reason}"
    return replace(obligation, overrides=overrides, exempt=reason)


def _handed_over(plan: Plan, obligation: Obligation, heir: str) -> Obligation:
    return replace(
        obligation,
        key=key_of(obligation.item.id, obligation.period, heir),
        section=heir,
        posts=leading_posts(plan, obligation.item, heir),
        exempt=None,
    )


def instant(plan: Plan, item: Item, when: date | datetime) -> datetime:
    """An overriding deadline, aware, in the plan's zone; a bare day gets the item's hour."""
    if not isinstance(when, datetime):
        return datetime.combine(when, deadline_time(plan, item), plan.zone)
    return when.replace(tzinfo=plan.zone) if when.tzinfo is None else when.astimezone(plan.zone)
