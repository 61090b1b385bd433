"""The append-only log: every change with its time, its author and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from ledger.tables import event

DAEMON = "duban"
"""Who acts where no person does."""


def record(
    connection: Connection,
    at: datetime,
    what: str,
    who: str = DAEMON,
    *,
    plan: int | None = None,
    obligation: int | None = None,
    letter: int | None = None,
    **data: Any,
) -> None:
    """Append one event. `data` is plain JSON values: the reasons, the old and the new."""
    entry = line(at, what, who, plan=plan, obligation=obligation, letter=letter, **data)
    connection.execute(insert(event), [entry])


def line(
    at: datetime,
    what: str,
    who: str = DAEMON,
    *,
    plan: int | None = None,
    obligation: int | None = None,
    letter: int | None = None,
    **data: Any,
) -> dict[str, Any]:
    """One event as a row, to be appended with others by `record_all`."""
    return {
        "at": at,
        "what": what,
        "who": who,
        "plan_id": plan,
        "obligation_id": obligation,
        "letter_id": letter,
        "data": {k: v for k, v in data.items() if v is not None} or None,
    }


def record_all(connection: Connection, lines: Sequence[dict[str, Any]]) -> None:
    """Append many events at once."""
    if lines:
        connection.execute(insert(event), list(lines))
