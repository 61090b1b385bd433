"""Claiming what is due: letters that still have something to say, with what they will say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from duban import pace
from duban.bureau import Bureau
from duban.facts import LetterFacts, LetterKind
from jobs.content import Content
from jobs.links import Links
from jobs.outcome import BARRED, put_off
from ledger import events, letters, mentions, plans
from ledger.damage import check_sound
from ledger.engine import Ledger
from ledger.tables import LetterState

_FRESH = timedelta(seconds=10)
"""How long what a letter says is believed: meanwhile the report may have come."""
_FREE = "relay.free"
"""The mark with the first turn at the relay that no letter has yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed letter with what it will say and to whom.

    It leaves at its `turn`, if any. What it says holds from `at`.
    """

    row: Row[Any]
    facts: LetterFacts
    address: str
    in_reply_to: str | None
    keys: tuple[str, ...]
    at: datetime
    turn: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """How letters are claimed: for whom, for how long, how many at a time; whence their links.

    An unfinished letter is taken over after the `lease`; one that could not be begun soon is given
    back, for what it says may not hold any more. With `links` a letter about obligations
    names its own page. `per_minute` is the relay's limit, None where it has none.
    """

    owner: str
    lease: timedelta = timedelta(minutes=5)
    batch: int = 50
    links: Links | None = None
    per_minute: int | None = None

    def begun_in_time(self, ready: Ready, now: datetime) -> bool:
        """Whether a letter may still be begun: what it says is fresh, and the lease will do.

        Turns lie in the lease's first quarter, and the relay takes at most half of it.
        """
        return now <= (ready.turn or ready.at) + min(_FRESH, self.lease / 4)


def at_work(bureaus: Mapping[int, Bureau], now: datetime) -> letters.Open:
    """The plans whose letters may go out at `now`."""
    return letters.Open(
        [plan_id for plan_id, bureau in bureaus.items() if bureau.open(now)],
        [plan_id for plan_id, bureau in bureaus.items() if bureau.reminding(now)],
    )


def any_due(ledger: Ledger, bureaus: Mapping[int, Bureau], now: datetime) -> bool:
    """Whether a claim would find a letter; asked without the ledger's write lock."""
    plans_open = at_work(bureaus, now)
    if not plans_open.letters:
        return False
    with ledger.read() as connection:
        return letters.any_ready(connection, plans_open, now)


def barred(ledger: Ledger) -> datetime | None:
    """Until when the relay is left alone, None where it let the last letter in."""
    with ledger.read() as connection:
        until = plans.get_mark(connection, BARRED)
    return datetime.fromisoformat(until) if until else None


def claim(
    ledger: Ledger,
    bureaus: Mapping[int, Bureau],
    plans_open: letters.Open,
    claims: Claims,
    now: datetime,
) -> tuple[list[Ready], bool]:
    """Claim a batch of the letters that are due; says too whether there may be more.

    What is not owed any more drops out of a letter, and an empty letter is withdrawn.
    """
    with ledger.write() as connection:
        turns = _turns(connection, claims, now)
        rows = letters.claim(
            connection, plans_open, claims.owner, now, now + claims.lease, len(turns)
        )
        rows = _agreed(connection, bureaus, rows, claims, now)
        _take_turns(connection, claims, turns[: len(rows)], now)
        ids = [row.id for row in rows]
        mentions.drop_settled(connection, ids)
        mentioned: dict[int, list[Row[Any]]] = {}
        for mention in mentions.listed(connection, ids):
            mentioned.setdefault(mention.letter_id, []).append(mention)
        threads = mentions.threads(connection, {m[0].id for m in mentioned.values()})
        contents = _contents(connection, bureaus, rows, mentioned, now)
        ready = []
        for row, turn in zip(rows, turns, strict=False):
            _note_takeover(connection, row, now)
            content, mine = contents[row.plan_id], mentioned.get(row.id, [])
            try:
                made = _prepare(content, row, mine, threads, claims.links)
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001 - one letter must not hold up the others
                bureau = bureaus[row.plan_id]
                put_off(connection, ledger, bureau, row, error, claims.owner, now)
                continue
            if isinstance(made, str):
                letters.withdraw(connection, row.id, made)
                _note(connection, row, now, "letter.withdrawn", reason=made)
            else:
                ready.append(made if turn is None else replace(made, turn=turn))
    return ready, len(rows) == claims.batch


