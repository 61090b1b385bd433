"""Claiming what is due: who sends a letter, until when, and at which turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from duban import pace
from duban.bureau import Bureau
from jobs.trouble import BARRED
from ledger import events, letters, mentions, plans, underway
from ledger.engine import Ledger
from ledger.letters import Letter
from ledger.tables import LetterState

_FRESH = timedelta(seconds=10)
"""How long what a letter says is believed: meanwhile the report may have come."""
_FREE = "relay.free"
"""The mark with the first turn at the relay that no letter has yet."""


class Claimed(NamedTuple):
    """A claimed letter. It leaves at its `turn`, if any; what it says is of `at`, or soon after."""

    row: Letter
    at: datetime
    turn: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """How letters are claimed: for whom, for how long, how many at a time.

    An unfinished letter is taken over after the `lease`; one that could not be begun soon is given
    back, for what it says may not hold any more. `per_minute` is the relay's limit, None where it
    has none.
    """

    owner: str
    lease: timedelta = timedelta(minutes=5)
    batch: int = 50
    per_minute: int | None = None

    def begun_in_time(self, claimed: Claimed, now: datetime) -> bool:
        """Whether a letter may still be begun: what it says is fresh, and the lease will do.

        Turns lie in the lease's first quarter, and the relay takes at most half of it.
        """
        return now <= (claimed.turn or claimed.at) + min(_FRESH, self.lease / 4)


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
    also: Callable[[Connection, list[Claimed]], None] = lambda connection, claimed: None,
) -> tuple[list[Claimed], bool]:
    """Claim a batch of the letters that are due; says too whether there may be more.

    What is not owed any more drops out of them; a letter may have nothing left to say. `also`
    writes more in the same transaction.
    """
    with ledger.write() as connection:
        turns = _turns(connection, claims, now)
        rows = letters.claim(
            connection, plans_open, claims.owner, now, now + claims.lease, len(turns)
        )
        _note_takeovers(connection, rows, now)
        rows = _agreed(connection, bureaus, rows, claims)
        _take_turns(connection, claims, turns[: len(rows)], now)
        mentions.drop_settled(connection, [row.id for row in rows])
        claimed = [Claimed(row, now, turn) for row, turn in zip(rows, turns, strict=False)]
        also(connection, claimed)
    return claimed, len(rows) == claims.batch


def _agreed(
    connection: Connection,
    bureaus: Mapping[int, Bureau],
    rows: list[Letter],
    claims: Claims,
) -> list[Letter]:
    """Let go of letters of plans that the ledger was brought to since: our copy may be an old one.

    Another node may decide by a copy that was edited a moment ago, or this one while it delivers.
    """
    edited = edited_since(connection, bureaus, (row.plan_id for row in rows))
    for row in rows:
        if row.plan_id in edited:
            letters.give_back(connection, row, claims.owner)
    return [row for row in rows if row.plan_id not in edited]


def edited_since(
    connection: Connection, bureaus: Mapping[int, Bureau], of: Iterable[int]
) -> set[int]:
    """Which of these plans the ledger was brought to since our copy of them was made."""
    stamps = plans.stamps_of(connection, set(of))
    return {i for i, stamp in stamps.items() if not stamp.startswith(bureaus[i].plan.digest)}


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


def _note_takeovers(connection: Connection, rows: list[Letter], now: datetime) -> None:
    """Suspect those letters of owners who fell silent that may have left."""
    left = [row for row in rows if row.state == LetterState.CLAIMED.value]
    for owner in {row.owner or "" for row in left}:
        said = underway.said(connection, owner)
        for row in left:
            if (row.owner or "") == owner and (said is None or row.id in said):
                letters.suspect(connection, row.id)
                _note(connection, row, now, "letter.possibly_twice", owner=owner)
        underway.forget(connection, owner)


def _note(connection: Connection, row: Letter, now: datetime, what: str, **data: Any) -> None:
    events.record(connection, now, what, plan=row.plan_id, letter=row.id, **data)
