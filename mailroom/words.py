"""How values read in Chinese: days, lights, items, what is left until a deadline.

All functions are pure; `now` is the letter's own time, in the plan's zone like every datetime here.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

from config.model import Kind, Light
from duban.facts import ItemFacts

_WEEKDAYS = "一二三四五六日"
_LIGHTS = {Light.BLUE: "蓝", Light.YELLOW: "黄", Light.RED: "红"}
_STATES = {Light.BLUE: "提前提醒", Light.YELLOW: "即将到期", Light.RED: "已经逾期"}
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?")
_MONTH_FIRST = re.compile(r"\d{1,2}月|\d{4}年")
_TITLE_CHARACTERS = 22


def light_word(light: Light | None) -> str:
    """One character for a light; green is what is done and needs no more."""
    return _LIGHTS[light] if light else "绿"


def state(items: tuple[ItemFacts, ...], now: datetime) -> str:
    """How pressing a reminder is, in four characters: the most urgent item's state."""
    first = items[0]
    if not first.overdue and first.deadline.date() == now.date():
        return "今天截止"
    return _STATES[first.light]


_OURS = (
    (re.compile(r"connection failed \(connect\): (.*)"), "连不上邮件服务器：{}"),
    (re.compile(r"connection failed \(\w+\): (.*)"), "与邮件服务器的连接中断：{}"),
    (re.compile(r"no answer in time \((\w+)\)"), "邮件服务器迟迟没有应答（{}）"),
    (re.compile(r"TLS failed: (.*)"), "与邮件服务器的加密连接失败：{}"),
    (re.compile(r"(?:\d{3} )?login refused: (.*)"), "邮件服务器不接受用户名或密码，答复“{}”"),
)
"""What `mailroom.replies` says by itself, with the server's code in front where it gave one."""


def answer(reply: str) -> str:
    """What came of an attempt to send: a server's answer is quoted, what we found is told."""
    for said, told in _OURS:
        if found := said.fullmatch(reply):
            return told.format(found[1])
    return f"服务器答复“{reply}”"


def day(value: date, now: datetime) -> str:
    """`3月24日（周五）`, with the year where it is not the letter's own."""
    return _day(value.year, value.month, value.day, now.year)


@lru_cache(maxsize=1024)
def _day(year: int, month: int, number: int, this_year: int) -> str:
    """By its numbers: moments of two zones may be equal and of different days."""
    value = date(year, month, number)
    return f"{_plain_day(value, this_year)}（周{_WEEKDAYS[value.weekday()]}）"


def plain_day(value: date, now: datetime) -> str:
    """`3月24日`, with the year where it is not the letter's own."""
    return _plain_day(value, now.year)


def _plain_day(value: date, this_year: int) -> str:
    year = "" if value.year == this_year else f"{value.year}年"
    return f"{year}{value.month}月{value.day}日"


def clock(value: datetime) -> str:
    """`09:05`: hour and minute of a moment."""
    return f"{value.hour:02}:{value.minute:02}"


def moment(value: datetime, now: datetime) -> str:
    """`3月24日（周五）17:30`."""
    return day(value, now) + clock(value)


def stamp(value: datetime, now: datetime) -> str:
    """`3月24日 09:00`: a moment in a list, without the weekday."""
    return f"{plain_day(value, now)} {clock(value)}"


class Named(Protocol):
    """What a name is made of."""

    @property
    def kind(self) -> str:
        """The kind of item (config.model.Kind)."""

    @property
    def label(self) -> str:
        """The item's short title."""

    @property
    def period(self) -> str:
        """The period, as in the key."""


def name(item: Named, now: datetime) -> str:
    """What an obligation is called: `3月专报`, `半年总结`, a milestone's own title."""
    return _name(item.label, item.period, now.year) if item.kind == Kind.REPORT else item.label


@lru_cache(maxsize=1024)
def _name(label: str, written: str, this_year: int) -> str:
    period = _PERIOD.fullmatch(written)
    if not period or _MONTH_FIRST.match(label):
        return label
    year, month = period.groups()
    said = "" if int(year) == this_year else f"{year}年"
    return f"{said}{int(month)}月{label}" if month else f"{said}{label}"


