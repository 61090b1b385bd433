"""What a change of the plan would come to: whose deadlines move, and who would get a letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from duban.bureau import Bureau
from duban.deadlines import Obligation, expand
from duban.facts import ItemFacts, LetterFacts, LetterKind
from duban.standings import State
from jobs.content import Content
from jobs.reconcile import Reconciled, horizon, reconcile_within
from ledger import mentions, plans
from ledger.engine import Ledger
from ledger.letters import Letter
from ledger.tables import LetterState, letter, obligation


@dataclass(frozen=True, slots=True)
class Coming:
    """A letter that would be queued, and the address that it would go to now."""

    facts: LetterFacts
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What reconciling would do. `letters` would be queued at once.

    `due` are obligations, new or moved, that a reminder is due for already: their sections would
    be reminded as soon as reminders go out.
    """

    done: Reconciled
    letters: Sequence[Coming]
    due: Sequence[ItemFacts]


class _RollBackError(Exception):
    """Ends a transaction that nothing may remain of."""


def preview(ledger: Ledger, bureau: Bureau, now: datetime) -> Preview:
    """Reconcile with a plan that does not run yet, see what comes of it, and undo all of it."""
    wanted = expand(bureau.plan, bureau.calendar, horizon(bureau.day(now)))
    try:
        with ledger.write() as connection:
            found = _tried(connection, ledger, bureau, wanted, now)
            raise _RollBackError
    except _RollBackError:
        return found


def _tried(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    wanted: list[Obligation],
    now: datetime,
) -> Preview:
    last = connection.execute(select(func.max(letter.c.id))).scalar() or 0
    done = reconcile_within(connection, ledger, bureau, wanted, now)
    plan = plans.find(connection, bureau.plan.id)
    assert plan is not None  # noqa: S101 - it was reconciled
    content = Content(connection, bureau, plan.id, now)
    return Preview(
        done=done,
        letters=_letters(connection, content, plan.id, last),
        due=_due(connection, content, plan.id, done, now),
    )


def _letters(connection: Connection, content: Content, plan_id: int, last: int) -> list[Coming]:
    """The letters queued after `last`, as they would be worded now."""
    found = connection.execute(
        select(letter)
        .where(
            letter.c.plan_id == plan_id,
            letter.c.id > last,
            letter.c.state == LetterState.QUEUED.value,
        )
        .order_by(letter.c.id)
    )
    rows = [Letter._make(row) for row in found]
    ids = [row.id for row in rows]
    mentions.drop_settled(connection, ids)
    said: dict[int, list[Row[Any]]] = {}
    for one in mentions.listed(connection, ids):
        said.setdefault(one.letter_id, []).append(one)
    coming = []
    for row in rows:
        if row.id not in said:
            continue
        try:
            facts, address = content.letter(row, said[row.id]), content.addressee(row)[2]
        except KeyError:  # the plan has no such section or post any more: it gets no letter
            continue
        coming.append(Coming(facts, address))
    return coming


def _due(
    connection: Connection, content: Content, plan_id: int, done: Reconciled, now: datetime
) -> list[ItemFacts]:
    rows = connection.execute(
        select(obligation)
        .where(
            obligation.c.plan_id == plan_id,
            obligation.c.key.in_([*done.created, *done.changed]),
            obligation.c.state.in_([s.value for s in State if s.owed]),
            obligation.c.next_action_at <= now,
        )
        .order_by(obligation.c.section, obligation.c.deadline)
    )
    return [content.item(row, LetterKind.REMINDER) for row in rows]
