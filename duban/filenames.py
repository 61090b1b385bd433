"""What people call their files: a clean name to show, and a safe one for a file system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from itertools import count
from typing import Final

UNNAMED: Final = "未命名"
SHOWN_CHARACTERS: Final = 120
SAFE_BYTES: Final = 180
"""Below the 255 bytes of the usual file systems, with room for what a sync client appends."""

_UNSAFE: Final = re.compile(r'[<>:"/\\|?*]+')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def shown_name(given: str) -> str:
    """The name without folders, control characters and marks that turn its reading direction.

    The text stays the sender's otherwise: `..\\..\\3月 专报.docx` is shown as `3月 专报.docx`.
    """
    last = re.split(r"[/\\]", given)[-1]
    printable = "".join(" " if c.isspace() else c for c in last if c.isspace() or _harmless(c))
    return _short(" ".join(printable.split()).strip(" ."), SHOWN_CHARACTERS) or UNNAMED


def safe_name(given: str, taken: Container[str] = ()) -> str:
    """A name that every usual file system takes, true to the sender's; numbered if it is taken.

    `taken` holds names in lower case: some file systems do not tell `A.doc` from `a.doc`.
    """
    name = _UNSAFE.sub("_", shown_name(given))
    if _DEVICES.match(name):
        name = f"_{name}"
    stem, ending = _split(name)
    for number in count(1):
        mark = "" if number == 1 else f"-{number}"
        found = _cut(stem, SAFE_BYTES - len(f"{mark}{ending}".encode())) + mark + ending
        if found.lower() not in taken:
            return found
    raise AssertionError("numbers do not end")  # pragma: no cover


def _harmless(character: str) -> bool:
    return unicodedata.category(character)[0] != "C"


def _short(name: str, length: int) -> str:
    if len(name) <= length:
        return name
    stem, ending = _split(name)
    return f"{stem[: length - len(ending) - 1]}…{ending}"


def _split(name: str) -> tuple[str, str]:
    """Stem and ending; an ending is short, and nothing begins with it."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 10:
        return name, ""
    return stem, dot + ending


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
