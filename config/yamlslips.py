"""Slips of the hand in YAML that have one sure meaning: found line by line, named, and mended.

Mending serves only to find the file's other mistakes at once; nothing is ever loaded from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

Place = tuple[int, int]

_BAD_INDENT: Final = re.compile(r" *([\t\u00a0\u2000-\u200b\u3000])[\s\u200b]*(?=[^\s#])")
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffd\ufffe\uffff]"
)
_MOST_REPORTED: Final = 50
_KEY: Final = r"[A-Za-z_][A-Za-z_-]*"
_AT_START: Final = re.compile(rf"\s*(?:- +)*({_KEY})\s*(：|:(?=[^\s:/]))")
_IN_FLOW: Final = re.compile(rf"[{{\[,，]\s*({_KEY})\s*(：)")
_AT_END: Final = re.compile(r"\s*(?:- +)*([^\s:：'\"#\[{&*!|>%@`-][^\s:：]{0,19})(：)\s*(?:#.*)?")
_COMMA: Final = re.compile(rf"(，)(?=\s*{_KEY}\s*[:：])")


@dataclass(frozen=True, order=True)
class Slip:
    """One slip at a place, with the text that should stand there instead of its one character."""

    line: int
    column: int
    message: str
    instead: str = ""


def invisible(text: str) -> tuple[str, list[Slip]]:
    """The text with a space for each control or lost character, and a slip for each."""
    slips: list[Slip] = []
    for match in islice(_INVISIBLE.finditer(text), _MOST_REPORTED):
        before = text[: match.start()].replace("\r\n", "\n").replace("\r", "\n")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        slips.append(Slip(line, column, _invisible_message(match[0])))
    return (_INVISIBLE.sub(" ", text), slips) if slips else (text, slips)


def _invisible_message(character: str) -> str:
    if character == "\ufffd":
        return "'\ufffd' stands for a character that was lost in a conversion; write it anew"
    return f"an invisible character (U+{ord(character):04X}); delete it"


def indentation_slips(lines: Iterable[str]) -> Iterator[Slip]:
    """Each line that is indented by a tab or a full-width space; YAML allows only plain spaces."""
    for number, line in enumerate(lines, 1):
        match = _BAD_INDENT.match(line)
        if match:
            name = {"\t": "a tab", "\u3000": "a full-width space"}.get(match[1], "a special space")
            message = f"{name} in the indentation; use ordinary spaces"
            yield Slip(number, match.start(1) + 1, message)


def find_slips(lines: Iterable[str]) -> Iterator[Slip]:
    """Full-width colons after keys, colons without a space, full-width commas between keys."""
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            continue
        found = {m.start(2): m for m in _IN_FLOW.finditer(line)}
        start = _AT_START.match(line) or _AT_END.fullmatch(line)
        if start:
            found[start.start(2)] = start
        for index, match in sorted(found.items()):
            yield _colon(number, index, match, line)
        if "{" in line:
            for comma in _COMMA.finditer(line):
                message = "a full-width comma '，' between two keys; type ','"
                yield Slip(number, comma.start(1) + 1, message, ",")


def _colon(number: int, index: int, match: re.Match[str], line: str) -> Slip:
    spaced = not line[index + 1 :] or line[index + 1] == " "
    message = f"the ':' after '{match[1]}' needs a space behind it"
    if match[2] == "：":
        message = f"a full-width colon '：' after '{match[1]}'; type ':' and a space"
    return Slip(number, index + 1, message, ":" if spaced else ": ")


def mended(lines: list[str], slips: Iterable[Slip]) -> tuple[list[str], Callable[[Place], Place]]:
    """The lines as they were meant, and the way back from a place in them to the file's."""
    made = list(lines)
    inserted: dict[int, list[int]] = {}
    for slip in sorted(slips, reverse=True):
        text, at = made[slip.line - 1], slip.column - 1
        made[slip.line - 1] = text[:at] + slip.instead + text[at + 1 :]
        if len(slip.instead) > 1:
            inserted.setdefault(slip.line, []).append(slip.column)

    def back(place: Place) -> Place:
        line, column = place
        for at in sorted(inserted.get(line, ())):
            if column > at:
                column -= 1
        return line, column

    return made, back
