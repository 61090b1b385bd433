"""A simulation's script: JSON lines, each with `at` and `do` (design: contracts).

A date without an hour means 00:00, an hour without an offset the plan's zone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config.fields import Email, Instant, Line
from config.problems import Problem

Do = Literal["submit", "accept", "return", "exempt", "override", "holder", "smtp", "daemon"]
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "holder": ("post", "name", "email"),
    "smtp": ("state",),
    "daemon": ("state",),
    "override": ("deadline",),
}
_ABOUT_OBLIGATIONS = ("submit", "accept", "return", "exempt", "override")


class ScriptError(ValueError):
    """The script has mistakes; `problems` names each with its line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Action(BaseModel):
    """One line of a script."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    at: Instant
    do: Do
    key: Line | None = None
    item: Line | None = None
    period: Line | None = None
    section: Line | None = None
    deadline: Instant | None = None
    reason: Line | None = None
    by: Line | None = None
    post: Line | None = None
    name: Line | None = None
    email: Email | None = None
    state: Line | None = None
    reassign: Line | None = Field(
        default=None, description="for override: the section that takes over"
    )

    @model_validator(mode="after")
    def _complete(self) -> Action:
        missing = [n for n in _NEEDS.get(self.do, ()) if getattr(self, n) is None]
        if self.do == "override" and self.reassign is not None:
            missing = []
        if missing:
            raise ValueError(f"'{self.do}' needs {', '.join(map(repr, missing))}")
        if self.do in _ABOUT_OBLIGATIONS and self.key is None and None in (self.item, self.period):
            raise ValueError(f"'{self.do}' needs 'key', or 'item' and 'period'")
        return self

    def named(self) -> tuple[str, str, str | None]:
        """Item, period and section (None: every section that owes it)."""
        if self.key is not None:
            item, _, rest = self.key.partition("/")
            period, _, section = rest.partition("/")
            return item, period, section or None
        return self.item or "", self.period or "", self.section


@dataclass(frozen=True, slots=True)
class Timed:
    """An action with its instant, aware."""

    at: datetime
    action: Action


def read_script(path: Path, zone: ZoneInfo) -> list[Timed]:
    """The actions of a script in the order of time; raises ScriptError with every mistake."""
    problems: list[Problem] = []
    found: list[Timed] = []
    for number, text in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            action = Action.model_validate(json.loads(text))
            found.append(Timed(_aware(action.at, zone), action))
        except json.JSONDecodeError as error:
            problems.append(Problem(path.name, number, error.colno, f"not JSON: {error.msg}"))
        except ValidationError as error:
            problems.extend(_problem(path.name, number, e) for e in error.errors())
    if problems:
        raise ScriptError(problems)
    return sorted(found, key=lambda timed: timed.at)


def _problem(name: str, number: int, error: Any) -> Problem:
    where = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    return Problem(name, number, 1, f"'{where}': {message}" if where else message)


def _aware(when: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(when, datetime):
        return datetime.combine(when, time(), zone)
    return when.replace(tzinfo=zone) if when.tzinfo is None else when
