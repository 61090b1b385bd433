"""Everything about one obligation: why this mail, and why then? Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from config.model import Audience
from duban.bureau import Bureau
from duban.deadlines import Obligation, expand
from duban.standings import Standing, State, standing
from jobs.decided import WRITTEN
from jobs.extensions import of_obligations
from jobs.marking import TEMPLATE_FAILED
from jobs.reconcile import horizon
from jobs.remind import HELD
from ledger import obligations, plans
from ledger.tables import MentionState, event, letter, mention, submission

_CHANGES = ("deadline.changed", "obligation.exempted", "obligation.dropped", WRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one rung for one recipient. `state` is a MentionState's, or `held`.

    `recipient` and `address` are those that the letter was made out to; the rest is the letter's.
    """

    recipient: str
    state: str
    reason: str = ""
    address: str = ""
    letter_state: str = ""
    sent_at: datetime | None = None
    reply: str = ""
    subject: str = ""
    message_id: str = ""
    attempts: int = 0
    uncertain: bool = False
    letter: int | None = None


_Held = Mapping[tuple[Any, ...], Fate]
"""What waits, by its round, rung, audience and the rung's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """One rung for one audience: when it was planned, and what became of it (nothing yet: empty).

    `round` counts the deadlines: a rung of an earlier round belongs to an earlier deadline.
    """

    name: str
    at: datetime
    light: str
    audience: Audience
    round: int
    fates: tuple[Fate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The whole account of one obligation. Instants are aware; days are the plan's.

    `row` is the ledger's, None where there is no ledger or it does not know the obligation; `days`
    are the days from the nominal to the adjusted one; `earlier` are the rungs of rounds before this
    one; `letters` are the other letters about it (changes, receipts, closing notes, notices);
    `changes` the events of its deadline and of decisions about it; `requests` those of the section
    for more time; `plain` says of letters, by their ids, why they went out in the built-in form.
    """

    obligation: Obligation
    row: Row[Any] | None
    deadline: datetime
    standing: Standing
    born_at: datetime | None
    days: tuple[date, ...]
    rises: tuple[Rise, ...]
    earlier: tuple[Rise, ...] = ()
    letters: tuple[Row[Any], ...] = ()
    submissions: tuple[Row[Any], ...] = ()
    changes: tuple[Row[Any], ...] = ()
    requests: tuple[Row[Any], ...] = ()
    plain: Mapping[int, str] = field(default_factory=dict)


def account(
    bureau: Bureau, key: str, now: datetime, connection: Connection | None = None
) -> Account | None:
    """The account of the obligation `key` (with the short name) at `now`; None for no such key.

    Without a connection: what the plan alone will do.
    """
    wanted = expand(bureau.plan, bureau.calendar, _until(bureau, key, now))
    found = next((o for o in wanted if o.key == key), None)
    if found is None:
        return None
    plan = plans.find(connection, bureau.plan.id) if connection is not None else None
    if connection is not None and plan is not None:
        row = obligations.find(connection, plan.id, key)
        if row is not None:
            return _from_ledger(_Book(bureau, connection, row, found, plan.born_at, now))
    state = State.OPEN if found.exempt is None else State.EXEMPT
    return Account(
        obligation=found,
        row=None,
        deadline=found.deadline,
        standing=standing(state, found.deadline, late=False, now=now),
        born_at=plan.born_at if plan is not None else None,
        days=_walked(found),
        rises=_alone(bureau, found),
    )


def _until(bureau: Bureau, key: str, now: datetime) -> date:
    """Far enough for the key's own year, or for all that the ledger holds."""
    year = key.partition("/")[2][:4]
    wanted = date(int(year), 12, 31) if year.isdecimal() and 1990 <= int(year) < 2100 else date.min
    return max(wanted, horizon(bureau.day(now)))


def _walked(one: Obligation) -> tuple[date, ...]:
    """The days that were looked at between the nominal date and the working day that was found."""
    step = timedelta(days=1 if one.adjusted >= one.nominal else -1)
    count = abs((one.adjusted - one.nominal).days)
    return tuple(one.nominal + n * step for n in range(count + 1))


def _alone(bureau: Bureau, one: Obligation) -> tuple[Rise, ...]:
    """What the plan alone promises: the fixed rungs of what is owed."""
    if one.exempt is not None:
        return ()
    return tuple(_planned(bureau, one, one.deadline, 0, one.deadline))


def _planned(
    bureau: Bureau, one: Obligation, deadline: datetime, round_: int, until: datetime
) -> Iterable[Rise]:
    for step in bureau.ladder(one.item.id, deadline, until):
        for audience in step.audience:
            yield Rise(
                name=step.name,
                at=step.at,
                light=step.light.value,
                audience=audience,
                round=round_,
            )


@dataclass(frozen=True, slots=True)
class _Book:
    """What is known when a ledger is there."""

    bureau: Bureau
    connection: Connection
    row: Row[Any]
    found: Obligation
    born_at: datetime | None
    now: datetime


