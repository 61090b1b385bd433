"""An obligation's account in Chinese, the letters' language: from the rule to how it stands now.

One wording for the terminal and the pages: a story is parts with headings, and each line says what
it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from config.model import Adjust, Audience, Item, Milestone, Project, Rule
from duban.standings import State
from jobs.decided import WRITTEN, change, decision
from jobs.reasons import why
from ledger.damage import sound
from mailroom.words import answer

if TYPE_CHECKING:
    from sqlalchemy import Row

    from duban.bureau import Bureau
    from jobs.explain import Account, Fate, Rise

_WEEKDAYS: Final = "一二三四五六日"
_LIGHTS: Final = {"blue": "蓝", "yellow": "黄", "red": "红"}
_AUDIENCES: Final = {Audience.SECTION: "科室", Audience.LEADER: "分管领导", Audience.HEAD: "组长"}
_KINDS: Final = {
    "change": "时限变更函",
    "receipt": "回执",
    "closing": "办结函",
    "notice": "通知",
    "reminder": "提醒",
    "escalation": "报告",
    "digest": "每日摘要",
}
_LETTER_STATES: Final = {
    "queued": "待发",
    "claimed": "正在发送",
    "sent": "已发",
    "withdrawn": "已撤回",
    "failed": "未能送达",
}
_VIA: Final = {
    "command": "命令行",
    "script": "演练脚本",
    "link": "报送页",
    "mail": "邮件",
    "board": "网页",
}
_OUTCOMES: Final = {"accepted": "已核收", "returned": "已退回", "withdrawn": "已撤回"}
_ANSWERS: Final = {"granted": "已同意", "refused": "未同意", "replaced": "由后一次申请代替"}
_FIRST_SHOWN = 8
_LAST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a labelled fact, words of their own, or (`below`) what became of the line above.

    `folded` stands for so many moments that are left out.
    """

    text: str
    label: str = ""
    below: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A heading without its number, and what stands below it."""

    heading: str
    lines: tuple[Line, ...]


def story(bureau: Bureau, account: Account, now: datetime) -> Iterator[Part]:
    """The parts of the account; `now` is aware, in the plan's zone."""
    yield Part("依据", tuple(_origin(bureau, account)))
    yield Part("时限", tuple(_dates(bureau, account)))
    heading = "提醒" if account.row is not None else "提醒（台账尚无记录，以下为计划）"
    yield Part(heading, tuple(_ladder(bureau, account, now)))
    if account.letters:
        yield Part("其他来往函件", tuple(_letters(bureau, account)))
    yield Part("报送和现状", tuple(_end(bureau, account, now)))


def _end(bureau: Bureau, account: Account, now: datetime) -> Iterator[Line]:
    yield from _hand_ins(bureau, account)
    yield from _requests(bureau, account)
    if account.row is None and account.obligation.exempt is None:
        yield _row("现状", "没有台账，不知是否已报送" + _until_now(bureau, account, now))
    else:
        yield _row("现状", account.standing.chinese + _until_now(bureau, account, now))


def _row(label: str, text: str) -> Line:
    return Line(text, label)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d} 周{_WEEKDAYS[at.weekday()]} {at:%H:%M}"


def _origin(bureau: Bureau, account: Account) -> Iterator[Line]:
    one = account.obligation
    plan = bureau.plan
    yield _row("方案", plan.about.title)
    yield _row("规定", _rule(one.item))
    source = f"行动方案原文{one.item.source}；" if one.item.source else ""
    yield _row("出处", f"{source}{one.item.origin}")
    for post in one.posts:
        holder = plan.official(post).holder(account.deadline.date())
        yield _row("领导", f"{holder.name}（{post}）")
    for note in one.to_confirm:
        yield _row("待核定", note)


def _rule(item: Item) -> str:
    match item:
        case Rule():
            span = "".join(
                filter(
                    None, (item.since and f"，{item.since}起", item.until and f"，{item.until}止")
                )
            )
            return f"{item.label}：{_due(item)}报送{span}"
        case Milestone(month=str(month)):
            return f"月度任务：{month}，以月末为期"
        case Milestone() | Project():
            return f"{item.label}：定于{item.on}"
        case _:  # pragma: no cover - the union of items is closed
            raise TypeError(type(item))


