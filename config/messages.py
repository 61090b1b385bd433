"""Pydantic's findings as problems: at the line and column of the value, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.problems import MisplacedError, Problem
from config.suggest import did_you_mean, nearest, quoted, wide_hint
from config.yamltext import Document, Path

_WHOLE: Final = "is not a whole number"
_LIST: Final = "must be a list, each entry after a '- ' on a line of its own"
_TEXTS: Final = {
    "int_parsing": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "bool_parsing": "is not true or false",
    "bool_type": "is not true or false",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long: at most 1000 characters",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "too_short": "needs at least one entry",
    "date_type": "must be a date like 2023-03-25",
    "datetime_type": "must be a date like 2023-03-25",
    "time_type": "must be a time of day like 09:00",
}
# Of a list with a wrong entry pydantic also says that it is no word, or too short without it.
_FOLLOWING: Final = frozenset({"literal_error", "too_short"})
_MAPPINGS: Final = frozenset({"model_type", "model_attributes_type", "dict_type"})
_WIDE_COLON: Final = re.compile(r"\s*([^\s：]{1,20})\s*(：)")


def problems_of(
    error: ValidationError,
    document: Document,
    file: str,
    model: type[BaseModel],
    at: Path = (),
) -> list[Problem]:
    """A problem for each thing that is wrong with the value at `at`, which is to be a `model`."""
    found = error.errors(include_url=False)
    reader = _Reader(document, file, model, at)
    renamed = {reader.renamed(e) for e in found if e["type"] == "extra_forbidden"}
    kept = [e for e in found if not (e["type"] == "missing" and reader.parent(e) in renamed)]
    merged = reader.merged(kept)
    return [reader.problem(group) for group in merged]


class _Reader:
    """Turns the errors of one validation into places and words."""

    def __init__(self, document: Document, file: str, model: type[BaseModel], at: Path) -> None:
        self.document = document
        self.file = file
        self.model = model
        self.at = at

    def path(self, error: ErrorDetails) -> Path:
        """The way to the value in the file: without the names of branches that pydantic adds."""
        path = self.at
        for part in error["loc"]:
            if (*path, part) in self.document.values:
                path = (*path, part)
        return path

    def parent(self, error: ErrorDetails) -> tuple[Path, str]:
        """The mapping that lacks a key, and the key."""
        return self.path(error), str(error["loc"][-1])

    def renamed(self, error: ErrorDetails) -> tuple[Path, str]:
        """The mapping with an unknown key, and the key that was probably meant."""
        path = self.path(error)
        known = nearest(str(path[-1]) if path else "", known_keys(self.model, error["loc"][:-1]))
        return path[:-1], known or ""

    def merged(self, errors: Iterable[ErrorDetails]) -> list[list[ErrorDetails]]:
        """The errors by value: a value that fits no branch of a union has one error for each."""
        groups: dict[tuple[Path, str], list[ErrorDetails]] = {}
        for error in errors:
            key = str(error["loc"][-1]) if error["type"] == "missing" else ""
            groups.setdefault((self.path(error), key), []).append(error)
        deeper = {path[:n] for path, _ in groups for n in range(len(path))}
        return [
            group
            for (path, _), group in groups.items()
            if path not in deeper or any(e["type"] not in _FOLLOWING for e in group)
        ]

    def problem(self, group: list[ErrorDetails]) -> Problem:
        """One problem for the errors of one value."""
        error = group[0]
        path = self.path(error)
        if error["type"] == "missing":
            key = str(error["loc"][-1])
            return Problem(self.file, *self.document.place(path), f"missing key {quoted(key)}")
        if error["type"] == "extra_forbidden":
            return self._unknown(error, path)
        if error["loc"] and error["loc"][-1] == "[key]":
            message = f"{quoted(str(path[-1]))} {_text(error)}"
            return Problem(self.file, *self.document.key_place(path), message)
        cause = error.get("ctx", {}).get("error")
        if isinstance(cause, MisplacedError):
            path = (*path, *cause.where)
        if error["type"] in _MAPPINGS and error["input"] is not None:
            return self._no_mapping(error, path)
        return Problem(self.file, *self.document.place(path), _message(group, path))

    def _unknown(self, error: ErrorDetails, path: Path) -> Problem:
        key = str(path[-1]) if path else ""
        line, column = self.document.key_place(path)
        wide = _WIDE_COLON.match(key)
        if wide:
            return Problem(self.file, line, column + wide.start(2), _wide_colon(wide))
        known = known_keys(self.model, error["loc"][:-1])
        hint = did_you_mean(key, known) or f" (known here: {', '.join(known)})"
        return Problem(self.file, line, column, f"unknown key {quoted(key)}{hint}")

    def _no_mapping(self, error: ErrorDetails, path: Path) -> Problem:
        value = error["input"]
        line, column = self.document.place(path)
        wide = _WIDE_COLON.match(value) if isinstance(value, str) else None
        if wide:
            return Problem(self.file, line, column + wide.start(2), _wide_colon(wide))
        known = ", ".join(f"'{key}: …'" for key in known_keys(self.model, error["loc"])[:3])
        shown = f"{quoted(value)} " if isinstance(value, str) else ""
        return Problem(
            self.file, line, column, f"{shown}must be keys with their values, such as {known}"
        )


def _wide_colon(found: re.Match[str]) -> str:
    return f"a full-width colon '：' after {quoted(found[1])}; type ':' and a space"


def _message(group: list[ErrorDetails], path: Path) -> str:
    value = group[0]["input"]
    if value is None:
        named = path and isinstance(path[-1], str)
        return f"the key {quoted(str(path[-1]))} has no value" if named else "this entry is empty"
    # A wrong value for a list of one is also said to leave the list too short.
    wrong = [e for e in group if e["type"] != "too_short"] or group
    texts = list(dict.fromkeys(_text(e) for e in wrong))
    text = texts[-1]
    if all(t.startswith("is not ") for t in texts):
        text = "is not " + ", nor ".join(t.removeprefix("is not ") for t in texts)
    if isinstance(value, str):
        text = _joined(value, text)
        return text if "did you mean" in text else text + wide_hint(value)
    return text


def _joined(value: str, text: str) -> str:
    if text.startswith(("is ", "are ", "must ", "needs ")):
        return f"{quoted(value)} {text}"
    return f"{quoted(value)}: {text}"


def _text(error: ErrorDetails) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in ("enum", "literal_error"):
        return _one_of(value, re.findall(r"'([^']*)'", str(context["expected"])))
    if kind == "string_type":
        return "must be text, not a list" if isinstance(value, list) else "must be text"
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']}"
    return _TEXTS.get(kind) or error["msg"].lower()


def _one_of(value: Any, known: list[str]) -> str:
    hint = did_you_mean(value, known) if isinstance(value, str) else ""
    if len(known) == 1:
        return f"is not '{known[0]}'{hint}"
    return f"is not one of {', '.join(known)}{hint}"


def known_keys(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    """The keys that the mapping at `loc` may have, as they are written in the file."""
    for part in loc:
        found = _fields(model).get(part) if isinstance(part, str) else None
        model = model_in(found) or model
    return list(_fields(model))


def _fields(model: type[BaseModel]) -> Mapping[str, Any]:
    needed_first = sorted(model.model_fields.items(), key=lambda pair: not pair[1].is_required())
    return {f.alias or name: f.annotation for name, f in needed_first}


def model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = model_in(argument)
        if found is not None:
            return found
    return None
