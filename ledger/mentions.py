"""What letters mention: rungs and changes of obligations, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    false,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from duban.facts import LetterKind
from duban.standings import State
from ledger.among import among
from ledger.tables import MentionState, letter, mention, obligation

LADDER_KINDS: Final = (LetterKind.REMINDER.value, LetterKind.ESCALATION.value)
"""The letters that rungs call for: those that a hand-in makes superfluous."""

_OWED: Final = tuple(s.value for s in State if s.owed)


_MENTION = insert(mention)


def mention_all(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter what letters mention. Each row needs the same columns of `mention`."""
    if rows:
        connection.execute(_MENTION, list(rows))


_WAITING = select(mention.c.obligation_id).where(
    among(mention.c.obligation_id, "of"),
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


_RECEIPTS = select(letter.c.id).where(letter.c.kind == LetterKind.RECEIPT.value)


def void_receipt(connection: Connection, obligation_id: int, reason: str) -> None:
    """Take an obligation out of a receipt that is not sent yet."""
    connection.execute(
        update(mention)
        .where(
            mention.c.obligation_id == obligation_id,
            mention.c.state == MentionState.QUEUED.value,
            mention.c.letter_id.in_(_RECEIPTS),
        )
        .values(state=MentionState.VOID.value, reason=reason)
    )


_latest = (
    select(
        mention.c.obligation_id,
        letter.c.address,
        func.max(letter.c.id).label("latest"),
    )
    .join(letter, letter.c.id == mention.c.letter_id)
    .where(
        among(mention.c.obligation_id, "of"),
        mention.c.state == MentionState.SENT.value,
    )
    .group_by(mention.c.obligation_id, letter.c.address)
    .subquery()
)
_THREADS = select(_latest.c.obligation_id, _latest.c.address, letter.c.message_id).join(
    letter, letter.c.id == _latest.c.latest
)


def threads(connection: Connection, obligations: Iterable[int]) -> dict[tuple[int, str], str]:
    """The Message-ID of the latest letter about an obligation to an address."""
    of = list(obligations)
    if not of:
        return {}
    rows = connection.execute(_THREADS, {"of": of})
    return {(row.obligation_id, row.address): row.message_id for row in rows}


_stale = or_(
    and_(
        letter.c.kind.in_((*LADDER_KINDS, LetterKind.NOTICE.value)),
        obligation.c.state.not_in(_OWED),
    ),
    and_(
        letter.c.kind.in_((*LADDER_KINDS, LetterKind.CHANGE.value)),
        mention.c.round != obligation.c.round,
    ),
    and_(letter.c.kind == LetterKind.CLOSING.value, obligation.c.state.in_(_OWED)),
    and_(
        letter.c.kind == LetterKind.CHANGE.value,
        obligation.c.state.in_((State.SUBMITTED.value, State.ACCEPTED.value)),
    ),
)
"""What does not hold any more of what a letter mentions: handed in, exempt, another deadline."""


def _of_letters(*columns: Any) -> Select[Any]:
    """What some unsent letters mention."""
    return (
        select(*columns)
        .join(obligation, obligation.c.id == mention.c.obligation_id)
        .join(letter, letter.c.id == mention.c.letter_id)
        .where(
            among(mention.c.letter_id, "letters"),
            mention.c.state == MentionState.QUEUED.value,
        )
    )


_STALE = _of_letters(mention.c.id, obligation.c.state).where(_stale)
_HOLDING = _of_letters(
    mention.c.letter_id, func.count().filter(not_(func.coalesce(_stale, false()))).label("holding")
).group_by(mention.c.letter_id)
_VOID = (
    update(mention)
    .where(mention.c.id == bindparam("stale"))
    .values(state=MentionState.VOID.value, reason=bindparam("why"))
)


def drop_settled(connection: Connection, letter_ids: Sequence[int]) -> None:
    """Void in claimed letters what does not hold any more."""
    stale = connection.execute(_STALE, {"letters": list(letter_ids)}).all()
    if stale:
        connection.execute(_VOID, [{"stale": r.id, "why": _why_stale(r.state)} for r in stale])


def holding(connection: Connection, letter_ids: Iterable[int]) -> dict[int, int]:
    """How much of what each of these letters says still holds; no letter of which nothing does."""
    rows = connection.execute(_HOLDING, {"letters": list(letter_ids)})
    return {row.letter_id: row.holding for row in rows if row.holding}


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
_MENTIONS = _of_letters(
    mention.c.letter_id,
    mention.c.light,
    mention.c.was,
    _stale.label("stale"),
    *(obligation.c[name] for name in _SAID),
).order_by(obligation.c.deadline, obligation.c.id)


def listed(connection: Connection, letter_ids: Sequence[int]) -> list[Row[Any]]:
    """What claimed letters mention, each with its obligation, the most urgent first.

    `stale` is true for what has ceased to hold since the claim.
    """
    return list(connection.execute(_MENTIONS, {"letters": list(letter_ids)}))
