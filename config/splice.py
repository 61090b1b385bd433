"""Write one of the office's decisions into `overrides.yaml`: all else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from config.durable import replace_file
from config.edit import locked
from config.encoding import decode
from config.loader import OVERRIDES, load_plan
from config.problems import Problem
from config.yamltext import Document, Place, read_text, split_lines

Entry = Mapping[str, str | bool]

KEYS: Final = ("item", "period", "section", "deadline", "exempt", "reassign", "reason", "by")
_KINDS: Final = ("deadline", "exempt", "reassign")
_SAME: Final = ("item", "period", "section")


class OverrideRefusedError(ValueError):
    """A decision that would not make a valid `overrides.yaml`; nothing was written."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(str(p) for p in problems))
        self.problems = problems


def write_override(folder: Path, entry: Entry) -> None:
    """Add `entry` to the plan's `overrides.yaml`, or replace the one that it repeats.

    The file is replaced in one step, and only by one with which the plan loads; otherwise
    OverrideRefusedError is raised with the problems. One writer at a time; a file in GB18030
    becomes UTF-8.
    """
    with locked(folder):
        path = (folder / OVERRIDES).resolve()
        old = path.read_bytes() if path.exists() else b""
        text, problems = decode(old, OVERRIDES)
        if text is None:
            raise OverrideRefusedError(tuple(problems))
        mark = "\ufeff" if old.startswith(b"\xef\xbb\xbf") else ""
        new = (mark + add_override(text, entry)).encode()
        loaded = load_plan(folder, instead={OVERRIDES: new})
        if loaded.plan is None:
            raise OverrideRefusedError(loaded.errors)
        replace_file(path, new)


def written(when: date | datetime) -> str:
    """A deadline as the office would write it: a day, or a day with its hour."""
    if not isinstance(when, datetime):
        return when.isoformat()
    if when.tzinfo is not None or when.second:
        return when.isoformat()
    return f"{when:%Y-%m-%d %H:%M}"


def add_override(text: str, entry: Entry) -> str:
    """The text of an `overrides.yaml` with `entry` added, or in place of the one that it repeats.

    An entry repeats another where item, period, section and the kind of decision are the same.
    Comments, order and line endings stay. Raises ValueError where the text is not valid, or the
    result would not hold the old entries and the new one.
    """
    document = _parsed(text)
    old = _entries(document)
    new = {k: entry[k] for k in KEYS if k in entry and entry[k] is not False}
    if set(entry) - set(KEYS):
        raise ValueError(f"an override has no key {min(set(entry) - set(KEYS))!r}")
    meant = {k: "true" if v is True else str(v) for k, v in new.items()}
    same = [i for i, e in enumerate(old) if _repeats(e, meant)]
    if same:
        result = _replaced(text, document, same[-1], meant)
        expected = [*old[: same[-1]], meant, *old[same[-1] + 1 :]]
    else:
        result = _appended(text, document, meant)
        expected = [*old, meant]
    if _entries(_parsed(result)) != expected:
        raise ValueError(
            "the decision could not be written into this overrides.yaml; edit it by hand"
        )
    return result


def _parsed(text: str) -> Document:
    document, problems = read_text(text, OVERRIDES)
    if document is None or problems:
        raise OverrideRefusedError(tuple(problems))
    return document


def _entries(document: Document) -> list[dict[str, Any]]:
    """The entries as written, a key without a value left out."""
    value = document.value
    if value is not None and not isinstance(value, dict):
        raise ValueError("overrides.yaml must hold the key 'overrides'")
    listed = (value or {}).get("overrides") or []
    if not isinstance(listed, list) or not all(isinstance(e, dict) for e in listed):
        raise ValueError("'overrides' must be a list of entries")
    return [{k: v for k, v in e.items() if v is not None} for e in listed]


