"""Plain text laid out for a fixed-width screen, where a Chinese character takes two columns."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import east_asian_width

WIDTH_COLUMNS = 76
_NOT_FIRST = "，。、；：！？）》】”’…"
_NOT_LAST = "（《【“‘"


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
    for piece, width in _pieces(text):
        if line and used + width > WIDTH_COLUMNS:
            lines.append(line.rstrip())
            line, used = "", indent
            if piece == " ":
                continue
        line, used = line + piece, used + width
    return ("\n" + " " * indent).join([*lines, line])


def _pieces(text: str) -> list[tuple[str, int]]:
    """What a line may break between, each with its columns."""
    pieces: list[tuple[str, int]] = []
    for c in text:
        last, width = pieces[-1] if pieces else ("", 0)
        if last and (c in _NOT_FIRST or last[-1] in _NOT_LAST or (_latin(c) and _latin(last))):
            pieces[-1] = (last + c, width + _width(c))
        else:
            pieces.append((c, _width(c)))
    return pieces


def _latin(piece: str) -> bool:
    return piece[-1].isascii() and piece[-1] != " "
