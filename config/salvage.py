"""What still holds in a file with mistakes: each entry with those of its values that are right.

A mistake in one value must not hide that another value names a section which does not exist. So
an entry that pydantic refuses is made all the same, unvalidated, of the values that it takes one
by one. A needed value that is missing or wrong is None there (a list: empty), another has its
default; `doubts` of the parts tells which these are. Such entries never reach a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from config.messages import model_in
from config.model import (
    About,
    Ladder,
    Milestone,
    Official,
    Override,
    Project,
    Rule,
    Section,
)
from config.names import entries, keys_of
from config.parts import Parts
from config.suggest import nearest
from config.yamltext import Path

_LADDER: Final = TypeAdapter[Ladder](Ladder)
_LISTS: Final = frozenset({"sections", "excluding", "leads"})
"""The lists that name others: of these a wrong entry is dropped, not the whole."""
_Entry = TypeVar("_Entry", bound=BaseModel)


def parts_of(raw: Mapping[str, Any]) -> Parts:
    """The entries of a `plan.yaml` that does not hold as a whole."""
    parts = Parts(raw=raw)
    parts.officials = _each(parts, raw, "officials", Official)
    parts.sections = _each(parts, raw, "sections", Section)
    parts.rules = _each(parts, raw, "rules", Rule)
    parts.milestones = _each(parts, raw, "milestones", Milestone)
    parts.projects = _each(parts, raw, "projects", Project)
    if isinstance(raw.get("plan"), dict):
        parts.about = _entry(parts, ("plan",), About, raw["plan"])
    ladders = raw.get("ladders")
    for name, rungs in ladders.items() if isinstance(ladders, dict) else ():
        try:
            parts.ladders[name] = _LADDER.validate_python(rungs)
        except ValidationError:
            continue
    return parts


def add_overrides(parts: Parts, raw: Mapping[str, Any]) -> None:
    """Take the entries of an `overrides.yaml` that does not hold as a whole."""
    parts.overrides = _each(parts, raw, "overrides", Override)


def _each(
    parts: Parts, raw: Mapping[str, Any], key: str, model: type[_Entry]
) -> list[tuple[Path, _Entry]]:
    return [(path, _entry(parts, path, model, entry)) for path, entry in entries(raw, key)]


def _entry(parts: Parts, path: Path, model: type[_Entry], raw: Mapping[str, Any]) -> _Entry:
    try:
        return model.model_validate(raw)
    except ValidationError:
        made, doubts = _salvaged(model, raw)
        parts.doubt(path, doubts)
        return made


def _salvaged(model: type[_Entry], raw: Mapping[str, Any]) -> tuple[_Entry, set[str]]:
    """An entry of the values that hold, and the names of its attributes that are in doubt."""
    values: dict[str, Any] = {}
    doubts: set[str] = set()
    absent: dict[str, str] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        left_out = () if name in _LISTS else None
        values[name] = left_out if field.is_required() else field.get_default()
        if key not in raw:
            absent[key] = name
            if field.is_required():
                doubts.add(name)
            continue
        try:
            values[name] = _adapter(model, name).validate_python(raw[key])
        except ValidationError:
            doubts.add(name)
            if name in _LISTS and isinstance(raw[key], list):
                values[name] = tuple(_element(model, name, element) for element in raw[key])
    for key in raw.keys() - keys_of(model):
        meant = nearest(key, absent)
        doubts.update([absent[meant]] if meant else absent.values())
    return model.model_construct(**values), doubts


def _element(model: type[BaseModel], name: str, raw: Any) -> Any:
    """One entry of a list, at its old place: None, or what is left of it, where it is wrong."""
    try:
        return _adapter(model, name).validate_python([raw])[0]
    except ValidationError:
        inner = model_in(model.model_fields[name].annotation)
        return _salvaged(inner, raw if isinstance(raw, dict) else {})[0] if inner else None


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """Validates one attribute's value by itself."""
    field = model.model_fields[name]
    annotated = cast("Any", field.annotation)
    for rule in field.metadata:
        annotated = Annotated[annotated, rule]
    return TypeAdapter(annotated)
