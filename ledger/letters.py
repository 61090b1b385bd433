"""Letters in the ledger: queue, claim with a lease, mark what the relay said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from duban.facts import LetterKind
from duban.letters import Recipient
from duban.standings import State
from ledger.engine import Ledger
from ledger.tables import Addressee, LetterState, MentionState, letter, mention, obligation

_LADDER_KINDS = (LetterKind.REMINDER.value, LetterKind.ESCALATION.value)
_OWED = tuple(s.value for s in State if s.owed)


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


_MENTION = insert(mention)


def mention_all(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter what letters mention. Each row needs the same columns of `mention`."""
    if rows:
        connection.execute(_MENTION, list(rows))


_WAITING = select(mention.c.obligation_id).where(
    mention.c.obligation_id.in_(bindparam("of", expanding=True)),
    mention.c.state == literal_column(f"'{MentionState.QUEUED.value}'"),
)
_SUPERSEDE = (
    update(mention)
    .where(
        mention.c.obligation_id == bindparam("of"),
        mention.c.state == MentionState.QUEUED.value,
        mention.c.audience == bindparam("to"),
    )
    .values(state=MentionState.SUPERSEDED.value, reason=bindparam("why"))
)


def supersede(connection: Connection, pairs: Iterable[tuple[int, str]], reason: str) -> None:
    """Void what is still unsent of (obligation, audience): a later rung has come."""
    pairs = list(pairs)
    waiting = set(connection.execute(_WAITING, {"of": list({of for of, _ in pairs})}).scalars())
    rows = [{"of": of, "to": to, "why": reason} for of, to in pairs if of in waiting]
    if rows:
        connection.execute(_SUPERSEDE, rows)


