"""Parameters of MIME headers (RFC 2045, RFC 2231), such as the names of files."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

from mailroom.reader.charsets import decode, header_text, one_line, raw_bytes

_MAX_PARAMETERS: Final = 100
_PARAMETER: Final = re.compile(
    r""";\s*([^\s=;"]{1,60})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))""", re.DOTALL
)
_NUMBERED: Final = re.compile(r"(?P<name>[^*]+)(?:\*(?P<part>\d{1,3}))?(?P<coded>\*)?")
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')


def parameters(raw: str) -> dict[str, str]:
    """The parameters of a header, by lower-case name; pieces of RFC 2231 are put together."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    unfolded = raw.replace("\r", "").replace("\n", "")
    for found in islice(_PARAMETER.finditer(unfolded), _MAX_PARAMETERS):
        quoted, bare = found[2], (found[3] or "").strip()
        value = bare if quoted is None else _unquoted(quoted)
        key = _NUMBERED.fullmatch(found[1].lower())
        if key is None:
            continue
        if key["part"] is None and not key["coded"]:
            plain.setdefault(key["name"], header_text(value))
        else:
            part = int(key["part"] or 0)
            pieces.setdefault(key["name"], {}).setdefault(part, (value, bool(key["coded"])))
    return plain | {name: _joined(found) for name, found in pieces.items()}


def _unquoted(value: str) -> str:
    # Windows clients put whole paths between quotes: only an escaped quote or backslash is one
    return re.sub(r'\\(["\\])', r"\1", value)


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    label, data = "", b""
    for number in sorted(pieces):
        value, coded = pieces[number]
        if coded and number == min(pieces) and value.count("'") >= 2:
            label, _, value = value.split("'", 2)
        data += unquote_to_bytes(raw_bytes(value)) if coded else raw_bytes(value)
    if label:
        return one_line(decode(data, label))
    return header_text(data.decode("ascii", "surrogateescape"))