def _due(rule: Rule) -> str:
    if rule.due.monthly is not None:
        day = "最后一天" if rule.due.monthly == "last" else f"{rule.due.monthly}日"
        return f"每月{day}"
    days = (d.split("-") for d in rule.due.yearly or ())
    return "每年" + "、".join(f"{int(m)}月{int(d)}日" for m, d in days)


def _dates(bureau: Bureau, account: Account) -> Iterator[Line]:
    one = account.obligation
    nominal = one.nominal
    yield _row("原定", f"{nominal} 周{_WEEKDAYS[nominal.weekday()]}")
    for day in account.days:
        yield _row("日历", bureau.calendar.why(day))
    if one.adjusted != nominal:
        way = "提前到前一个工作日" if one.item.adjust is Adjust.EARLIER else "顺延到后一个工作日"
        yield _row("顺移", f"逢休息日，{way}：{one.adjusted}")
    for override in one.overrides:
        yield _row("决定", decision(override))
    for event in account.changes:
        told = change(event, account.changes, one.overrides, lambda at: _moment(bureau.local(at)))
        yield _row("决定" if event.what == WRITTEN else "变更", told)
    row = account.row
    if row is not None and row.deadline != row.planned:
        yield _row("退回", f"退回时另定时限，原为{_moment(bureau.local(row.planned))}")
    doubt = "（放假安排未公布，可能变动）" if one.provisional else ""
    yield _row("时限", _moment(account.deadline) + doubt)
    if one.exempt is not None:
        yield _row("免报", one.exempt)


def _ladder(bureau: Bureau, account: Account, now: datetime) -> Iterator[Line]:
    if account.earlier:
        yield Line("改期或退回之前：")
        yield from _rises(account, account.earlier, now)
        yield Line("现行时限：")
    if not account.rises:
        yield Line("没有提醒。")
    yield from _rises(account, account.rises, now)
    every = bureau.plan.ladder(account.obligation.item)[-1].every
    if every is not None and account.rises and _owed(account):
        yield Line(f"此后每{every}个工作日一次，直至报送。")


def _owed(account: Account) -> bool:
    if account.row is None:
        return account.obligation.exempt is None
    return State(account.row.state).owed


def _rises(account: Account, rises: tuple[Rise, ...], now: datetime) -> Iterator[Line]:
    """A line for each moment, and below it one for each recipient; a long middle is folded."""
    moments = [list(group) for _, group in groupby(rises, key=lambda r: (r.round, r.at))]
    folded = range(_FIRST_SHOWN, len(moments) - _LAST_SHOWN)
    for number, moment in enumerate(moments):
        if len(folded) < 2 or number not in folded:
            yield from _moment_lines(account, moment, now)
        elif number == folded.start:
            yield Line(f"其间另有{len(folded)}次", folded=True)


def _moment_lines(account: Account, rises: list[Rise], now: datetime) -> Iterator[Line]:
    first = rises[0]
    yield Line(f"{_moment(first.at)} 【{_LIGHTS[first.light]}】{_which(first.name)}")
    for rise in rises:
        fates = [_fate(f, rise.at) + _plain(account, f.letter) for f in rise.fates] or [
            _unfulfilled(account, rise, now)
        ]
        for text in fates:
            yield Line(text, _AUDIENCES[rise.audience], below=True)


def _which(name: str) -> str:
    days = int(name)
    if not days:
        return "到期当日"
    return f"提前{-days}个工作日" if days < 0 else f"逾期{days}个工作日"


