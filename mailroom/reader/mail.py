"""One received mail as a value: who, to which letter, in what words, with which files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from mailroom.reader.automatic import automatic
from mailroom.reader.bounces import MESSAGE_ID, Bounce, by_its_page, standard
from mailroom.reader.charsets import header_text, one_line
from mailroom.reader.parts import File, Parts, first_headers, parse, values
from mailroom.reader.quoting import own_words

MAX_REFERENCES: Final = 100
_MAX_RAW_HEADER: Final = 20_000
_ADDRESS: Final = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}")
_YEARS: Final = range(2000, 2100)


class Problem(StrEnum):
    """What is wrong with a mail; none of them keeps the rest from being read."""

    UNREADABLE = "unreadable"
    """The parser failed, or the nesting is too deep: only the header was read, if that."""
    NO_SENDER = "no sender"
    SEVERAL_SENDERS = "several senders"
    BAD_MESSAGE_ID = "bad message-id"
    BAD_DATE = "bad date"
    TOO_MANY_PARTS = "too many parts"
    CUT_TEXT = "text cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A mail that came in. Everything in it is its sender's claim, and text is made fit to show.

    `digest` is the SHA-256 of the whole mail, in hex. `sender` is the one address of the one From,
    lower case; empty where there is none or more. `date` is UTC. `answers` are the Message-IDs of
    In-Reply-To and References, the nearest first. `text` is the whole body, `words` what the
    sender wrote himself. `automatic` says what shows that no person wrote it.
    """

    digest: str
    message_id: str = ""
    sender: str = ""
    sender_name: str = ""
    subject: str = ""
    date: datetime | None = None
    answers: tuple[str, ...] = ()
    text: str = ""
    words: str = ""
    files: tuple[File, ...] = ()
    automatic: str | None = None
    bounce: Bounce | None = None
    problems: tuple[Problem, ...] = ()


def read(raw: bytes) -> Received:
    """Read a mail. Never raises: what cannot be read is said in `problems`."""
    digest = sha256(raw).hexdigest()
    try:
        return _read(raw, digest)
    except Exception:  # noqa: BLE001 - other people's bytes and the standard parser: keep the mail
        return Received(digest=digest, problems=(Problem.UNREADABLE,))


def _read(raw: bytes, digest: str) -> Received:
    message, whole = parse(raw)
    parts = Parts.of(message) if whole else Parts()
    headers = first_headers(message)
    subject = header_text(headers.get("subject", ""))
    sender, name, trouble = _sender(values(message, "from"))
    message_id = _message_id(headers.get("message-id", ""))
    date = _date(headers.get("date", ""))
    answers = _answers(headers)
    found = (
        None if whole else Problem.UNREADABLE,
        trouble,
        None if message_id else Problem.BAD_MESSAGE_ID,
        None if date else Problem.BAD_DATE,
        Problem.TOO_MANY_PARTS if parts.too_many else None,
        Problem.CUT_TEXT if parts.cut else None,
    )
    return Received(
        digest=digest,
        message_id=message_id,
        sender=sender,
        sender_name=name,
        subject=subject,
        date=date,
        answers=answers,
        text=parts.text,
        words=own_words(parts.text),
        files=tuple(parts.files),
        automatic=automatic(_plain(headers), subject, parts.report_type, sender),
        bounce=_bounce(headers, subject, sender, parts, answers),
        problems=tuple(problem for problem in found if problem),
    )


def _plain(headers: dict[str, str]) -> dict[str, str]:
    return {name: one_line(value) for name, value in headers.items()}


def _sender(found: list[str]) -> tuple[str, str, Problem | None]:
    """The one sender, by the header as it was sent: what an encoded word hides is no address."""
    if not found:
        return "", "", Problem.NO_SENDER
    pairs = getaddresses([value[:_MAX_RAW_HEADER] for value in found])
    addresses = [address for _, address in pairs if address]
    if len(found) > 1 or len(pairs) > 1:
        return "", header_text(found[0]), Problem.SEVERAL_SENDERS
    if len(addresses) != 1 or not _ADDRESS.fullmatch(addresses[0]):
        return "", header_text(found[0]), Problem.NO_SENDER
    return addresses[0].lower(), header_text(pairs[0][0]), None


def _message_id(value: str) -> str:
    found = MESSAGE_ID.findall(value[:_MAX_RAW_HEADER])
    return found[0] if len(found) == 1 and found[0].isascii() and len(found[0]) <= 255 else ""


def _answers(headers: dict[str, str]) -> tuple[str, ...]:
    nearest = MESSAGE_ID.findall(headers.get("in-reply-to", "")[:_MAX_RAW_HEADER])
    older = MESSAGE_ID.findall(headers.get("references", "")[-_MAX_RAW_HEADER:])
    found = dict.fromkeys((*nearest, *reversed(older)))
    return tuple(one_line(i) for i in found if i.isascii())[:MAX_REFERENCES]


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(one_line(value))
        found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found if found.year in _YEARS else None


def _bounce(
    headers: dict[str, str], subject: str, sender: str, parts: Parts, answers: tuple[str, ...]
) -> Bounce | None:
    found = standard(parts.status_blocks, (*parts.original_ids, *answers))
    if found is not None or parts.report_type == "disposition-notification":
        return found
    null_sender = one_line(headers.get("return-path", "")).replace(" ", "") == "<>"
    return by_its_page(subject, sender, null_sender, parts.text, (*parts.original_ids, *answers))


__all__ = ["Bounce", "File", "Problem", "Received", "read"]
