"""What the pages of the desk have in common: their frame, and what they say above all else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from board.door import Door, Visitor
from duban.filenames import safe_name
from jobs.desk import counts

_MOST_ROWS: Final = 2**31 - 1
"""PostgreSQL's integer."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says above everything else, and what was typed into the form `about`."""

    text: str
    good: bool = False
    about: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


def row_id(request: Request) -> int:
    """The path's `number`, as far as it can be a row's id. Raises HTTPException (404)."""
    number = int(request.path_params["number"])
    if number > _MOST_ROWS:
        raise HTTPException(404)
    return number


def asked_row(request: Request, name: str) -> int | None:
    """A row's id in the address's query, None for anything else."""
    text = request.query_params.get(name, "")
    plain = text.isascii() and text.isdigit() and len(text) < len(str(_MOST_ROWS))
    return int(text) if plain else None


def desk_page(
    door: Door, visitor: Visitor, template: str, status: int = 200, **values: Any
) -> Response:
    """A page of the desk, with how much waits on each of them."""
    context = door.context
    with context.ledger.read() as connection:
        waiting = counts(connection, context.bureaus())
    return door.render(
        visitor,
        template,
        status,
        counts=waiting,
        limits=door.limits,
        several=len(context.bureaus()) > 1,
        writable=context.folders().keys(),
        **values,
    )


def kept_file(door: Door, sha256: str, name: str) -> Response:
    """A file of the archive: to be kept by the browser, never to be shown as a page."""
    return FileResponse(
        door.context.archive.locate(sha256),
        media_type="application/octet-stream",
        filename=safe_name(name),
        headers={"Content-Security-Policy": "default-src 'none'; sandbox"},
    )
