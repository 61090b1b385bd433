"""Which files came with which hand-in, and what their senders called them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from ledger.archive import Stored
from ledger.tables import attachment

NAME_CHARACTERS: Final = 255
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class File:
    """A file that the archive holds, with the name and the media type that its sender gave it."""

    stored: Stored
    name: str
    media_type: str


def attach(
    connection: Connection, file: File, now: datetime, by: str, submission: int | None = None
) -> int:
    """Enter a file; gives the row's id. `by` is who sent it.

    The name is kept as given, but for what no database takes. A file that belongs to no hand-in yet
    gets it by `assign`.
    """
    row = {
        "submission_id": submission,
        "name": _UNSTORABLE.sub("\ufffd", file.name)[:NAME_CHARACTERS],
        "sha256": file.stored.digest,
        "size": file.stored.size,
        "media_type": _UNSTORABLE.sub("", file.media_type)[:NAME_CHARACTERS],
        "added_at": now,
        "by": by,
    }
    made = connection.execute(insert(attachment).values(row).returning(attachment.c.id))
    return int(made.scalar_one())


def assign(connection: Connection, ids: Collection[int], submission: int) -> None:
    """Let files that came before their hand-in was known belong to it."""
    if not ids:
        return
    connection.execute(
        update(attachment).where(attachment.c.id.in_(ids)).values(submission_id=submission)
    )


def by_ids(connection: Connection, ids: Collection[int]) -> Sequence[Row[Any]]:
    """Some files, in the order in which they came."""
    asked = select(attachment).where(attachment.c.id.in_(ids)).order_by(attachment.c.id)
    return connection.execute(asked).all()


def of_submissions(connection: Connection, ids: Collection[int]) -> dict[int, Sequence[Row[Any]]]:
    """The files of each of these hand-ins, in the order in which they came."""
    found: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(
        select(attachment).where(attachment.c.submission_id.in_(ids)).order_by(attachment.c.id)
    ):
        found.setdefault(row.submission_id, []).append(row)
    return dict(found)