def _agreed(
    connection: Connection,
    bureaus: Mapping[int, Bureau],
    rows: list[Row[Any]],
    claims: Claims,
    now: datetime,
) -> list[Row[Any]]:
    """Let go of letters of plans that the ledger was brought to since: our copy may be an old one.

    Another node may decide by a copy that was edited a moment ago, or this one while it delivers.
    """
    stamps = plans.stamps_of(connection, {row.plan_id for row in rows})
    other = {i for i, stamp in stamps.items() if not stamp.startswith(bureaus[i].plan.digest)}
    for row in rows:
        if row.plan_id in other:
            _note_takeover(connection, row, now)
            letters.put_back(
                connection, row.id, claims.owner, due_at=row.due_at, attempts=row.attempts
            )
    return [row for row in rows if row.plan_id not in other]


def _turns(connection: Connection, claims: Claims, now: datetime) -> list[datetime | None]:
    """When the letters of a batch may leave: None is at once.

    The turns are reserved in the ledger, so that the limit holds after a restart and for all nodes
    together. They lie in the first quarter of the lease.
    """
    if claims.per_minute is None:
        return [None] * claims.batch
    known = plans.hold_mark(connection, _FREE, now)
    free = None if known is None else datetime.fromisoformat(known)
    until = now + claims.lease / 4
    return [*pace.turns(free, now, until, claims.per_minute, claims.batch)]


def _take_turns(
    connection: Connection, claims: Claims, taken: list[datetime | None], now: datetime
) -> None:
    if taken and taken[-1] is not None and claims.per_minute is not None:
        free = taken[-1] + pace.interval(claims.per_minute)
        plans.set_mark(connection, _FREE, free.isoformat(), now)


def _contents(
    connection: Connection,
    bureaus: Mapping[int, Bureau],
    rows: list[Row[Any]],
    mentioned: Mapping[int, list[Row[Any]]],
    now: datetime,
) -> dict[int, Content]:
    contents = {}
    for plan_id in {row.plan_id for row in rows}:
        content = contents[plan_id] = Content(connection, bureaus[plan_id], plan_id, now)
        mine = [row for row in rows if row.plan_id == plan_id]
        content.expect_escalations(
            mentioned.get(row.id, ()) for row in mine if row.kind == LetterKind.ESCALATION.value
        )
        content.expect_reminders(
            {row.name for row in mine if row.kind == LetterKind.REMINDER.value}
        )
    return contents


def _prepare(
    content: Content,
    row: Row[Any],
    mentioned: list[Row[Any]],
    threads: Mapping[tuple[int, str], str],
    links: Links | None,
) -> Ready | str:
    """The letter ready to be composed, or the reason why it has nothing to say."""
    about = LetterKind(row.kind) in _ABOUT_OBLIGATIONS or (row.data or {}).get("return", False)
    if about and not mentioned:
        return "nothing in it is owed any more"
    check_sound(row)
    if row.kind == LetterKind.DIGEST.value and content.stale(row.created_at):
        return "a digest is of its own day"
    try:
        address = content.addressee(row)[2]
    except KeyError:
        return f"the plan no longer names {row.name}"
    link = links.letter(row.id) if links is not None and mentioned else ""
    facts = content.letter(row, mentioned, link)
    thread = threads.get((mentioned[0].id, address)) if mentioned else None
    keys = tuple(dict.fromkeys(m.key for m in mentioned))
    return Ready(row, facts, address, thread, keys, content.now)


_ABOUT_OBLIGATIONS = (
    LetterKind.REMINDER,
    LetterKind.ESCALATION,
    LetterKind.CHANGE,
    LetterKind.RECEIPT,
    LetterKind.CLOSING,
)


def _note_takeover(connection: Connection, row: Row[Any], now: datetime) -> None:
    if row.state == LetterState.CLAIMED.value:
        letters.suspect(connection, row.id)
        _note(connection, row, now, "letter.possibly_twice", owner=row.owner)


def _note(connection: Connection, row: Row[Any], now: datetime, what: str, **data: Any) -> None:
    events.record(connection, now, what, plan=row.plan_id, letter=row.id, **data)
