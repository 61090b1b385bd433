"""A worded letter becomes the bytes of a mail (RFC 5322), without `EmailMessage`.

That class costs about 2 ms for a Chinese letter; the skeleton here a fortieth of it. Everything is
7-bit ASCII with CRLF: the bodies are base64, the headers RFC 2047 encoded words.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import b2a_base64
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from config.model import Light
from mailroom.render import Rendered
from mailroom.wire import Wire

_WORD_MAX_BYTES = 45
_LINE_MAX = 76
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PRINTABLE = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")

_HEAD = """\
From: {sender}\r
To: {recipient}\r
Reply-To: {reply_to}\r
Subject: {subject}\r
Date: {date}\r
Message-ID: {message_id}\r
{thread}MIME-Version: 1.0\r
Content-Type: multipart/alternative;\r
 boundary="{boundary}"\r
Content-Language: zh-CN\r
Auto-Submitted: auto-generated\r
X-Auto-Response-Suppress: All\r
{matter}{urgency}"""
_PART = b"""\r
--%b\r
Content-Type: text/%b; charset="utf-8"\r
Content-Transfer-Encoding: base64\r
\r
%b"""


class Envelope(NamedTuple):
    """Whom a mail is from and to, and its place in a thread.

    Addresses are plain ASCII (`name@host`), names any one line of text; Message-IDs have their
    angle brackets. `date` is aware, in the plan's zone. A red `light` marks the mail as important.
    `kind` and the keys of the `obligations` go into headers of duban's own, by which a mail is
    recognised in a relay's journal or a mailbox.
    """

    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    reply_to: str
    message_id: str
    date: datetime
    in_reply_to: str | None = None
    light: Light | None = None
    kind: str = ""
    obligations: tuple[str, ...] = ()


class HeaderError(ValueError):
    """A value that must not stand in a mail's header."""


def compose(envelope: Envelope, rendered: Rendered) -> bytes:
    """The mail as it goes to the relay: the same bytes for the same arguments.

    Raises HeaderError for a value that would break or forge a header.
    """
    e = envelope
    message_id = _message_id(e.message_id)
    thread = ""
    if e.in_reply_to is not None:
        first = _message_id(e.in_reply_to)
        thread = f"In-Reply-To: {first}\r\nReferences: {first}\r\n"
    boundary = f"=_{sha256(message_id.encode()).hexdigest()[:32]}"
    head = _HEAD.format(
        sender=_mailbox(e.sender_name, e.sender, len("From: ")),
        recipient=_mailbox(e.recipient_name, e.recipient, len("To: ")),
        reply_to=_address(e.reply_to),
        subject=encoded_words(_one_line(rendered.subject), len("Subject: ")),
        date=_date(e.date),
        message_id=message_id,
        thread=thread,
        boundary=boundary,
        matter=_matter(e),
        urgency="Importance: high\r\nX-Priority: 1\r\n" if e.light is Light.RED else "",
    ).encode("ascii")
    mark = boundary.encode("ascii")
    text = _PART % (mark, b"plain", _base64(rendered.text))
    html = _PART % (mark, b"html", _base64(rendered.html))
    return Wire(b"%b%b%b\r\n--%b--\r\n" % (head, text, html, mark))


def _matter(e: Envelope) -> str:
    lines = [("Kind", e.kind), ("Obligations", ", ".join(e.obligations))]
    return "".join(
        f"X-Duban-{name}: {encoded_words(_one_line(value), len(name) + 10)}\r\n"
        for name, value in lines
        if value
    )


def html_of(content: bytes) -> str:
    """The HTML body of a mail that `compose` made."""
    body = content.rpartition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
    return b64decode(body).decode().replace("\r\n", "\n")


def encoded_words(text: str, used: int) -> str:
    """One line of text as a header's value, folded; `used` columns of the first line are taken.

    ASCII stays as it is if it fits one line and cannot be taken for an encoded word (RFC 2047).
    """
    if _PRINTABLE.fullmatch(text) and "=?" not in text and used + len(text) <= _LINE_MAX:
        return text
    return _words(text, used)


def _words(text: str, used: int) -> str:
    words: list[str] = []
    data = text.encode()
    at, room = 0, min(_WORD_MAX_BYTES, (_LINE_MAX - used - 12) // 4 * 3)
    while at + room < len(data):
        end = at + room
        while data[end] & 0xC0 == 0x80:  # in the middle of a character (UTF-8, RFC 3629 3)
            end -= 1
        words.append(_word(data[at:end]))
        at, room = end, _WORD_MAX_BYTES
    words.append(_word(data[at:]))
    return "\r\n ".join(words)


def _word(chunk: bytes) -> str:
    return f"=?utf-8?b?{b64encode(chunk).decode()}?="


@lru_cache(maxsize=4096)
def _mailbox(name: str, address: str, used: int) -> str:
    checked = _address(address)
    said = _one_line(name)
    if not said:
        return checked
    plain = _ATOMS.fullmatch(said) and used + len(said) <= _LINE_MAX
    return f"{said if plain else _words(said, used)}\r\n <{checked}>"


def _one_line(value: str) -> str:
    if _CONTROL.search(value):
        raise HeaderError("a header's value must be one line without control characters")
    return value.strip()


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value) or len(value) > 320:
        raise HeaderError("an address must be plain ASCII, like caiwu@edu.example")
    return value


def _message_id(value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise HeaderError("a Message-ID must be one <…@…> in ASCII")
    return value


def _date(value: datetime) -> str:
    if value.tzinfo is None:
        raise HeaderError("a mail's date needs its time zone")
    return _stamp(value, value.utcoffset())


@lru_cache(maxsize=64)
def _stamp(value: datetime, _offset: timedelta | None) -> str:
    """A date header; the offset tells apart what is one instant in two zones."""
    return format_datetime(value)


def _base64(body: str) -> bytes:
    """A body with its line breaks as CRLF, which is a text's form before base64 (RFC 2045 6.8)."""
    encoded = b2a_base64(body.encode().replace(b"\n", b"\r\n"), newline=False)
    full = _cut(len(encoded) // _LINE_MAX)
    lines = [*full.unpack_from(encoded)]
    if rest := encoded[full.size :]:
        lines.append(rest)
    return b"\r\n".join(lines)


@lru_cache(maxsize=1024)
def _cut(lines: int) -> Struct:
    """What cuts so many full lines at once: a slice for each takes longer than the encoding."""
    return Struct(f"{_LINE_MAX}s" * lines)
