"""Plain text laid out for a fixed-width screen, where a Chinese character takes two columns."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import east_asian_width

WIDTH_COLUMNS = 76
_NOT_FIRST = "，。、；：！？）》】”’…"
_NOT_LAST = "（《【“‘"
_LATIN = r"[\x00-\x1f!-\x7f]"
_BREAK = re.compile(rf"(?<![{_NOT_LAST}])(?![{_NOT_FIRST}])(?:(?<!{_LATIN})|(?!{_LATIN}))")
"""Between two characters where a line may end: nothing stands there."""


def columns(text: str) -> int:
    """How many columns `text` takes: two for wide and full-width characters (UAX 11), else one.

    Ambiguous ones (“ ” … ·) count as two: that is how Chinese fonts draw them.
    """
    return len(text) if text.isascii() else sum(map(_width, text))


@lru_cache(maxsize=8192)
def _width(character: str) -> int:
    return 2 if east_asian_width(character) in "WFA" else 1


def pad(text: str, width: int) -> str:
    """`text` with spaces after it, up to `width` columns."""
    return text + " " * (width - columns(text))


@lru_cache(maxsize=2048)
def wrap(text: str, indent: int = 0) -> str:
    """`text` broken into lines of at most 76 columns, all but the first indented by `indent`.

    The first line is taken to start at column `indent` too. Latin words and addresses stay whole,
    no line begins with a closing mark and none ends with an opening one.
    """
    if indent + 2 * len(text) <= WIDTH_COLUMNS:
        return text
    lines: list[str] = []
    line, used = "", indent
    for piece in _BREAK.split(text):
        width = _piece_columns(piece)
        if line and used + width > WIDTH_COLUMNS:
            lines.append(line.rstrip())
            line, used = "", indent
            if piece == " ":
                continue
        line, used = line + piece, used + width
    return ("\n" + " " * indent).join([*lines, line])


@lru_cache(maxsize=8192)
def _piece_columns(piece: str) -> int:
    return columns(piece)