_CLAIMABLE = (
    select(letter)
    .where(
        letter.c.due_at <= bindparam("now"),
        letter.c.plan_id.in_(bindparam("plans", expanding=True)),
    )
    .order_by(letter.c.due_at, letter.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(letter)
    .where(letter.c.id.in_(bindparam("which", expanding=True)))
    .values(
        state=LetterState.CLAIMED.value,
        owner=bindparam("new_owner"),
        due_at=bindparam("lease_until"),
        attempts=letter.c.attempts + 1,
    )
)


def claim(
    connection: Connection,
    plan_ids: Sequence[int],
    owner: str,
    now: datetime,
    lease_until: datetime,
    limit: int,
) -> list[Row[Any]]:
    """Take letters that are due, or whose owner's lease ran out, for `owner`.

    Each row carries the letter as it was before the claim: a `claimed` state says that an earlier
    attempt ended without an answer. On PostgreSQL rows that another node is claiming are passed
    over.
    """
    rows = connection.execute(
        _CLAIMABLE, {"now": now, "plans": list(plan_ids), "limit": limit}
    ).all()
    if rows:
        connection.execute(
            _CLAIM,
            {"which": [r.id for r in rows], "new_owner": owner, "lease_until": lease_until},
        )
    return list(rows)


_NEXT_DUE = select(func.min(letter.c.due_at)).where(letter.c.due_at.is_not(None))
_ANY_DUE = (
    select(letter.c.id)
    .where(
        letter.c.due_at <= bindparam("now"),
        letter.c.plan_id.in_(bindparam("plans", expanding=True)),
    )
    .limit(1)
)


def any_due(connection: Connection, plan_ids: Sequence[int], now: datetime) -> bool:
    """Whether a claim would find something, asked without the write lock."""
    found = connection.execute(_ANY_DUE, {"now": now, "plans": list(plan_ids)})
    return found.first() is not None


def next_due(connection: Connection) -> datetime | None:
    """When the next letter waits to be sent, or a lease runs out."""
    return connection.execute(_NEXT_DUE).scalar()


def suspect(connection: Connection, letter_id: int) -> None:
    """Note that an attempt ended without an answer: the relay may have the letter already."""
    connection.execute(update(letter).where(letter.c.id == letter_id).values(uncertain=True))


_latest = (
    select(
        mention.c.obligation_id,
        letter.c.addressee,
        letter.c.name,
        func.max(letter.c.id).label("latest"),
    )
    .join(letter, letter.c.id == mention.c.letter_id)
    .where(
        mention.c.obligation_id.in_(bindparam("of", expanding=True)),
        letter.c.state == LetterState.SENT.value,
    )
    .group_by(mention.c.obligation_id, letter.c.addressee, letter.c.name)
    .subquery()
)
_THREADS = select(
    _latest.c.obligation_id, _latest.c.addressee, _latest.c.name, letter.c.message_id
).join(letter, letter.c.id == _latest.c.latest)


def threads(connection: Connection, obligations: Iterable[int]) -> dict[tuple[int, str, str], str]:
    """The Message-ID of the latest letter about (obligation, to addressee, of that name)."""
    rows = connection.execute(_THREADS, {"of": list(obligations)})
    return {(r.obligation_id, r.addressee, r.name): r.message_id for r in rows}


_STALE = (
    select(mention.c.id, obligation.c.state)
    .join(obligation, obligation.c.id == mention.c.obligation_id)
    .join(letter, letter.c.id == mention.c.letter_id)
    .where(
        mention.c.letter_id.in_(bindparam("letters", expanding=True)),
        mention.c.state == MentionState.QUEUED.value,
        or_(
            and_(letter.c.kind.in_(_LADDER_KINDS), obligation.c.state.not_in(_OWED)),
            and_(
                letter.c.kind.in_((*_LADDER_KINDS, LetterKind.CHANGE.value)),
                mention.c.round != obligation.c.round,
            ),
            and_(
                letter.c.kind == LetterKind.CHANGE.value,
                obligation.c.state.in_((State.SUBMITTED.value, State.ACCEPTED.value)),
            ),
        ),
    )
)
_VOID = (
    update(mention)
    .where(mention.c.id == bindparam("stale"))
    .values(state=MentionState.VOID.value, reason=bindparam("why"))
)


def drop_settled(connection: Connection, letter_ids: Sequence[int]) -> None:
    """Void in claimed letters what no longer holds: handed in, exempt, another deadline."""
    stale = connection.execute(_STALE, {"letters": list(letter_ids)}).all()
    if stale:
        connection.execute(_VOID, [{"stale": r.id, "why": _why_stale(r.state)} for r in stale])


def _why_stale(state: str) -> str:
    return "the deadline has changed" if state in _OWED else f"{state} meanwhile"


_SAID = [
    "id",
    "key",
    "item",
    "period",
    "section",
    "nominal",
    "deadline",
    "provisional",
    "state",
    "late",
    "reason",
    "submitted_at",
]
_MENTIONS = (
    select(
        mention.c.letter_id,
        mention.c.light,
        mention.c.was,
        *(obligation.c[name] for name in _SAID),
    )
    .join(obligation, obligation.c.id == mention.c.obligation_id)
    .where(
        mention.c.letter_id.in_(bindparam("letters", expanding=True)),
        mention.c.state == MentionState.QUEUED.value,
    )
    .order_by(obligation.c.deadline, obligation.c.id)
)


def mentions(connection: Connection, letter_ids: Sequence[int]) -> list[Row[Any]]:
    """What claimed letters mention, each with its obligation, the most urgent first."""
    return list(connection.execute(_MENTIONS, {"letters": list(letter_ids)}))


def withdraw(connection: Connection, letter_id: int, reason: str) -> None:
    """End a letter that has nothing more to say."""
    _end(connection, letter_id, LetterState.WITHDRAWN, reason=reason)
    connection.execute(
        update(mention)
        .where(mention.c.letter_id == letter_id, mention.c.state == MentionState.QUEUED.value)
        .values(state=MentionState.VOID.value, reason=reason)
    )


def put_back(connection: Connection, letter_id: int, owner: str, **values: Any) -> bool:
    """Queue a claimed letter again, if `owner` still holds it; `values` are columns to write."""
    return _release(connection, letter_id, owner, state=LetterState.QUEUED.value, **values)


_SHOWN = ("recipient", "address", "light", "subject", "reply")
_SENT = (
    update(letter)
    .where(letter.c.id == bindparam("which"))
    .values(
        state=LetterState.SENT.value,
        due_at=None,
        owner=None,
        sent_at=bindparam("when"),
        **{name: bindparam(f"new_{name}") for name in _SHOWN},
    )
)
_MENTION_SENT = (
    update(mention)
    .where(mention.c.letter_id == bindparam("which"), mention.c.state == MentionState.QUEUED.value)
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
    connection.execute(_SENT, rows)
    connection.execute(_MENTION_SENT, [{"which": which, "when": now} for which, _ in sent])


def mark_failed(connection: Connection, letter_id: int, reason: str, **values: Any) -> None:
    """The relay will not have it, or not within the days that duban tries."""
    _end(connection, letter_id, LetterState.FAILED, reason=reason, **values)
    connection.execute(
        update(mention)
        .where(mention.c.letter_id == letter_id, mention.c.state == MentionState.QUEUED.value)
        .values(state=MentionState.VOID.value, reason=reason)
    )


def _release(connection: Connection, letter_id: int, owner: str, **values: Any) -> bool:
    changed = connection.execute(
        update(letter)
        .where(letter.c.id == letter_id, letter.c.owner == owner)
        .values(owner=None, **values)
    )
    return changed.rowcount == 1


def _end(connection: Connection, letter_id: int, state: LetterState, **values: Any) -> None:
    connection.execute(
        update(letter)
        .where(letter.c.id == letter_id, letter.c.state != LetterState.SENT.value)
        .values(state=state.value, due_at=None, owner=None, **values)
    )
