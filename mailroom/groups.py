"""Many obligations on one screen: by section or by duty, the worst first, the rest counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from duban.facts import DigestFacts, ItemFacts
from mailroom.words import due, fate, left, light_word, mailto, name, short_name, stamp

_LINES_MAX = 8
_NAMES_MAX = 3
_TIMES_MAX = 4
LONG_WAIT_DAYS = 3
"""Working days after which a hand-in that nobody accepted is marked."""

Items = tuple[ItemFacts, ...]


class SectionItems(NamedTuple):
    """One section's obligations in a letter to an official, the longest overdue first."""

    section: str
    full: str
    head: str
    items: Items

    @property
    def days_late(self) -> int:
        """Working days of the longest overdue."""
        return max(i.days_late for i in self.items)

    @property
    def email(self) -> str:
        """The section's mailbox, or an empty string where the facts name none."""
        return self.items[0].section_email


def by_section(items: Items) -> tuple[SectionItems, ...]:
    """The items by section: the longest overdue first, then the earliest, then the most items."""
    found: dict[str, list[ItemFacts]] = {}
    for item in items:
        found.setdefault(item.section, []).append(item)
    groups = [
        SectionItems(own[0].section, own[0].section_full, own[0].head, tuple(worst_first(own)))
        for own in found.values()
    ]
    return tuple(sorted(groups, key=_urgency))


def _urgency(group: SectionItems) -> tuple[int, date, int]:
    return -group.days_late, group.items[0].deadline.date(), -len(group.items)


def worst_first(items: Sequence[ItemFacts]) -> list[ItemFacts]:
    """The longest overdue first, then the earliest deadline."""
    return sorted(items, key=lambda i: (-i.days_late, i.deadline))


def tally(items: Items) -> str:
    """`3个科室共7项工作逾期`, or `有3项工作，其中1项逾期` of one section."""
    sections = len({i.section for i in items})
    counted = f"{sections}个科室共{len(items)}项工作" if sections > 1 else f"有{len(items)}项工作"
    overdue = sum(i.overdue for i in items)
    if 0 < overdue < len(items):
        return f"{counted}，其中{overdue}项逾期"
    return counted + fate(items[0])


def others(groups: tuple[SectionItems, ...]) -> str:
    """The sections that the screen has no room for: how many, which, and what they owe."""
    said = "、".join(g.section + (f"{len(g.items)}项" if len(g.items) > 1 else "") for g in groups)
    return f"另有{len(groups)}个科室共{sum(len(g.items) for g in groups)}项：{said}。"


def history(group: SectionItems, now: datetime, shown: int) -> str:
    """How often the section was reminded of its worst item, and when; empty if never.

    Where the screen has room for all of one section's items, the last reminders are listed;
    where it shows one item of each section, what is not shown is counted on the same line.
    """
    worst = group.items[0]
    said = [_last_reminders(worst, now) if len(group.items) <= shown > 1 else _reminded(worst, now)]
    if shown == 1:
        said.append(rest(group, shown))
    return "；".join(s for s in said if s)


def rest(group: SectionItems, shown: int) -> str:
    """`另有3项`: how many of the section's items are not shown; empty if none."""
    more = len(group.items) - shown
    return f"另有{more}项" if more > 0 else ""


def _reminded(item: ItemFacts, now: datetime) -> str:
    if not item.sent:
        return ""
    return f"已提醒{item.reminded}次，最近{stamp(item.sent[-1].at, now)}"


def _last_reminders(item: ItemFacts, now: datetime) -> str:
    if not item.sent:
        return ""
    last = item.sent[-_TIMES_MAX:]
    some = f"，最近{len(last)}次" if item.reminded > len(last) else ""
    times = "、".join(f"{stamp(s.at, now)}（{light_word(s.light)}）" for s in last)
    return f"已提醒{item.reminded}次{some}：{times}"


def urge(group: SectionItems, office: str, office_email: str, now: datetime) -> str:
    """A link to a mail that asks a section to get on, with a copy to the office."""
    worst, more = group.items[0], rest(group, 1)
    what = f"{name(worst, now)}等{len(group.items)}项" if more else name(worst, now)
    stands = f"{name(worst, now)}{'已' if worst.overdue else ''}{left(worst, now)}"
    said = "，".join(s for s in (stands, more) if s)
    body = f"{group.section}：\n{said}，请抓紧办理，并将情况报{office}。"
    copy = office_email if group.email else ""
    return mailto(group.email or office_email, f"请抓紧办理：{what}", body, copy)


def standing_counts(figures: DigestFacts) -> tuple[tuple[str, int], ...]:
    """How many are overdue, to be checked and due soon: of all, where the lists hold only some."""
    return (
        ("逾期", max(figures.overdue_count, len(figures.overdue))),
        ("待核", max(figures.submitted_count, len(figures.submitted))),
        ("近期到期", max(figures.due_soon_count, len(figures.due_soon))),
    )


def attention(figures: DigestFacts, now: datetime) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the office should look at: a heading and its lines for each group of the digest."""
    lines = (
        [(_section_line(g, now), len(g.items)) for g in by_section(figures.overdue)],
        [(_submitted_line(i, now), 1) for i in figures.submitted],
        _duties(figures.due_soon, now),
    )
    counted = (
        *zip(standing_counts(figures), lines, strict=True),
        (("申请延期", len(figures.requests)), [(line, 1) for line in figures.requests]),
    )
    return tuple((f"{what}（{count}项）", _bounded(own, count)) for (what, count), own in counted)


def _bounded(lines: list[tuple[str, int]], count: int) -> tuple[str, ...]:
    """The first lines, each with the number of items it tells of, and how many are left out."""
    shown = lines[:_LINES_MAX]
    more = count - sum(items for _, items in shown)
    return (*(line for line, _ in shown), *([f"另有{more}项"] if more > 0 else []))


def _section_line(group: SectionItems, now: datetime) -> str:
    names = [short_name(i, now) for i in group.items]
    many = len(names) > _NAMES_MAX
    said = "、".join(names[:_NAMES_MAX]) + (f"等{len(names)}项" if many else "")
    longest = "最长" if len(names) > 1 else ""
    return f"{group.section}：{said}，{longest}{left(group.items[0], now)}"


def _submitted_line(item: ItemFacts, now: datetime) -> str:
    at = f"，{stamp(item.submitted_at, now)}收到" if item.submitted_at else ""
    number = f"，编号{item.number}" if item.number else ""
    bare = "，仅有说明，无附件" if item.bare else ""
    waited = f"，已待核{item.waited}个工作日" if item.waited >= LONG_WAIT_DAYS else ""
    return f"{item.section}：{name(item, now)}{at}{number}{bare}{waited}"


def _duties(items: Items, now: datetime) -> list[tuple[str, int]]:
    """One line for each duty that several sections owe by the same deadline."""
    found: dict[tuple[str, datetime], list[ItemFacts]] = {}
    for item in sorted(items, key=lambda i: i.deadline):
        found.setdefault((name(item, now), item.deadline), []).append(item)
    return [
        (f"{what}：{due(own[0], now)}（{_sections(own)}）", len(own))
        for (what, _), own in found.items()
    ]


def _sections(items: list[ItemFacts]) -> str:
    named = "、".join(i.section for i in items[:_NAMES_MAX])
    return named if len(items) <= _NAMES_MAX else f"{named}等{len(items)}个科室"
