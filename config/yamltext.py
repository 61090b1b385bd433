"""YAML 1.2 as an office writes it: plain texts, lists and mappings, each with its line and column.

Every scalar stays text (no dates, no `on` as a truth value, no `9:30` as 570 minutes); only an
empty plain scalar, `~` and `null` are None. The models make the types. Lines and columns count
from 1, columns in characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from config.encoding import decode
from config.problems import Problem
from config.suggest import quoted
from config.yamlslips import Slip, find_slips, indentation_slips, invisible, mended
from config.yamltrouble import DIRECTIVE, explain

Path = tuple[str | int, ...]
Place = tuple[int, int]

MAX_DEPTH: Final = 30
"""A plan nests seven deep; a bomb nests without end."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_HALF: Final = re.compile("[\ud800-\udfff]")


@dataclass
class Document:
    """What a file says: its value (mapping, list, text or None) and the places of all its parts.

    `values` maps a path to where its value begins, `ends` to where a text or bracketed value ends,
    `keys` to where its key begins.
    """

    value: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    ends: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Where the value at `path` begins (an empty one's key), or what encloses it."""
        for length in range(len(path), -1, -1):
            found = self.values.get(path[:length])
            if found is not None:
                return found
        return (1, 1)

    def key_place(self, path: Path) -> Place:
        """Where the key at `path` begins, or, where it has none, its value."""
        return self.keys.get(path) or self.place(path)


class _RefusedError(Exception):
    """The document cannot be built any further."""


def split_lines(text: str) -> list[str]:
    """The lines of a text without their ends, as editors count them."""
    return _LINE_BREAK.split(text)


def read(data: bytes, file: str) -> tuple[Document | None, list[Problem]]:
    """Decode and read `file`; the document is None where its structure could not be made out."""
    text, problems = decode(data, file)
    if text is None:
        return None, problems
    document, found = read_text(text, file)
    return document, problems + found


def read_text(text: str, file: str) -> tuple[Document | None, list[Problem]]:
    """Read a decoded text, see `read`."""
    text, slips = invisible(text)
    lines = split_lines(text)
    tabs = list(indentation_slips(lines))
    if tabs:
        return None, _problems(file, [*slips, *tabs, *find_slips(lines)])
    # A tab that is no indentation only separates; the two parsers differ in where they allow it.
    text = text.replace("\t", " ")
    document, found = _compose(text, lines, file)
    if document is not None:
        document.lines = lines
    return document, _problems(file, slips) + found


def _problems(file: str, slips: Iterable[Slip]) -> list[Problem]:
    return [Problem(file, s.line, s.column, s.message) for s in slips]


def _compose(text: str, lines: list[str], file: str) -> tuple[Document | None, list[Problem]]:
    """Build the document; where known slips prevent it, mend them to see what else is wrong."""
    try:
        return _build(text, file)
    except yaml.YAMLError as error:
        slips = list(find_slips(lines))
        if not slips:
            return None, [Problem(file, *explain(error, lines))]
    found = _problems(file, slips)
    repaired, back = mended(lines, slips)
    try:
        document, more = _build("\n".join(repaired), file)
    except yaml.YAMLError as error:
        line, column, message = explain(error, repaired)
        return None, [*found, Problem(file, *back((line, column)), message)]
    if document is not None:
        _move(document, back)
    return document, [
        *found,
        *(Problem(file, *back((p.line, p.column)), p.message) for p in more),
    ]


def _move(document: Document, back: Callable[[Place], Place]) -> None:
    for places in (document.values, document.keys, document.ends):
        for path, place in places.items():
            places[path] = back(place)


def _build(text: str, file: str) -> tuple[Document | None, list[Problem]]:
    builder = _Builder(file)
    try:
        for event in _events(text):
            builder.take(event)
    except _RefusedError:
        return None, builder.problems
    return builder.document, builder.problems


def _events(text: str) -> Iterator[Event]:
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    events: Iterator[Event] = yaml.parse(text, Loader=loader)
    return events


def _begin(event: Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _end(event: Event) -> Place:
    mark = event.end_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


_UNSET: Final = object()


@dataclass(slots=True)
class _Frame:
    """One open mapping or list; `key` is the mapping's key whose value comes next."""

    made: dict[str, Any] | list[Any]
    path: Path
    flow: bool
    key: Any = _UNSET
    dropped: bool = False


class _Builder:
    """Makes a document from parse events, without recursion: no input exhausts the stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.document = Document()
        self.problems: list[Problem] = []
        self._open: list[_Frame] = []
        self._documents = 0

    def take(self, event: Event) -> None:
        """Go on by one event; raise _RefusedError where nothing sensible can follow."""
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, MappingStartEvent):
            self._start(event, {})
        elif isinstance(event, SequenceStartEvent):
            self._start(event, [])
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            frame = self._open.pop()
            if frame.flow:
                self.document.ends[frame.path] = _end(event)
        elif isinstance(event, AliasEvent):
            self._refuse(
                event, f"{quoted(f'*{event.anchor}')} repeats another part; write it out instead"
            )
        elif isinstance(event, DocumentStartEvent):
            self._begin_document(event)

    def _begin_document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if event.version or event.tags:
            self._refuse(event, DIRECTIVE)
        if self._documents > 1:
            self._refuse(event, "a second document begins here; a file holds just one")

    def _error(self, place: Place, message: str) -> None:
        self.problems.append(Problem(self.file, *place, message))

    def _refuse(self, event: Event, message: str) -> None:
        self._error(_begin(event), message)
        raise _RefusedError

    def _check_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        tag = event.tag
        if tag is not None and tag != "!":
            short = tag.replace("tag:yaml.org,2002:", "!!")
            self._error(_begin(event), f"the tag {quoted(short)} has no meaning here; leave it out")

    def _scalar(self, event: ScalarEvent) -> None:
        self._check_tag(event)
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.made, dict) and frame.key is _UNSET:
            self._key(frame, frame.made, event)
            return
        path = self._path()
        empty = not event.style and event.value in _NULLS
        place = _begin(event)
        if empty and not event.value:
            place = self.document.keys.get(path, place)
        self.document.values[path] = place
        self.document.ends[path] = place if empty and not event.value else _end(event)
        self._check_text(event.value, place)
        self._put(None if empty else event.value)

    def _check_text(self, value: str, place: Place) -> None:
        # Only the pure parser lets an escaped half of a character pass.
        if not value.isascii() and _HALF.search(value):
            self._error(place, "an escape stands for half a character; write the character itself")
            raise _RefusedError

    def _key(self, frame: _Frame, made: dict[str, Any], event: ScalarEvent) -> None:
        key = event.value
        place = _begin(event)
        self._check_text(key, place)
        if not event.style and key in _NULLS:
            self._error(place, "a key must be text; here it is empty")
            raise _RefusedError
        frame.key = key
        frame.dropped = key in made
        if frame.dropped:
            first = self.document.keys[(*frame.path, key)][0]
            self._error(
                place, f"the key {quoted(key)} is given twice; the first is on line {first}"
            )
            frame.key = _Second(key)
        self.document.keys[(*frame.path, frame.key)] = place

    def _start(
        self, event: MappingStartEvent | SequenceStartEvent, made: dict[str, Any] | list[Any]
    ) -> None:
        self._check_tag(event)
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.made, dict) and frame.key is _UNSET:
            self._refuse(event, "a key must be plain text, not a list or a mapping")
        if len(self._open) >= MAX_DEPTH:
            self._refuse(event, f"nested too deep: more than {MAX_DEPTH} levels")
        path = self._path()
        self.document.values[path] = _begin(event)
        self._put(made)
        self._open.append(_Frame(made, path, bool(event.flow_style)))

    def _path(self) -> Path:
        if not self._open:
            return ()
        frame = self._open[-1]
        return (*frame.path, len(frame.made) if isinstance(frame.made, list) else frame.key)

    def _put(self, value: Any) -> None:
        if not self._open:
            self.document.value = value
            return
        frame = self._open[-1]
        if isinstance(frame.made, list):
            frame.made.append(value)
        else:
            if not frame.dropped:
                frame.made[frame.key] = value
            frame.key = _UNSET


class _Second(str):
    """A key given a second time: its places must not overwrite the first's."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)
