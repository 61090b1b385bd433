"""The entries of a plan that hold by themselves: what references are checked on.

An entry with a mistake of its own is not among the parts, but its name is known, so that no
reference to it is reported as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """The good entries of `plan.yaml` and `overrides.yaml`, each with its path in its file."""

    raw: Mapping[str, Any]
    about: About | None = None
    ladders: dict[str, Ladder] = field(default_factory=dict)
    officials: list[tuple[Path, Official]] = field(default_factory=list)
    sections: list[tuple[Path, Section]] = field(default_factory=list)
    rules: list[tuple[Path, Rule]] = field(default_factory=list)
    milestones: list[tuple[Path, Milestone]] = field(default_factory=list)
    projects: list[tuple[Path, Project]] = field(default_factory=list)
    overrides: list[tuple[Path, Override]] = field(default_factory=list)

    @property
    def items(self) -> list[tuple[Path, Item]]:
        """Rules, milestones and projects."""
        return [*self.rules, *self.milestones, *self.projects]

    @cached_property
    def names(self) -> Names:
        """All names that the file gives, also those of entries with mistakes."""
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


def entries(raw: Any, key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The mappings in the list under `key`, with their paths, whatever else stands there."""
    listed = raw.get(key) if isinstance(raw, dict) else None
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict):
            yield (key, index), entry


def texts(value: Any) -> list[str]:
    """The texts in a value that is to be one text or a list of them."""
    listed = value if isinstance(value, list) else [value]
    return [v for v in listed if isinstance(v, str)]


class Names:
    """Who is called what, as written: an entry with a mistake has its name, too."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.sections: dict[str, str] = {}
        """Each name, full name and alias of a section: its short name."""
        self.given: list[tuple[Path, str, str]] = []
        """Each of them where it is given: the path, the name, the section's short name."""
        for path, entry in entries(raw, "sections"):
            self._section(path, entry)
        self.posts: dict[str, set[str]] = {}
        """Each post and each holder's name: the posts that it may mean."""
        self.given_posts: list[tuple[Path, str]] = []
        for path, entry in entries(raw, "officials"):
            self._official(path, entry)
        self.items: dict[str, Path] = {}
        self.given_items: list[tuple[Path, str]] = []
        for key in ("rules", "milestones", "projects"):
            for path, entry in entries(raw, key):
                for name in texts(entry.get("id")):
                    self.given_items.append(((*path, "id"), name))
                    self.items.setdefault(name, path)
        ladders = raw.get("ladders")
        self.ladders = set(ladders) if isinstance(ladders, dict) else set()

    def _section(self, path: Path, entry: dict[str, Any]) -> None:
        short = next(iter(texts(entry.get("name")) + texts(entry.get("full_name"))), "")
        own = [
            ((*path, key), name) for key in ("name", "full_name") for name in texts(entry.get(key))
        ]
        aliases = entry.get("aliases")
        listed = aliases if isinstance(aliases, list) else [aliases]
        for index, alias in enumerate(listed):
            if isinstance(alias, str):
                own.append(((*path, "aliases", index), alias))
        for where, name in own:
            self.given.append((where, name, short))
            self.sections.setdefault(name, short)

    def _official(self, path: Path, entry: dict[str, Any]) -> None:
        for post in texts(entry.get("post")):
            self.given_posts.append(((*path, "post"), post))
            self.posts.setdefault(post, set()).add(post)
            for _, holder in entries(entry, "holders"):
                for name in texts(holder.get("name")):
                    self.posts.setdefault(name, set()).add(post)
