"""The entries of a plan: what references are checked on.

An entry with a mistake of its own is there with those of its values that hold, see
`config.salvage`; what it may say otherwise is in doubt, and nothing is concluded from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from config.model import (
    About,
    Item,
    Ladder,
    Milestone,
    Official,
    Override,
    OverridesFile,
    PlanFile,
    Project,
    Rule,
    Section,
)
from config.names import Names
from config.problems import Problem
from config.yamltext import Document, Path


@dataclass
class Source:
    """One file: its name, its places, and the problems found in it so far."""

    file: str
    document: Document
    problems: list[Problem] = field(default_factory=list)

    def error(self, path: Path, message: str) -> None:
        """Report a mistake in the value at `path`."""
        self.problems.append(Problem(self.file, *self.document.place(path), message))

    def warn(self, path: Path, message: str) -> None:
        """Report something at `path` that is allowed, but hardly meant."""
        self.problems.append(Problem(self.file, *self.document.place(path), message, "warning"))

    def confirm(self, path: Path, message: str) -> None:
        """Report what the office should confirm about the value at `path`."""
        self.problems.append(Problem(self.file, *self.document.place(path), message, "confirm"))

    def line(self, path: Path) -> int:
        """The line of the value at `path`."""
        return self.document.place(path)[0]


@dataclass
class Parts:
    """The entries of `plan.yaml` and `overrides.yaml`, each with its path in its file."""

    raw: Mapping[str, Any]
    about: About | None = None
    ladders: dict[str, Ladder] = field(default_factory=dict)
    officials: list[tuple[Path, Official]] = field(default_factory=list)
    sections: list[tuple[Path, Section]] = field(default_factory=list)
    rules: list[tuple[Path, Rule]] = field(default_factory=list)
    milestones: list[tuple[Path, Milestone]] = field(default_factory=list)
    projects: list[tuple[Path, Project]] = field(default_factory=list)
    overrides: list[tuple[Path, Override]] = field(default_factory=list)
    doubts: dict[Path, frozenset[str]] = field(default_factory=dict)
    """The attributes of each entry with a mistake that do not tell what was meant."""

    def sure(self, path: Path, *attributes: str) -> bool:
        """Whether all these attributes of the entry at `path` say what was meant."""
        doubts = self.doubts.get(path)
        return doubts is None or doubts.isdisjoint(attributes)

    def doubt(self, path: Path, attributes: Iterable[str]) -> None:
        """Take it that these attributes of the entry at `path` may not say what was meant."""
        self.doubts[path] = self.doubts.get(path, frozenset()).union(attributes)

    @property
    def items(self) -> list[tuple[Path, Item]]:
        """Rules, milestones and projects."""
        return [*self.rules, *self.milestones, *self.projects]

    @cached_property
    def names(self) -> Names:
        """All names that `plan.yaml` gives, also those of entries with mistakes."""
        return Names(self.raw)


def whole(raw: Mapping[str, Any], file: PlanFile) -> Parts:
    """All parts of a plan that was validated as a whole."""
    return Parts(
        raw=raw,
        about=file.about,
        ladders=dict(file.ladders),
        officials=[(("officials", i), o) for i, o in enumerate(file.officials)],
        sections=[(("sections", i), s) for i, s in enumerate(file.sections)],
        rules=[(("rules", i), r) for i, r in enumerate(file.rules)],
        milestones=[(("milestones", i), m) for i, m in enumerate(file.milestones)],
        projects=[(("projects", i), p) for i, p in enumerate(file.projects)],
    )


def decisions(file: OverridesFile) -> list[tuple[Path, Override]]:
    """The overrides of a file that was validated as a whole, with their paths."""
    return [(("overrides", i), o) for i, o in enumerate(file.overrides)]
