"""What was done, in the office's words: to who did it, and to who comes second."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from duban.bureau import Bureau
from ledger.events import DAEMON
from mailroom import words

_DEEDS: Final = {
    "submission.received": "登记报送",
    "submission.withdrawn": "撤回报送",
    "submission.accepted": "核收",
    "submission.returned": "退回",
    "extension.requested": "申请延期",
    "extension.granted": "同意延期",
    "extension.refused": "不同意延期",
    "override.written": "批准免报",
    "deadline.changed": "更改时限",
    "obligation.exempted": "按方案免报",
    "obligation.dropped": "按方案撤销",
}
_FOLLOWS: Final = {
    "submission.received": "提醒已停，回执将发到科室邮箱。",
    "submission.withdrawn": "此事项恢复为未报送，提醒照常。",
    "submission.returned": "退回原因和新的时限将函告科室。",
    "extension.granted": "已写入方案，片刻后生效，并函告科室。",
    "extension.refused": "时限不变，原因将函告科室。",
    "override.written": "已写入方案，片刻后生效，并函告科室。",
}


def deed_word(done: Row[Any]) -> str:
    """`核收`: an event of `ledger.events.DEEDS` in a word or two."""
    if done.what == "override.written" and "deadline" in (done.data or {}):
        return "延期"
    return _DEEDS[done.what]


def done_by_you(done: Row[Any], called: str, bureau: Bureau, now: datetime) -> str:
    """`3月17日 09:00已核收：财务科 3月专报。`, and what follows from it."""
    at = words.stamp(bureau.local(done.at), now)
    return f"{at} 已{deed_word(done)}：{called}。{_FOLLOWS.get(done.what, '')}"


def came_first(done: Row[Any], you: str | None, bureau: Bureau, now: datetime) -> str:
    """Why a form was not taken: what has been done since its page was opened, and by whom."""
    at = words.stamp(bureau.local(done.at), now)
    if done.who == you:
        return f"您已于{at}{deed_word(done)}，这次没有重复办理。现在的情况如下。"
    who = "督办程序" if done.who == DAEMON else done.who
    return f"{who}已于{at}{deed_word(done)}，您这次的操作没有登记。请看现在的情况，再作决定。"
