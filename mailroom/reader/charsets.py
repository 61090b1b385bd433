"""Bytes of any charset to text: Chinese senders label loosely, or not at all."""

from __future__ import annotations

import binascii
import codecs
import re
from quopri import decodestring
from typing import Final

_CHINESE: Final = frozenset(("gb2312", "gbk", "gb18030", "hz"))
_KNOWN: Final = frozenset(
    (
        *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-7", "big5", "big5hkscs"),
        *("gb18030", "hz", "shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "iso2022_kr", "koi8-r"),
        *(f"iso8859-{n}" for n in (*range(1, 12), *range(13, 17))),
        *(f"cp{n}" for n in range(1250, 1259)),
    )
)
"""Python's names. Others, such as `unicode_escape` or `idna`, are no charsets."""

_LABEL: Final = re.compile(r"[A-Za-z0-9._:-]{1,40}")
_ENCODED_WORD: Final = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\r\n]*)\?=")
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_HIDDEN: Final = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
MAX_LINE_CHARACTERS: Final = 500


def known(label: str) -> str | None:
    """Python's name of the charset that a mail names, None for one that is no charset.

    GB2312 and GBK are read as GB18030, which holds both: mails say the one and use the other.
    """
    name = label.partition("*")[0].strip().strip("'\"")
    if not _LABEL.fullmatch(name):
        return None
    try:
        found = codecs.lookup(name.removeprefix("x-").removeprefix("X-")).name
    except (LookupError, ValueError):
        return None
    if found in _CHINESE and found != "hz":
        return "gb18030"
    return found if found in _KNOWN else None


def decode(data: bytes, label: str | None = None) -> str:
    """The text of `data`; its label is believed only as far as the bytes agree.

    Without one, or where they do not: UTF-8, then GB18030, then what can be saved of the former.
    """
    named = known(label or "")
    tried = dict.fromkeys((named if named != "ascii" else None, "utf-8", "gb18030"))
    for name in filter(None, tried):
        try:
            return data.decode(name)
        except UnicodeError:
            continue
    return data.decode("utf-8" if named in (None, "ascii") else str(named), "replace")


def header_text(raw: str) -> str:
    """A header's value as one line of real characters, bounded; `raw` is as the parser keeps it.

    Encoded words (RFC 2047) are read also where they must not stand, such as within quotes, and
    words that were split within a character are joined first. Bytes without any encoding are read
    as UTF-8 or GB18030.
    """
    return one_line(_words(decode(raw_bytes(raw))))


def raw_bytes(raw: str) -> bytes:
    """The bytes that the standard parser keeps in a string, the high ones as surrogates."""
    return raw.encode("ascii", "surrogateescape")


def one_line(text: str) -> str:
    """Text without breaks, control characters or marks that turn the reading direction."""
    return _HIDDEN.sub("", _CONTROLS.sub(" ", text)).strip()[:MAX_LINE_CHARACTERS]


def _words(text: str) -> str:
    parts: list[str] = []
    label, held, end = "", b"", 0
    for found in _ENCODED_WORD.finditer(text):
        between = text[end : found.start()]
        joined = held and not between.strip()
        if not (joined and label == found[1].lower()):
            parts.append(decode(held, label))
            held = b""
        if not joined:
            parts.append(between)
        label, end = found[1].lower(), found.end()
        held += _word(found[2], found[3])
    return "".join((*parts, decode(held, label), text[end:]))


def _word(encoding: str, text: str) -> bytes:
    data = text.encode("ascii", "ignore")
    if encoding in "qQ":
        return decodestring(data, header=True)
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return data
