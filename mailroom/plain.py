"""The built-in plain letter: what goes out when a template fails at run time."""

from __future__ import annotations

from html import escape

from duban.facts import ItemFacts, LetterFacts, LetterKind
from mailroom.groups import standing_counts
from mailroom.words import left, light_word, moment, name

_WHAT = {
    LetterKind.REMINDER: "应办事项提醒",
    LetterKind.ESCALATION: "逾期事项提请督促",
    LetterKind.CHANGE: "应办事项变更",
    LetterKind.RECEIPT: "收到报送",
    LetterKind.CLOSING: "督办事项办结",
    LetterKind.DIGEST: "督办日报",
    LetterKind.NOTICE: "督办通知",
}


def plain_subject(facts: LetterFacts) -> str:
    """What the letter is, and its first item."""
    mark = f"【{light_word(facts.light)}】" if facts.light else ""
    if not facts.items:
        return mark + (facts.title or _WHAT[facts.kind])
    more = f"等{len(facts.items)}项" if len(facts.items) > 1 else ""
    return f"{mark}{_WHAT[facts.kind]}：{_named(facts, facts.items[0])}{more}"


def plain_text(facts: LetterFacts) -> str:
    """All that the recipient must know, one line each."""
    lines = [f"{facts.recipient}：", "", facts.title or _WHAT[facts.kind], *facts.message]
    lines += [_line(facts, item) for item in facts.items]
    lines += [*_figures(facts), *facts.details, ""]
    if facts.link:
        lines.append(f"办理页：{facts.link}")
    lines.append(f"报送请直接回复本邮件并附上材料。联系：{facts.office} {facts.office_email}")
    lines.append(
        f"依据《{facts.plan_title}》，由督办系统代{facts.organization}{facts.office}自动发送。"
    )
    return "\n".join(lines) + "\n"


def plain_html(text: str) -> str:
    """The plain text as the simplest HTML."""
    return (
        '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>督办</title></head>'
        '<body><pre style="white-space:pre-wrap;font-size:16px">'
        f"{escape(text)}</pre></body></html>\n"
    )


def _named(facts: LetterFacts, item: ItemFacts) -> str:
    own = item.section == facts.recipient
    return ("" if own else item.section) + name(item, facts.now)


def _line(facts: LetterFacts, item: ItemFacts) -> str:
    said = [f"- {_named(facts, item)}：时限{moment(item.deadline, facts.now)}"]
    if item.exempt:
        said.append("免予办理")
    elif facts.kind in (LetterKind.REMINDER, LetterKind.ESCALATION):
        said.append(left(item, facts.now))
    if item.old_deadline:
        said.append(f"原时限{moment(item.old_deadline, facts.now)}")
    said += [s for s in (item.reason, item.number, item.standing) if s]
    return "，".join(said)


def _figures(facts: LetterFacts) -> list[str]:
    if facts.digest is None:
        return []
    d = facts.digest
    counts = "，".join(f"{what}{n}项" for what, n in (("未办结", d.open), *standing_counts(d)))
    return [counts, *d.alarms, *(_line(facts, i) for i in (*d.overdue, *d.submitted, *d.due_soon))]
