"""The parts of a MIME message: one body to read, files to keep, reports about other mail."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from typing import Any, Final

from mailroom.reader.bounces import MESSAGE_ID
from mailroom.reader.charsets import decode, header_text, one_line, raw_bytes
from mailroom.reader.htmltext import html_text
from mailroom.reader.parameters import parameters

MAX_DEPTH: Final = 20
MAX_PARTS: Final = 300
MAX_FILES: Final = 100
MAX_BODY_BYTES: Final = 200_000
_MAX_MULTIPARTS: Final = 60
_SIGNATURES: Final = frozenset(
    ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
)
_NESTED: Final = re.compile(rb"(?i)content-type:\s*(?:multipart|message)/")


@dataclass(frozen=True, slots=True)
class File:
    """An attached file: its name and type as its sender gave them, its bytes as they are.

    The name may be a path: show `duban.filenames.shown_name` of it."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


def parse(raw: bytes) -> tuple[Message, bool]:
    """The message, and whether its parts were read: the standard parser takes each level with a
    recursion of its own and looks at every line once for every level, so nesting is bounded first.
    """
    if len(_NESTED.findall(raw)) > _MAX_MULTIPARTS:
        return BytesHeaderParser(policy=compat32).parsebytes(raw[:MAX_BODY_BYTES]), False
    return BytesParser(policy=compat32).parsebytes(raw), True


def values(message: Message, name: str) -> list[str]:
    """All values of a header as they were sent, high bytes as surrogates."""
    return [str(value) for key, value in message.raw_items() if key.lower() == name]


def first_headers(message: Message) -> dict[str, str]:
    """The first value of each header, by lower-case name, as it was sent."""
    found: dict[str, str] = {}
    for key, value in message.raw_items():
        found.setdefault(key.lower(), str(value))
    return found


@dataclass(slots=True)
class Parts:
    """What the parts of a message hold, gathered by one walk of bounded depth and number."""

    text: str = ""
    files: list[File] = field(default_factory=list)
    report_type: str = ""
    status_blocks: list[dict[str, str]] = field(default_factory=list)
    original_ids: list[str] = field(default_factory=list)
    too_many: bool = False
    cut: bool = False
    _seen: int = 0
    _html: str = ""
    _plain: list[str] = field(default_factory=list)
    _embedded: list[tuple[str, File]] = field(default_factory=list)

    @classmethod
    def of(cls, message: Message) -> Parts:
        """Walk through a parsed message."""
        parts = cls()
        parts._walk(message, 0)
        parts.text = "\n".join(parts._plain).strip() or html_text(parts._html)
        for content_id, file in parts._embedded:
            if f"cid:{content_id}" not in parts._html:
                parts.files.append(file)
        return parts

    def _walk(self, part: Message, depth: int) -> None:
        self._seen += 1
        if depth > MAX_DEPTH or self._seen > MAX_PARTS:
            self.too_many = True
            return
        headers = first_headers(part)
        kind = _kind(headers.get("content-type", ""))
        # only of a whole with parts: of a leaf it would decode by whatever charset is named
        payload: Any = part.get_payload() if part.is_multipart() else None
        if kind == "multipart/report":
            self.report_type = parameters(headers["content-type"]).get("report-type", "report")
        if kind == "message/delivery-status" and isinstance(payload, list):
            self.status_blocks += [_block(block) for block in payload[:MAX_PARTS]]
        elif kind == "message/rfc822" and isinstance(payload, list):
            self._enclosed(payload[0], headers)
        elif isinstance(payload, list):
            for child in payload:
                self._walk(child, depth + 1)
        else:
            self._leaf(part, headers, kind)

    def _enclosed(self, message: Message, headers: dict[str, str]) -> None:
        """A whole mail within the mail: the one that came back, or one that was passed on."""
        own = first_headers(message)
        self.original_ids += MESSAGE_ID.findall(own.get("message-id", ""))
        if not self.report_type:
            name = _name(headers) or header_text(own.get("subject", "")) or "mail"
            file_name = f"{name.removesuffix('.eml')}.eml"
            self._keep(File(file_name, "message/rfc822", _whole(message)))

    def _leaf(self, part: Message, headers: dict[str, str], kind: str) -> None:
        disposition = headers.get("content-disposition", "").partition(";")[0].strip().lower()
        name = _name(headers)
        if kind == "text/rfc822-headers":
            original = BytesHeaderParser(policy=compat32).parsebytes(_content(part))
            self.original_ids += MESSAGE_ID.findall(first_headers(original).get("message-id", ""))
        elif kind in ("text/plain", "text/html", "") and not name and disposition != "attachment":
            self._body(part, headers, kind)
        elif kind not in _SIGNATURES and kind != "message/disposition-notification":
            file = File(name, kind or "application/octet-stream", _content(part))
            content_id = headers.get("content-id", "").strip().strip("<>")
            if content_id and kind.startswith("image/"):
                self._embedded.append((content_id, file))
            else:
                self._keep(file)

    def _body(self, part: Message, headers: dict[str, str], kind: str) -> None:
        given = parameters(headers.get("content-type", ""))
        content = _content(part)
        self.cut = self.cut or len(content) > MAX_BODY_BYTES
        text = decode(content[:MAX_BODY_BYTES], given.get("charset"))
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate({0: None, 0xFEFF: None})
        if kind == "text/html":
            self._html += text
        elif given.get("format", "").lower() == "flowed":
            self._plain.append(unflowed(text, delsp=given.get("delsp", "").lower() == "yes"))
        else:
            self._plain.append(text)

    def _keep(self, file: File) -> None:
        if len(self.files) >= MAX_FILES:
            self.too_many = True
        elif file.content:
            self.files.append(file)


def unflowed(text: str, *, delsp: bool = False) -> str:
    """Text of `format=flowed` (RFC 3676) with its soft line breaks taken out."""
    out: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        body = line[depth:].removeprefix(" ")
        if open_depth == depth and body != "-- ":
            out[-1] += body
        else:
            out.append(">" * depth + (" " if depth else "") + body)
        soft = body.endswith(" ") and body != "-- "
        if soft and delsp:
            out[-1] = out[-1][:-1]
        open_depth = depth if soft else None
    return "\n".join(out)


def _kind(value: str) -> str:
    return one_line(value.partition(";")[0]).lower()


def _name(headers: dict[str, str]) -> str:
    given = parameters(headers.get("content-disposition", "")).get("filename")
    return given or parameters(headers.get("content-type", "")).get("name", "")


def _content(part: Message) -> bytes:
    """The decoded bytes of a part that has no parts; broken encodings give what can be saved."""
    payload: Any = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    return raw_bytes(payload) if isinstance(payload, str) else b""


def _whole(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except (ValueError, TypeError, LookupError):  # the standard writer chokes on some broken mails
        return b""


def _block(block: Message) -> dict[str, str]:
    return {name: one_line(value) for name, value in first_headers(block).items()}