def _fate(fate: Fate, planned: datetime) -> str:
    reason = f"：{why(fate.reason)}" if fate.reason else ""
    match fate.state:
        case "sent" if fate.sent_at is not None:
            at = fate.sent_at.astimezone(planned.tzinfo)
            when = f"{at:%H:%M}" if at.date() == planned.date() else _moment(at)
            tries = f"，第{fate.attempts}次才成" if fate.attempts > 1 else ""
            to = f"{fate.recipient} <{fate.address}>"
            return f"{when}发给{to}，服务器答复“{fate.reply}”{tries}{_doubt(fate)}"
        case "queued":
            said = f"，{answer(fate.reply)}" if fate.reply else ""
            state = _LETTER_STATES.get(fate.letter_state, "待发")
            return f"致{fate.recipient}，{state}{reason or said}{_doubt(fate)}"
        case "superseded":
            return f"未另发{reason}"
        case "held":
            return f"暂缓{reason}"
        case _:
            return f"未发给{fate.recipient}{reason}{_doubt(fate)}"


def _doubt(letter: Fate | Row[Any]) -> str:
    """What is not known of a letter: whether it arrived twice, or whether it did after all."""
    if not letter.uncertain:
        return ""
    return "，可能重复一份" if letter.state == "sent" else "；对方可能已收到此函"


def _plain(account: Account, letter: int | None) -> str:
    """That a letter went out in the built-in form, and where the template failed."""
    if letter is None or letter not in account.plain:
        return ""
    place = account.plain[letter].partition(": ")[0]
    return f"；模板出错（{PurePath(place).name}），改用内置的简式函"


def _unfulfilled(account: Account, rise: Rise, now: datetime) -> str:
    row = account.row
    if row is None:
        return "届时发出" if rise.at > now else "若当时已启用，应已发出"
    if row.submitted_at is not None and not State(row.state).owed and rise.at >= row.submitted_at:
        return "已报送，不再提醒"
    if not State(row.state).owed:
        return f"{account.standing.chinese}，不提醒"
    if rise.at > now:
        return "届时发出"
    return "尚未处理，等待督办程序下次巡查"


def _letters(bureau: Bureau, account: Account) -> Iterator[Line]:
    for row in account.letters:
        at = sound(row.sent_at) or sound(row.created_at)
        when = f"{_moment(bureau.local(at))} " if at else ""
        who = row.recipient or row.name
        address = f" <{row.address}>" if row.address else ""
        reason = row.reply or row.reason or ""
        said = f"，{why(reason)}" if reason else ""
        state = _LETTER_STATES[row.state]
        doubt = _doubt(row) + _plain(account, row.id)
        yield Line(f"{when}{_KINDS[row.kind]}，致{who}{address}，{state}{said}{doubt}")


def _hand_ins(bureau: Bureau, account: Account) -> Iterator[Line]:
    if account.row is not None and not account.submissions:
        yield _row("报送", "尚无")
    for row in account.submissions:
        late = "，迟报" if row.late else ""
        note = f"，{row.note}" if row.note else ""
        at = _moment(bureau.local(row.at))
        yield _row(
            "报送", f"{at} {row.by}（{_VIA.get(row.via, row.via)}），{row.number}{late}{note}"
        )
        if row.outcome is not None:
            why = f"，{row.reason}" if row.reason else ""
            decided = _moment(bureau.local(row.decided_at))
            yield Line(f"{decided} {row.decided_by}：{_OUTCOMES[row.outcome]}{why}", below=True)


def _requests(bureau: Bureau, account: Account) -> Iterator[Line]:
    for row in account.requests:
        asked = f"{_moment(bureau.local(row.at))} {row.by}，延至{row.wished}：{row.reason}"
        yield _row("申请", asked)
        if row.outcome is not None:
            why = f"，{row.answer}" if row.answer else ""
            decided = f"{_moment(bureau.local(row.decided_at))} {row.decided_by}"
            yield Line(f"{decided}：{_ANSWERS[row.outcome]}{why}", below=True)


def _until_now(bureau: Bureau, account: Account, now: datetime) -> str:
    if not _owed(account):
        return ""
    late = bureau.days_late(account.deadline, now)
    if late:
        return f"，时限已过{late}个工作日（截至{_moment(now)}）"
    return f"，还有{bureau.days_left(account.deadline, now)}个工作日（截至{_moment(now)}）"
