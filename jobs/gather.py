"""What the office is told of letters that fail: of the first at once, then hourly of all others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.letters import Recipient
from jobs.letterbox import post
from ledger import plans
from ledger.damage import sound
from ledger.engine import Ledger
from ledger.tables import LetterState, letter

APART = timedelta(hours=1)
"""Notices of one kind to one office."""

LISTED = 30
"""So many letters are named in a notice; their number is always whole."""

FAILED = "failed_letters"
"""In the data of such a notice: a line for each letter's id, the first ones."""
COUNT = "failed_count"


class Failing(NamedTuple):
    """A way in which letters fail; `title` and `said` are of several, with their number."""

    name: str
    title: str
    said: str
    todo: str


REFUSED = Failing(
    "refused",
    "{}封函件无法送达",
    "下列{}封函件未能送达，已停止发送。",
    "请核对这些邮箱地址，并在行动方案文件中更正；在此之前，请用电话通知对方。",
)
BROKEN = Failing(
    "broken",
    "{}封函件无法生成",
    "其他函件照常发送；下列{}封每小时再试一次。",
    "请联系系统管理员，并先用电话通知对方。",
)


class Failure(NamedTuple):
    """One letter that fails: the notice that tells of it alone, and its `line` among others."""

    letter: int
    title: str
    message: list[str]
    details: list[str]
    line: str


def tell_of(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    plan_id: int,
    failing: Failing,
    one: Failure,
    now: datetime,
) -> None:
    """Tell the office of a letter that fails, with others of its kind where a notice waits."""
    key = f"office told of {failing.name}: {plan_id}"
    last = plans.hold_mark(connection, key, now)  # else two nodes would each write the first
    waiting = _waiting(connection, last["letter"]) if last else None
    if waiting is not None:
        _write(connection, waiting.id, data=_joined(waiting.data, failing, one))
        return
    due = _due(connection, last, now) if last else now
    said = {"title": one.title, "message": one.message, "details": one.details}
    data = {**said, FAILED: {str(one.letter): one.line}, COUNT: 1}
    office = Recipient(bureau.plan.office.name)
    notice = post(connection, ledger, bureau, plan_id, LetterKind.NOTICE, office, now, data=data)
    _write(connection, notice, due_at=due)
    plans.set_mark(connection, key, {"letter": notice, "due": due.isoformat()}, now)


def _waiting(connection: Connection, notice: int) -> Any:
    """The last notice, if nobody has claimed it yet: one that is being claimed is passed over."""
    row = connection.execute(
        select(letter.c.id, letter.c.data)
        .where(
            letter.c.id == notice,
            letter.c.state == LetterState.QUEUED.value,
            letter.c.attempts == 0,
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return row if row is not None and FAILED in (row.data or {}) else None


def _due(connection: Connection, last: dict[str, Any], now: datetime) -> datetime:
    """An hour after the last notice left, or was to leave; now, if that is past."""
    row = connection.execute(
        select(letter.c.due_at, letter.c.sent_at).where(letter.c.id == last["letter"])
    ).one()
    if row.due_at is not None:  # it is on its way
        return now + APART
    left = sound(row.sent_at) or datetime.fromisoformat(last["due"])
    return max(now, min(left, now) + APART)  # the clock may have been set back


def _joined(data: dict[str, Any], failing: Failing, one: Failure) -> dict[str, Any]:
    count, lines = data[COUNT] + 1, data[FAILED]
    if len(lines) < LISTED:
        lines = lines | {str(one.letter): one.line}
    more = count - len(lines)
    return {
        "title": failing.title.format(count),
        "message": [failing.said.format(count), failing.todo],
        "details": [*lines.values(), *([f"另有{more}封，详见各事项的办理经过"] if more else [])],
        FAILED: lines,
        COUNT: count,
    }


def _write(connection: Connection, notice: int, **values: Any) -> None:
    connection.execute(update(letter).where(letter.c.id == notice).values(**values))
