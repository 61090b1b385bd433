"""What is wrong, or to be confirmed, in an office's file: where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class Problem:
    """One finding at a place of a file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    message: str
    severity: Literal["error", "warning", "confirm"] = "error"

    def __str__(self) -> str:
        """`plan.yaml:12:7: message`."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class MisplacedError(ValueError):
    """A mistake in one part of a larger value: `where` is the way to that part from the value."""

    def __init__(self, message: str, *where: str | int) -> None:
        super().__init__(message)
        self.where = where
