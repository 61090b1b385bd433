"""Did you mean …: the known word nearest to a mistyped one, and how to quote a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LONGEST_QUOTED: Final = 40
_WIDE_SIGNS: Final = "“”‘’、　"


def quoted(value: str) -> str:
    """The value in single quotes, shortened, without line breaks or unprintable characters."""
    shown = value if len(value) <= _LONGEST_QUOTED else value[: _LONGEST_QUOTED - 1] + "…"
    return "'" + "".join(c if c.isprintable() else "·" for c in shown) + "'"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if any is near; half of a short name is near enough."""
    import difflib  # slow, and wanted only after a mistake

    found = difflib.get_close_matches(word[:100], list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing where nothing is near."""
    if "，" in word or "、" in word:
        return wide_hint(word)
    found = nearest(word, known)
    return f" (did you mean {quoted(found)}?)" if found else wide_hint(word)


def wide_hint(value: str) -> str:
    """` (…)` where the value has full-width signs that were hardly meant, else nothing."""
    wide = [c for c in value if c in _WIDE_SIGNS or "\uff01" <= c <= "\uff5e"]
    return f" ('{wide[0]}' is a full-width character)" if wide else ""