def _repeats(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    same = all(one.get(key) == other.get(key) for key in _SAME)
    return same and any(key in one and key in other for key in _KINDS)


class _Lines:
    """A text as lines with their ends, to be changed at places of its document."""

    def __init__(self, text: str) -> None:
        found = re.search(r"\r\n|\r|\n", text)
        self.end = found[0] if found else "\n"
        self.lines = split_lines(text)
        self.ends = [*re.findall(r"\r\n|\r|\n", text), ""]

    def cut(self, start: Place, end: Place, instead: str) -> None:
        """Put `instead` between two places of a line, or of lines that then become one."""
        first, last = start[0] - 1, end[0] - 1
        if end[1] == 1 and last > first:  # a '|' text: its last line's end belongs to the layout
            last, end = last - 1, (last, len(self.lines[last - 1]) + 1)
        tail = self.lines[last][end[1] - 1 :]
        self.lines[first : last + 1] = [self.lines[first][: start[1] - 1] + instead + tail]
        self.ends[first : last + 1] = [self.ends[last]]

    def insert(self, after: int, new: list[str]) -> None:
        """Put new lines behind line `after` (from 1; 0 for the beginning)."""
        if after and not self.ends[after - 1]:
            self.ends[after - 1] = self.end
            self.ends.insert(after, "")
            self.lines.insert(after, "")
        self.lines[after:after] = new
        self.ends[after:after] = [self.end] * len(new)

    def delete(self, line: int) -> None:
        """Take line `line` (from 1) out."""
        del self.lines[line - 1], self.ends[line - 1]

    def __str__(self) -> str:
        return "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))


def _appended(text: str, document: Document, entry: Mapping[str, str]) -> str:
    lines = _Lines(text)
    key = ("overrides",)
    listed = document.value.get("overrides") if document.value else None
    if key not in document.keys:
        filled = len(lines.lines) - (not lines.lines[-1])
        lines.insert(filled, ["overrides:", *_block(entry, 2)])
    elif listed and key in document.ends:
        lines.cut(_before_bracket(document), _before_bracket(document), ", " + _flow(entry))
    elif listed:
        indent = document.values[key][1] - 1
        last = max(place for way, place in document.ends.items() if way[:1] == key)
        lines.insert(_line_of(last), _block(entry, indent))
    else:
        start, end = document.values[key], document.ends[key]
        line, indent = document.keys[key][0], document.keys[key][1] + 1
        if start != document.keys[key]:
            lines.cut(start, end, "")
            lines.lines[line - 1] = lines.lines[line - 1].rstrip()
        lines.insert(line, _block(entry, indent))
    return str(lines)


def _line_of(end: Place) -> int:
    """The last line of a value that ends at `end`: a '|' text ends where the next line begins."""
    return end[0] - (end[1] == 1)


def _before_bracket(document: Document) -> Place:
    """Behind the last entry of a list in brackets, before any comma or comment."""
    last = len(document.value["overrides"]) - 1
    return document.ends["overrides", last]


def _replaced(text: str, document: Document, index: int, entry: Mapping[str, str]) -> str:
    """Change the entry value by value, from the last to the first: so earlier places hold."""
    lines = _Lines(text)
    way = ("overrides", index)
    old: dict[str, Any] = document.value["overrides"][index]
    flow = way in document.ends
    written = sorted(old, key=lambda k: document.keys[*way, k])
    last = max(document.ends[*way, k] for k in written)
    added = [f"{key}: {_scalar(value, flow)}" for key, value in entry.items() if key not in old]
    if added and flow:
        lines.cut(last, last, ", " + ", ".join(added))
    elif added:
        indent = " " * (document.values[way][1] - 1)
        lines.insert(_line_of(last), [indent + line for line in added])
    for key in reversed(written):
        start, end = document.values[*way, key], document.ends[*way, key]
        if key not in entry:
            _drop(lines, document, (*way, key), flow)
        elif old[key] is None:
            lines.cut(end, end, "")
        elif old[key] != entry[key]:
            lines.cut(start, end, _scalar(entry[key], flow))
    return str(lines)


def _drop(lines: _Lines, document: Document, way: tuple[str | int, ...], flow: bool) -> None:
    """Take a key with its value out; a comment behind it stays on a line of its own."""
    start, end = document.keys[way], document.ends[way]
    if flow:
        before = lines.lines[start[0] - 1][: start[1] - 1].rstrip()
        behind = re.match(r"\s*,\s*", lines.lines[end[0] - 1][end[1] - 1 :])
        if before.endswith(","):
            start = (start[0], len(before))
        elif behind:
            end = (end[0], end[1] + behind.end())
        lines.cut(start, end, "")
        return
    lines.cut(start, end, "")
    if not lines.lines[start[0] - 1].strip():
        lines.delete(start[0])


def _block(entry: Mapping[str, str], indent: int) -> list[str]:
    space = " " * indent
    return [
        f"{space}{'- ' if number == 0 else '  '}{key}: {_scalar(value, flow=False)}"
        for number, (key, value) in enumerate(entry.items())
    ]


def _flow(entry: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{k}: {_scalar(v, flow=True)}" for k, v in entry.items()) + "}"


def _scalar(value: str, flow: bool) -> str:
    """The value as YAML: plain where that reads back as the same, else in single quotes."""
    if not value.isprintable():
        raise ValueError("a decision's texts must be one line, without control characters")
    for written in (value, "'" + value.replace("'", "''") + "'"):
        text = f"[{written}, x]" if flow else f"- {written}\n- x"
        document, problems = read_text(text, OVERRIDES)
        if document is not None and not problems and document.value == [value, "x"]:
            return written
    raise ValueError("this text cannot be written into overrides.yaml")
