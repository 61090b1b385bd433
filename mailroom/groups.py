"""Many obligations on one screen: by section or by duty, the worst first, the rest counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duban.facts import DigestFacts, ItemFacts, Sent
from mailroom.words import due, left, light_word, mailto, name, short_name, stamp

_LINES_MAX = 8
_NAMES_MAX = 3

Items = tuple[ItemFacts, ...]


@dataclass(frozen=True, slots=True)
class SectionItems:
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
    def sent(self) -> tuple[Sent, ...]:
        """The reminders that the section has had for any of them, the earliest first."""
        return tuple(sorted({s for i in self.items for s in i.sent}, key=lambda s: (s.at, s.light)))

    @property
    def reminded(self) -> int:
        """How often the section was reminded of the item that it was reminded of most."""
        return max(len(self.sent), *(i.reminded for i in self.items))

    @property
    def email(self) -> str:
        """The section's mailbox, or an empty string where the facts name none."""
        return self.items[0].section_email


def by_section(items: Items) -> tuple[SectionItems, ...]:
    """The items by section: the section with the longest overdue first, then the most items."""
    found: dict[str, list[ItemFacts]] = {}
    for item in items:
        found.setdefault(item.section, []).append(item)
    groups = [
        SectionItems(own[0].section, own[0].section_full, own[0].head, tuple(worst_first(own)))
        for own in found.values()
    ]
    return tuple(sorted(groups, key=lambda g: (-g.days_late, -len(g.items))))


def worst_first(items: list[ItemFacts] | Items) -> list[ItemFacts]:
    """The longest overdue first, then the earliest deadline."""
    return sorted(items, key=lambda i: (-i.days_late, i.deadline))


def overdue_count(items: Items) -> str:
    """`3个科室共7项工作`, or `1项工作` of one section."""
    sections = len({i.section for i in items})
    return f"{sections}个科室共{len(items)}项工作" if sections > 1 else f"有{len(items)}项工作"


def others(groups: tuple[SectionItems, ...]) -> str:
    """The sections that the screen has no room for: how many, which, and what they owe."""
    said = "、".join(g.section + (f"{len(g.items)}项" if len(g.items) > 1 else "") for g in groups)
    return f"另有{len(groups)}个科室共{sum(len(g.items) for g in groups)}项：{said}。"


def history(group: SectionItems, now: datetime, shown: int) -> str:
    """What of a section is not shown, and the reminders that it has had, with times."""
    more = len(group.items) - shown
    said = [f"另有{more}项"] if more > 0 else []
    sent = group.sent if shown > 1 else group.sent[-1:]
    if sent:
        latest = "最近" if group.reminded > len(sent[-_NAMES_MAX:]) else ""
        times = _times(sent[-_NAMES_MAX:], now)
        said.append(f"已提醒{group.reminded}次{'，' if latest else '：'}{latest}{times}")
    return "；".join(said)


def _times(sent: tuple[Sent, ...], now: datetime) -> str:
    return "、".join(f"{stamp(s.at, now)}（{light_word(s.light)}）" for s in sent)


def urge(group: SectionItems, office: str, office_email: str, now: datetime) -> str:
    """A link to a mail that asks a section to get on, with a copy to the office."""
    worst = group.items[0]
    what = f"{name(worst, now)}等{len(group.items)}项" if len(group.items) > 1 else name(worst, now)
    body = f"{group.section}：\n{what}已{left(worst, now)}，请抓紧办理，并将情况报{office}。"
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
    counted = zip(standing_counts(figures), lines, strict=True)
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
    return f"{item.section}：{name(item, now)}{at}{number}"


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
