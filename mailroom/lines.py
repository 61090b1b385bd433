"""Plain text laid out for a fixed-width screen, where a Chinese character takes two columns."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate, chain
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
    no line begins with a closing mark or a space and none ends with an opening mark.
    """
    room = WIDTH_COLUMNS - indent
    if 2 * len(text) <= room:
        return text
    used = [0, *accumulate(map(_width, text))]
    lines: list[str] = []
    start = 0
    while used[-1] - used[start] > room:
        at = _last_break(text, start, bisect_right(used, used[start] + room) - 1)
        if at is None:
            break
        lines.append(text[start:at].rstrip())
        start = at + (text[at] == " ")
    return ("\n" + " " * indent).join([*lines, text[start:]])


def _last_break(text: str, start: int, end: int) -> int | None:
    """Where the line that starts at `start` may end: at `end` at the latest, or else soon after."""
    for at in chain(range(end, start, -1), range(end + 1, len(text))):
        if _BREAK.match(text, at):
            return at
    return None
