"""How the plans of a ledger stand: counts, the queue, and what wants a hand. Only reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from duban.standings import Standing, State, standing
from jobs import stuck
from jobs.outcome import FIRST_BACKOFF
from jobs.stuck import NONE, Listed
from jobs.trouble import ALARM_AFTER, BARRED, TROUBLE, is_whole
from ledger import mails, plans
from ledger.damage import sound
from ledger.tables import LetterState, letter, obligation, plan
from mailroom.words import answer

TICK = "tick"
"""The mark that the daemon sets whenever it has looked."""

JUMP = "clock.jump"
"""The mark of the clock's last jump: `at`, `seconds`, and `until` when officials wait."""

REFUSED = "plan refused: "
"""With a plan's id, the mark of files that do not count: `since`, `problems`, `count`."""

_ENDED = (LetterState.SENT.value, LetterState.WITHDRAWN.value, LetterState.FAILED.value)

_Marks = dict[str, tuple[Any, datetime]]
_Lists = tuple[dict[int, Listed], dict[int, Listed]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan's files do not count and the plan before them goes on; the first few problems."""

    since: datetime
    count: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatus:
    """One plan: how many obligations stand where, and its letters. Instants are UTC.

    `standings` has every standing; `waiting` counts the letters not yet sent, `oldest` is when the
    first of them was written, None too where a damaged row does not say; `retried` wait for
    another attempt, `failed` were given up.
    """

    key: str
    title: str
    born_at: datetime
    standings: dict[Standing, int]
    provisional: int
    waiting: int
    oldest: datetime | None
    retried: Listed = NONE
    failed: Listed = NONE
    refused: Refusal | None = None

    @property
    def owed(self) -> int:
        """How many obligations sections have still to hand in, overdue ones included."""
        return sum(
            self.standings[s] for s in (Standing.PENDING, Standing.OVERDUE, Standing.RETURNED)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxStatus:
    """The mailbox: when it was last read, why it cannot be, what waits, what comes back.

    `returned` are the addresses whose letters came back, each with when and what was said.
    """

    read_at: datetime | None = None
    trouble_since: datetime | None = None
    trouble: str = ""
    waiting: int = 0
    returned: tuple[tuple[str, datetime, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole ledger: its plans, the daemon's last tick, the relay's trouble if it has any."""

    plans: tuple[PlanStatus, ...]
    last_tick: datetime | None
    trouble_since: datetime | None
    trouble: str = field(default="")
    barred_until: datetime | None = None
    """When the relay is tried again, which refuses the login or the encryption."""
    doubted_until: datetime | None = None
    """Officials are not told before: the machine's clock jumped."""
    mailbox: MailboxStatus = field(default_factory=lambda: MailboxStatus())

    @property
    def trouble_said(self) -> str:
        """What came of the last attempt, in Chinese."""
        return answer(self.trouble)

    def alarming(self, now: datetime) -> bool:
        """Whether no letter has got through for so long that somebody should look."""
        return self.trouble_since is not None and now - self.trouble_since > ALARM_AFTER


def status(connection: Connection, now: datetime, keys: Iterable[str] | None = None) -> Status:
    """How all plans stand at `now`, or those with `keys`."""
    wanted = None if keys is None else set(keys)
    rows = connection.execute(select(plan).order_by(plan.c.key)).all()
    marks = plans.marks(connection)
    trouble = marks.get(TROUBLE, (None, now))[0]
    if trouble and not is_whole(trouble):
        trouble = None  # one mailbox that refuses or defers: its letter says so
    barred = marks.get(BARRED, (None, now))[0] if trouble else None
    again = datetime.fromisoformat(barred) if barred else now
    tick = marks.get(TICK)
    jumped = marks.get(JUMP)
    doubted = datetime.fromisoformat(jumped[0]["until"]) if jumped else now
    lists = stuck.retried(connection), stuck.failed(connection, now)
    return Status(
        plans=tuple(
            _plan_status(connection, row, now, marks, lists)
            for row in rows
            if wanted is None or row.key in wanted
        ),
        last_tick=tick[1] if tick else None,
        trouble_since=datetime.fromisoformat(trouble["since"]) if trouble else None,
        trouble=trouble["reply"] if trouble else "",
        barred_until=again if now < again <= now + FIRST_BACKOFF else None,
        doubted_until=doubted if jumped and jumped[1] <= now < doubted else None,
        mailbox=_mailbox(connection, marks),
    )


def _mailbox(connection: Connection, marks: _Marks) -> MailboxStatus:
    read = marks.get(mails.READ, (None, None))[0]
    trouble = marks.get(mails.TROUBLE, (None, None))[0]
    return MailboxStatus(
        read_at=datetime.fromisoformat(read) if read else None,
        trouble_since=datetime.fromisoformat(trouble["since"]) if trouble else None,
        trouble=trouble["reason"] if trouble else "",
        waiting=mails.waiting(connection),
        returned=tuple(
            (row.address, row.since, row.said)
            for row in mails.marked_addresses(connection).values()
        ),
    )


def letters_ended(connection: Connection) -> dict[tuple[str, str], int]:
    """How many letters of a kind came to an end, by kind and state; of all plans together."""
    rows = connection.execute(
        select(letter.c.kind, letter.c.state, func.count().label("n"))
        .where(letter.c.state.in_(_ENDED))
        .group_by(letter.c.kind, letter.c.state)
    )
    return {(row.kind, row.state): row.n for row in rows}


def _plan_status(
    connection: Connection, row: Row[Any], now: datetime, marks: _Marks, lists: _Lists
) -> PlanStatus:
    retried, failed = lists
    waiting = connection.execute(
        select(func.count().label("n"), func.min(letter.c.created_at).label("oldest")).where(
            letter.c.plan_id == row.id, letter.c.due_at.is_not(None)
        )
    ).one()
    provisional = connection.execute(
        select(func.count()).where(
            obligation.c.plan_id == row.id,
            obligation.c.provisional,
            obligation.c.state.in_([s.value for s in State if s.owed]),
        )
    ).scalar_one()
    return PlanStatus(
        key=row.key,
        title=row.title,
        born_at=row.born_at,
        standings=_standings(connection, row.id, now),
        provisional=provisional,
        waiting=waiting.n,
        oldest=sound(waiting.oldest),
        retried=retried.get(row.id, NONE),
        failed=failed.get(row.id, NONE),
        refused=_refusal(marks.get(f"{REFUSED}{row.key}", (None, now))[0]),
    )


def _refusal(known: dict[str, Any] | None) -> Refusal | None:
    if not known:
        return None
    since = datetime.fromisoformat(known["since"])
    return Refusal(since, known["count"], tuple(known["problems"]))


def _standings(connection: Connection, plan_id: int, now: datetime) -> dict[Standing, int]:
    """How many obligations stand where; counted by the database, whatever their number."""
    overdue = (obligation.c.deadline < now).label("overdue")
    rows = connection.execute(
        select(obligation.c.state, obligation.c.late, overdue, func.count().label("n"))
        .where(obligation.c.plan_id == plan_id)
        .group_by(obligation.c.state, obligation.c.late, overdue)
    )
    counts = dict.fromkeys(Standing, 0)
    for row in rows:
        # any deadline on the right side of now gives the right standing
        deadline = datetime.min.replace(tzinfo=now.tzinfo) if row.overdue else now
        counts[standing(State(row.state), deadline, row.late, now)] += row.n
    return counts