def _from_ledger(book: _Book) -> Account:
    row = book.row
    deadline = book.bureau.local(row.deadline)
    held = _held(book)
    fates = _fates(book, held)
    latest = max((rise.at for rise in fates), default=deadline)
    owed = State(row.state).owed
    planned = _planned(
        book.bureau, book.found, deadline, row.round, max(latest, book.now) if owed else latest
    )
    known = {(r.name, r.audience): r for r in fates if r.round == row.round}
    this = [known.pop((p.name, p.audience), _waiting(p, held)) for p in planned]
    return Account(
        obligation=book.found,
        row=row,
        deadline=deadline,
        standing=standing(State(row.state), row.deadline, row.late, book.now),
        born_at=book.born_at,
        days=_walked(book.found),
        rises=tuple(sorted([*this, *known.values()], key=lambda r: r.at)),
        earlier=tuple(r for r in fates if r.round != row.round),
        letters=tuple(_other_letters(book)),
        changes=_changes(book),
        plain=_plain(book),
        requests=tuple(of_obligations(book.connection, [row.id])),
        submissions=tuple(
            book.connection.execute(
                select(submission)
                .where(submission.c.obligation_id == row.id)
                .order_by(submission.c.id)
            )
        ),
    )


def _changes(book: _Book) -> tuple[Row[Any], ...]:
    """What the office decided on its pages, and when the daemon took up a change of the plan."""
    rows = book.connection.execute(
        select(event)
        .where(event.c.obligation_id == book.row.id, event.c.what.in_(_CHANGES))
        .order_by(event.c.id)
    )
    return tuple(rows)


def _fates(book: _Book, held: _Held) -> list[Rise]:
    """The rungs of the ledger in the order of time, each with what became of it."""
    rows = book.connection.execute(
        select(
            mention,
            letter.c.recipient,
            letter.c.address,
            letter.c.state.label("letter_state"),
            letter.c.sent_at.label("letter_sent_at"),
            letter.c.reply,
            letter.c.reason.label("letter_reason"),
            letter.c.subject,
            letter.c.message_id,
            letter.c.attempts,
            letter.c.uncertain,
        )
        .outerjoin(letter, letter.c.id == mention.c.letter_id)
        .where(mention.c.obligation_id == book.row.id, mention.c.audience.is_not(None))
        .order_by(mention.c.at, mention.c.id)
    ).all()
    grouped: dict[tuple[int, str, str], list[Row[Any]]] = {}
    for row in rows:
        grouped.setdefault((row.round, row.rung, row.audience), []).append(row)
    rises = [_rise(book.bureau, mine, held) for mine in grouped.values()]
    return sorted(rises, key=lambda r: (r.at, r.round))


def _waiting(planned: Rise, held: _Held) -> Rise:
    """A rung of which no letter was made: it may wait until the section has been warned."""
    waits = held.get(_named(planned.round, planned.name, planned.audience.value, planned.at))
    return replace(planned, fates=(waits,)) if waits else planned


def _rise(bureau: Bureau, rows: Sequence[Row[Any]], held: _Held) -> Rise:
    first = rows[0]
    before = held.get(_named(first.round, first.rung, first.audience, first.at))
    return Rise(
        name=first.rung,
        at=bureau.local(first.at),
        light=first.light,
        audience=Audience(first.audience),
        round=first.round,
        fates=(*([before] if before else []), *map(_fate, rows)),
    )


def _fate(row: Row[Any]) -> Fate:
    # of a letter that waits; once it is sent, what it waited for is past
    waits_for = row.letter_reason if row.state == MentionState.QUEUED.value else None
    return Fate(
        recipient=row.recipient or row.name or "",
        state=row.state,
        reason=row.reason or waits_for or "",
        address=row.address or "",
        letter_state=row.letter_state or "",
        sent_at=row.sent_at or row.letter_sent_at,
        reply=row.reply or "",
        subject=row.subject or "",
        message_id=row.message_id or "",
        attempts=row.attempts or 0,
        uncertain=bool(row.uncertain),
        letter=row.letter_id,
    )


def _held(book: _Book) -> _Held:
    """The officials' rungs that once waited until the section had been warned."""
    rows = book.connection.execute(
        select(event.c.at, event.c.data)
        .where(event.c.obligation_id == book.row.id, event.c.what == HELD)
        .order_by(event.c.id)
    )
    return {
        tuple(map(row.data.get, ("round", "rung", "audience", "rung_at"))): Fate(
            recipient="", state="held", reason=row.data["reason"], sent_at=row.at
        )
        for row in rows
    }


def _named(round_: int, rung: str, audience: str, at: datetime) -> tuple[Any, ...]:
    return round_, rung, audience, at.astimezone(UTC).isoformat()


def _plain(book: _Book) -> dict[int, str]:
    """Why letters went out in the built-in form; an attempt before may have had it as well."""
    rows = book.connection.execute(
        select(event.c.letter_id, event.c.data)
        .join(letter, letter.c.id == event.c.letter_id)
        .where(
            event.c.letter_id.in_(
                select(mention.c.letter_id).where(mention.c.obligation_id == book.row.id)
            ),
            event.c.what == TEMPLATE_FAILED,
            event.c.at == letter.c.sent_at,
        )
    )
    return {row.letter_id: row.data["reason"] for row in rows}


def _other_letters(book: _Book) -> list[Row[Any]]:
    return list(
        book.connection.execute(
            select(letter)
            .where(
                letter.c.id.in_(
                    select(mention.c.letter_id).where(
                        mention.c.obligation_id == book.row.id, mention.c.audience.is_(None)
                    )
                )
            )
            .order_by(letter.c.id)
        )
    )