def short_name(item: ItemFacts, now: datetime) -> str:
    """The name, cut where it is too long for a subject."""
    full = name(item, now)
    return full if len(full) <= _TITLE_CHARACTERS else full[: _TITLE_CHARACTERS - 1] + "…"


def left(item: ItemFacts, now: datetime) -> str:
    """What is left: `逾期3个工作日`, `今天17:30截止`, `还剩2个工作日`.

    An office may set a deadline on a day off; then no working day is left though it is not the day.
    """
    if item.overdue:
        return f"逾期{item.days_late}个工作日"
    if item.deadline.date() == now.date():
        return f"今天{clock(item.deadline)}截止"
    if item.days_left == 0:
        return "今天是截止前最后一个工作日"
    return f"还剩{item.days_left}个工作日"


def fate(item: ItemFacts) -> str:
    """Whether a deadline has passed, of several that are counted: `逾期`, `将到期`."""
    return "逾期" if item.overdue else "将到期"


def due(item: ItemFacts, now: datetime) -> str:
    """The deadline and what is left, for a subject: `3月24日（周五）截止，还剩2个工作日`."""
    on = day(item.deadline, now)
    if not item.overdue and item.deadline.date() == now.date():
        return f"{on}{left(item, now)}"
    return f"{on}截止，{left(item, now)}"


def when(item: ItemFacts, now: datetime) -> str:
    """The deadline in the body of a letter, beside what is left."""
    if item.overdue:
        return f"{day(item.deadline, now)}到期"
    if item.deadline.date() == now.date():
        return day(item.deadline, now)
    return f"{moment(item.deadline, now)}截止"


def moved(item: ItemFacts, now: datetime) -> str:
    """The plan's own date, where it is still to come and the deadline is another day; else empty.

    A milestone of a month is due at its end: then the plan names no day that could have moved.
    """
    if item.overdue or item.nominal == item.deadline.date():
        return ""
    if item.kind != Kind.REPORT and (item.nominal + timedelta(days=1)).day == 1:
        return ""
    return f"方案原定{day(item.nominal, now)}"


def verb(item: ItemFacts) -> str:
    """What is done with an obligation: a report is sent in, other things are finished."""
    return "报送" if item.kind == Kind.REPORT else "办结"


def ended(item: ItemFacts, now: datetime) -> str:
    """How an obligation came to its end: `已于6月30日（周五）10:12报送（迟报）`."""
    if item.exempt:
        return f"已免予{verb(item)}"
    at = f"于{moment(item.submitted_at, now)}" if item.submitted_at else ""
    standing = f"（{item.standing}）" if item.standing else ""
    return f"已{at}{verb(item)}{standing}"


def notes(item: ItemFacts, now: datetime) -> tuple[str, ...]:
    """What else a clerk should know about an item, in a few words each."""
    said = []
    if item.provisional:
        said.append("放假安排未公布，时限暂定")
    if away := moved(item, now):
        said.append(away)
    if item.project:
        said.append(f"所属专项：{item.project}")
    if item.reason:
        said.append(item.reason)
    return tuple(said)


def coming(milestones: tuple[tuple[str, date], ...], now: datetime) -> tuple[str, ...]:
    """A section's milestones that are still to come: `3月31日（周五）前：召开会议`."""
    return tuple(f"{day(d, now)}前：{title}" for title, d in milestones if d >= now.date())


@lru_cache(maxsize=1024)
def mailto(address: str, subject: str, body: str = "", cc: str = "") -> str:
    """A `mailto:` link (RFC 6068) with subject, text and copy filled in."""
    fields = {"cc": cc, "subject": subject, "body": body}
    query = "&".join(f"{k}={quote(v, safe='@')}" for k, v in fields.items() if v)
    return f"mailto:{quote(address, safe='@+')}?{query}"


def asked(items: tuple[ItemFacts, ...]) -> str:
    """What to hand in for these items, each part once: `工作进展、存在问题、下一步工作计划`."""
    parts = dict.fromkeys(part for item in items for part in (item.contents or (_default(item),)))
    return "、".join(parts)


def _default(item: ItemFacts) -> str:
    return item.title if item.kind == Kind.REPORT else "完成情况"
