"""The line that a clerk reads first: several obligations in one sentence, the most urgent named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from config.model import Kind
from duban.facts import DigestFacts, ItemFacts
from mailroom.groups import Items, by_section, standing_counts, worst_first
from mailroom.words import clock, day, due, fate, plain_day, short_name

_NAMED_MAX = 14


def reminder(items: Items, now: datetime) -> str:
    """`3月专报 3月24日（周五）截止，还剩2个工作日`; of several the overdue go first."""
    return _urgent(items, now, _dated)


def escalation(items: Items, now: datetime) -> str:
    """`财务科6月月报 6月25日（周日）截止，逾期1个工作日`; several sections are counted."""
    return _urgent(items, now, _by_sections)


def _urgent(items: Items, now: datetime, say: Callable[[Items, datetime], str]) -> str:
    overdue = tuple(i for i in items if i.overdue)
    coming = len(items) - len(overdue)
    return say(overdue or items, now) + (f"，另{coming}项将到期" if overdue and coming else "")


def _by_sections(items: Items, now: datetime) -> str:
    groups = by_section(items)
    worst = groups[0].items[0]
    if len(groups) == 1:
        return worst.section + _dated(items, now)
    named = f"{worst.section}{short_name(worst, now)}"
    said = named if len(named) <= _NAMED_MAX else worst.section
    counted = f"{len(groups)}个科室{len(items)}项{fate(worst)}：{said}等"
    return f"{counted}，{_earliest(items)}{due(worst, now)}"


def _dated(items: Items, now: datetime) -> str:
    """The first due by name, with its deadline; the others counted."""
    first = worst_first(items)[0]
    named = short_name(first, now)
    if len(items) == 1:
        return f"{named} {due(first, now)}"
    earliest = _earliest(items)
    if not earliest:
        return f"{named}等{len(items)}项 {due(first, now)}"
    return f"{named}等{len(items)}项{fate(first)}，{earliest}{due(first, now)}"


def _earliest(items: Items) -> str:
    """The word before a date that is the first of several; empty where all are due on one day."""
    return "最早" if len({i.deadline.date() for i in items}) > 1 else ""


def change(items: Items, now: datetime) -> str:
    """`6月月报时限改为7月3日（周一），原为6月25日`, or who is exempt, or who takes over."""
    first = items[0]
    if len(items) > 1:
        return f"{len(items)}项应办事项有变更：{short_name(first, now)}等"
    named = short_name(first, now)
    if first.exempt:
        return f"{named}免予报送"
    if first.given_to:
        return f"{named}改由{first.given_to}办理"
    if first.taken_from:
        return f"{named}由{first.taken_from}转来，{day(first.deadline, now)}截止"
    before = f"，原为{plain_day(first.old_deadline, now)}" if first.old_deadline else ""
    return f"{named}时限改为{_new(first, now)}{before}"


def _new(item: ItemFacts, now: datetime) -> str:
    old = item.old_deadline
    same_day = old is not None and old.date() == item.deadline.date()
    return day(item.deadline, now) + (clock(item.deadline) if same_day else "")


def receipt(items: Items, now: datetime) -> str:
    """`6月月报已收到，编号…`."""
    first = items[0]
    said = f"{_counted(items, now)}已收到"
    return f"{said}，编号{first.number}" if len(items) == 1 and first.number else said


def closing(items: Items, now: datetime) -> str:
    """`财务科6月月报已补报`: nothing more to do."""
    sections = {i.section for i in items}
    who = f"{len(sections)}个科室" if len(sections) > 1 else items[0].section
    return f"{who}{_counted(items, now)}{_ended(items)}，督办结束"


def _ended(items: Items) -> str:
    if all(i.exempt for i in items):
        return "已免予报送"
    return "已补报" if all(i.kind == Kind.REPORT for i in items) else "已办结"


def _counted(items: Items, now: datetime) -> str:
    return short_name(items[0], now) if len(items) == 1 else f"{len(items)}项"


def digest(figures: DigestFacts, now: datetime) -> str:
    """`7月5日（周三）督办日报：逾期3项、近期到期5项、待核2项`."""
    counts = [*standing_counts(figures), ("异常", len(figures.alarms))]
    said = "、".join(f"{what}{n}项" for what, n in counts if n)
    return f"{day(now, now)}督办日报：{said or '无待办事项'}"
