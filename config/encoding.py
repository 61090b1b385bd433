"""From the bytes of a file to its text: UTF-8, or GB18030 with a warning, never garbled."""

from __future__ import annotations

import codecs
from typing import Final

from config.problems import Problem

MAX_BYTES: Final = 5_000_000
"""A plan of a thousand obligations has some 200 kB; more than this is not a plan."""

_MARKED: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SHARE_OF_COMMON_CHARACTERS: Final = 0.7


def decode(data: bytes, file: str) -> tuple[str | None, list[Problem]]:
    """The text of `file` without a byte order mark, or None if it has none; and the problems."""
    if len(data) > MAX_BYTES:
        return None, [Problem(file, 1, 1, "the file is too big: at most 5 MB are read")]
    named = _other_unicode(data)
    if named:
        return None, [Problem(file, 1, 1, f"the file is in {named}; save it as UTF-8")]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        return _not_utf8(data, file, error.start)


def _other_unicode(data: bytes) -> str | None:
    """The name of the encoding where it is Unicode, but not UTF-8: by mark or zero bytes."""
    for mark, name in _MARKED:
        if data.startswith(mark):
            return name
    return "UTF-16" if data[:2000].count(0) > len(data[:2000]) // 5 else None


def _not_utf8(data: bytes, file: str, start: int) -> tuple[str | None, list[Problem]]:
    text = None if _mostly_utf8(data) else _gb18030(data)
    if text is not None:
        message = "the file is in GB18030 (GBK); it was read, but save it as UTF-8"
        return text, [Problem(file, 1, 1, message, "warning")]
    before = data[:start].decode("utf-8-sig", errors="replace")
    line, column = _place_after(before)
    message = f"byte 0x{data[start]:02x} is not UTF-8 text; save the file as UTF-8"
    return None, [Problem(file, line, column, message)]


def _place_after(text: str) -> tuple[int, int]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def _mostly_utf8(data: bytes) -> bool:
    """Whether this is UTF-8 with a few damaged bytes: as GB18030 it would come out garbled."""
    text = data.decode("utf-8", errors="replace")
    whole = sum("\u3000" <= c <= "\u9fff" for c in text)
    return whole > text.count("\ufffd")


def _gb18030(data: bytes) -> str | None:
    """The text, unless it is not GB18030 or mostly made of characters that no office writes."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    wide = [c for c in text if not c.isascii()]
    common = len("".join(wide).encode("gb2312", errors="ignore")) // 2
    return text if common >= _SHARE_OF_COMMON_CHARACTERS * len(wide) else None
