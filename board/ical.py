"""A calendar as text: the little of RFC 5545 that a list of deadlines needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

LINE_OCTETS: Final = 75
"""RFC 5545, 3.1: a longer line is folded, and goes on behind a space."""

_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class Status(StrEnum):
    """How an event stands (RFC 5545, 3.8.1.11)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One whole day in a calendar. `uid` never changes; `stamp` is when the event last did."""

    uid: str
    stamp: datetime
    sequence: int
    day: date
    summary: str
    description: str
    status: Status


def calendar_text(name: str, made_by: str, events: Iterable[Event]) -> str:
    """The calendar with CRLF and folded lines; the same events give the same text."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{_text(made_by)}//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT4H",
        "X-PUBLISHED-TTL:PT4H",
    ]
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _event(event: Event) -> Iterator[str]:
    stamp = f"{event.stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{stamp}"
    yield f"LAST-MODIFIED:{stamp}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{event.day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield f"DESCRIPTION:{_text(event.description)}"
    yield f"STATUS:{event.status.value}"
    # a deadline does not make anybody busy
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _text(value: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11); line breaks of any kind become one, controls nothing."""
    lines = "\n".join(value.splitlines())
    plain = "".join(c for c in lines if c == "\n" or (c.isprintable() or c == "\u3000"))
    return plain.translate(_ESCAPED)


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, no character cut in two."""
    pieces: list[str] = []
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > LINE_OCTETS:
            pieces.append(piece)
            piece, size = "", 1  # the space that a folded line begins with
        piece, size = piece + character, size + width
    return "\r\n ".join([*pieces, piece])
