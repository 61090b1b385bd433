"""The line that a clerk reads first: several obligations in one sentence, the most urgent named."""

from __future__ import annotations

from datetime import datetime

from config.model import Kind
from duban.facts import DigestFacts, ItemFacts
from mailroom.groups import Items, by_section, standing_counts, worst_first
from mailroom.words import clock, day, due, left, plain_day, short_name

_NAMED_MAX = 14


def reminder(items: Items, now: datetime) -> str:
    """`3月专报 3月24日（周五）截止，还剩2个工作日`; of several one is named, the rest counted."""
    first = items[0]
    if len(items) == 1:
        return f"{short_name(first, now)} {due(first, now)}"
    overdue = [i for i in items if i.overdue]
    if overdue:
        return _late(overdue, len(items) - len(overdue), now)
    soonest = min(items, key=lambda i: i.deadline)
    counted = f"{short_name(soonest, now)}等{len(items)}项"
    if len({i.deadline.date() for i in items}) == 1:
        return f"{counted} {due(soonest, now)}"
    return f"{counted}将到期，最近一项{due(soonest, now)}"


def _late(overdue: list[ItemFacts], coming: int, now: datetime) -> str:
    worst = worst_first(overdue)[0]
    more = f"、{coming}项将到期" if coming else ""
    said = f"{len(overdue)}项逾期{more}：{short_name(worst, now)}等"
    if len(overdue) == 1:
        return f"1项逾期{more}：{short_name(worst, now)}{left(worst, now)}"
    return f"{said}，最长{left(worst, now)}"


def escalation(items: Items, now: datetime) -> str:
    """`财务科6月月报 6月25日（周日）截止，逾期1个工作日`; several sections are counted."""
    groups = by_section(items)
    worst = groups[0].items[0]
    named = f"{worst.section}{short_name(worst, now)}"
    if len(items) == 1:
        return f"{named} {due(worst, now)}"
    if len(groups) == 1:
        return f"{worst.section}{_late(list(items), 0, now)}"
    said = named if len(named) <= _NAMED_MAX else worst.section
    return f"{len(groups)}个科室{len(items)}项逾期，最长{left(worst, now)}（{said}）"


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
