"""Letters in the ledger: queue, claim with a lease, mark what the relay said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from duban.facts import LetterKind
from duban.letters import Recipient
from ledger.among import among
from ledger.bulk import Bulk
from ledger.engine import Ledger
from ledger.mentions import LADDER_KINDS
from ledger.tables import Addressee, LetterState, MentionState, letter, mention


class Letter(NamedTuple):
    """A row of `letter`, as plain values that another process can be given."""

    id: int
    plan_id: int
    kind: str
    addressee: str
    name: str
    state: str
    created_at: datetime
    due_at: datetime | None
    attempts: int
    first_tried_at: datetime | None
    uncertain: bool
    owner: str | None
    message_id: str
    recipient: str | None
    address: str | None
    light: str | None
    subject: str | None
    sent_at: datetime | None
    reply: str | None
    reason: str | None
    data: dict[str, Any] | None


def queue(
    connection: Connection,
    ledger: Ledger,
    plan_id: int,
    kind: LetterKind,
    recipient: Recipient,
    now: datetime,
    domain: str,
    *,
    light: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> int:
    """Enter a letter that may go out from `now` on; gives its id."""
    row = entry(ledger, plan_id, kind, recipient, now, domain, light=light, data=data)
    return queue_all(connection, [row])[0]


def entry(
    ledger: Ledger,
    plan_id: int,
    kind: LetterKind,
    recipient: Recipient,
    now: datetime,
    domain: str,
    *,
    light: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A letter as a row; its Message-ID is settled here, for good."""
    return {
        "plan_id": plan_id,
        "kind": kind.value,
        "addressee": (Addressee.POST if recipient.official else Addressee.SECTION).value,
        "name": recipient.name,
        "state": LetterState.QUEUED.value,
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "uncertain": False,
        "message_id": f"<{ledger.token()}@{domain}>",
        "light": light,
        "data": data,
    }


_QUEUE = insert(letter)
_IDS = select(letter.c.message_id, letter.c.id).where(
    letter.c.message_id.in_(bindparam("of", expanding=True))
)


