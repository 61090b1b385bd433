"""Which claimed letters may have left: said by their owner before they do.

Letters are claimed in batches. Whoever takes over from an owner that died learns by this which of
his letters may come twice; the others never left.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from ledger.plans import drop_mark, get_mark, set_mark
from ledger.tables import LetterState, letter


def say(connection: Connection, owner: str, letters: Collection[int], now: datetime) -> None:
    """Only these of the owner's letters may have left, or may leave before he says more."""
    set_mark(connection, _key(owner), sorted(letters), now)


def drop(connection: Connection, owner: str) -> None:
    """None of the owner's letters is under way."""
    drop_mark(connection, _key(owner))


def said(connection: Connection, owner: str) -> frozenset[int] | None:
    """What an owner said last, None where he said nothing: then any of his may have left."""
    letters = get_mark(connection, _key(owner))
    return None if letters is None else frozenset(letters)


def forget(connection: Connection, owner: str) -> None:
    """Drop what an owner said, if none of his letters is left."""
    claimed = letter.c.state == LetterState.CLAIMED.value
    left = select(letter.c.id).where(letter.c.due_at.is_not(None), claimed, letter.c.owner == owner)
    if connection.execute(left.limit(1)).first() is None:
        drop(connection, owner)


def _key(owner: str) -> str:
    return f"under way: {owner}"
