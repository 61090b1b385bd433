"""The append-only log: every change with its time, its author and its reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from ledger.bulk import Bulk
from ledger.tables import event

DAEMON = "duban"
"""Who acts where no person does."""

DEEDS: Final = (
    "submission.received",
    "submission.withdrawn",
    "submission.accepted",
    "submission.returned",
    "extension.requested",
    "extension.granted",
    "extension.refused",
    "override.written",
    "deadline.changed",
    "obligation.exempted",
    "obligation.dropped",
)
"""What changes how an obligation stands: who decides about one must have seen the latest."""


_APPEND = Bulk(insert(event), "at", "what", "who", "plan_id", "obligation_id", "letter_id", "data")


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
    _APPEND.run(connection, [entry])


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
    _APPEND.run(connection, lines)


def latest_deeds(connection: Connection, obligations: Collection[int]) -> dict[int, Row[Any]]:
    """The latest of DEEDS about each of these obligations, by their ids."""
    latest = (
        select(func.max(event.c.id))
        .where(event.c.obligation_id.in_(obligations), event.c.what.in_(DEEDS))
        .group_by(event.c.obligation_id)
    )
    rows = connection.execute(select(event).where(event.c.id.in_(latest)))
    return {row.obligation_id: row for row in rows}