def queue_all(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Enter many letters made by `entry`; gives their ids in the same order."""
    if not rows:
        return []
    connection.execute(_QUEUE, list(rows))
    # one more look-up is faster than RETURNING, which SQLite's driver does row by row
    found = connection.execute(_IDS, {"of": [row["message_id"] for row in rows]})
    ids = {row.message_id: row.id for row in found}
    return [ids[row["message_id"]] for row in rows]


_UNSENT = select(letter.c.id, letter.c.kind, letter.c.addressee, letter.c.name).where(
    letter.c.due_at.is_not(None),
    letter.c.plan_id == bindparam("plan"),
    letter.c.kind.in_(bindparam("kinds", expanding=True)),
    letter.c.state == LetterState.QUEUED.value,
    letter.c.uncertain.is_(False),
    letter.c.id.not_in(bindparam("but", expanding=True)),
)
_JOIN = (
    update(mention)
    .where(mention.c.letter_id == bindparam("old"), mention.c.state == MentionState.QUEUED.value)
    .values(letter_id=bindparam("new"))
)


def join_unsent(
    connection: Connection, plan_id: int, fresh: Mapping[tuple[str, str, str], int]
) -> list[int]:
    """Let new letters say what older unsent ones to the same recipient still had to say.

    `fresh` gives the new letters by kind, addressee and name. Gives the ids of the letters that
    were joined and withdrawn. One that the relay may have already keeps its own Message-ID.
    """
    kinds = sorted({kind for kind, _, _ in fresh})
    asked = {"plan": plan_id, "but": list(fresh.values()), "kinds": kinds}
    rows = connection.execute(_UNSENT, asked).all()
    joined = [
        (row.id, fresh[key])
        for row in rows
        if (key := (row.kind, row.addressee, row.name)) in fresh
    ]
    for old, new in joined:
        connection.execute(_JOIN, {"old": old, "new": new})
        withdraw(connection, old, "joined with a later letter")
    return [old for old, _ in joined]


_ready = and_(
    letter.c.due_at <= bindparam("now"),
    among(letter.c.plan_id, "open"),
    or_(letter.c.kind.not_in(LADDER_KINDS), among(letter.c.plan_id, "reminding")),
)
_CLAIMABLE = (
    select(letter)
    .where(_ready)
    .order_by(letter.c.due_at, letter.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(letter)
    .where(among(letter.c.id, "which"))
    .values(
        state=LetterState.CLAIMED.value,
        owner=bindparam("new_owner"),
        due_at=bindparam("lease_until"),
        attempts=letter.c.attempts + 1,
    )
)


@dataclass(frozen=True, slots=True)
class Open:
    """The plans whose letters may go out now, and those of them whose rungs may."""

    letters: Sequence[int]
    rungs: Sequence[int]

    def asked(self, now: datetime) -> dict[str, Any]:
        """The values that the queries want."""
        return {"now": now, "open": list(self.letters), "reminding": list(self.rungs)}


def claim(
    connection: Connection,
    plans: Open,
    owner: str,
    now: datetime,
    lease_until: datetime,
    limit: int,
) -> list[Letter]:
    """Take letters that are due, or whose owner's lease ran out, for `owner`.

    Each is given as it was before the claim: a `claimed` state says that an earlier
    attempt ended without an answer. On PostgreSQL rows that another node is claiming are passed
    over.
    """
    rows = connection.execute(_CLAIMABLE, plans.asked(now) | {"limit": limit})
    found = [Letter._make(row) for row in rows]
    if found:
        connection.execute(
            _CLAIM,
            {"which": [one.id for one in found], "new_owner": owner, "lease_until": lease_until},
        )
    return found


_NEXT_DUE = {
    rungs: select(func.min(letter.c.due_at)).where(
        letter.c.due_at.is_not(None),
        letter.c.kind.in_(LADDER_KINDS) if rungs else letter.c.kind.not_in(LADDER_KINDS),
    )
    for rungs in (False, True)
}
_ANY_READY = select(letter.c.id).where(_ready).limit(1)


def any_ready(connection: Connection, plans: Open, now: datetime) -> bool:
    """Whether a claim would find something, asked without the write lock."""
    return connection.execute(_ANY_READY, plans.asked(now)).first() is not None


def next_due(connection: Connection, *, rungs: bool) -> datetime | None:
    """When the next letter waits to be sent, or a lease runs out: of rungs, or of all others."""
    return connection.execute(_NEXT_DUE[rungs]).scalar()


def suspect(connection: Connection, letter_id: int) -> None:
    """Note that an attempt ended without an answer: the relay may have the letter already."""
    connection.execute(update(letter).where(letter.c.id == letter_id).values(uncertain=True))


def try_again(connection: Connection, now: datetime) -> None:
    """Let no letter that was put off wait any longer, and no claim outlast an hour from now."""
    for state, latest in (
        (LetterState.QUEUED, now),
        (LetterState.CLAIMED, now + timedelta(hours=1)),
    ):
        connection.execute(
            update(letter)
            .where(letter.c.state == state.value, letter.c.due_at > latest)
            .values(due_at=latest)
        )


def suspect_waiting(connection: Connection) -> None:
    """Note of every letter not yet sent that it may have been, unknown to this ledger."""
    waiting = (LetterState.QUEUED.value, LetterState.CLAIMED.value)
    connection.execute(update(letter).where(letter.c.state.in_(waiting)).values(uncertain=True))


def withdraw(
    connection: Connection, letter_id: int, reason: str, *, owner: str | None = None
) -> bool:
    """End a letter that has nothing more to say: an unclaimed one, or one that `owner` still holds.

    Gives whether it did.
    """
    ended = _release(
        connection,
        letter_id,
        owner,
        state=LetterState.WITHDRAWN.value,
        due_at=None,
        reason=reason,
    )
    if ended:
        connection.execute(
            update(mention)
            .where(mention.c.letter_id == letter_id, mention.c.state == MentionState.QUEUED.value)
            .values(state=MentionState.VOID.value, reason=reason)
        )
    return ended


def put_back(connection: Connection, letter_id: int, owner: str, **values: Any) -> bool:
    """Queue a claimed letter again, if `owner` still holds it; `values` are columns to write."""
    return _release(connection, letter_id, owner, state=LetterState.QUEUED.value, **values)


def give_back(
    connection: Connection, row: Letter, owner: str, due_at: datetime | None = None
) -> None:
    """Queue a claimed letter again as it was, with nothing tried; `due_at` puts it off."""
    due_at = due_at or row.due_at
    put_back(connection, row.id, owner, due_at=due_at, attempts=row.attempts)


_SHOWN = ("recipient", "address", "light", "subject", "reply")
_SENT = Bulk(
    update(letter)
    .where(letter.c.id == bindparam("which"))
    .values(
        state=LetterState.SENT.value,
        due_at=None,
        owner=None,
        sent_at=bindparam("when"),
        **{name: bindparam(f"new_{name}") for name in _SHOWN},
    ),
    "which",
    "when",
    *(f"new_{name}" for name in _SHOWN),
)
_MENTIONS_SENT = (
    update(mention)
    .where(among(mention.c.letter_id, "letters"), mention.c.state == MentionState.QUEUED.value)
    .values(state=MentionState.SENT.value, sent_at=bindparam("when"))
)


def mark_sent(
    connection: Connection, sent: Sequence[tuple[int, Mapping[str, Any]]], now: datetime
) -> None:
    """The relay has these: (letter id, its recipient, address, light, subject and reply).

    Even a stale owner records that: an accepted letter is never sent again.
    """
    if not sent:
        return
    rows = [
        {"which": which, "when": now} | {f"new_{name}": shown[name] for name in _SHOWN}
        for which, shown in sent
    ]
    _SENT.run(connection, rows)
    connection.execute(_MENTIONS_SENT, {"letters": [which for which, _ in sent], "when": now})


def mark_failed(connection: Connection, letter_id: int, reason: str, **values: Any) -> None:
    """The relay will not have it, or not within the days that duban tries."""
    _end(connection, letter_id, LetterState.FAILED, reason=reason, **values)
    connection.execute(
        update(mention)
        .where(mention.c.letter_id == letter_id, mention.c.state == MentionState.QUEUED.value)
        .values(state=MentionState.VOID.value, reason=reason)
    )


def _release(connection: Connection, letter_id: int, owner: str | None, **values: Any) -> bool:
    changed = connection.execute(
        update(letter)
        .where(letter.c.id == letter_id, letter.c.owner == owner, letter.c.due_at.is_not(None))
        .values(owner=None, **values)
    )
    return changed.rowcount == 1


def _end(connection: Connection, letter_id: int, state: LetterState, **values: Any) -> None:
    connection.execute(
        update(letter)
        .where(letter.c.id == letter_id, letter.c.state != LetterState.SENT.value)
        .values(state=state.value, due_at=None, owner=None, **values)
    )
