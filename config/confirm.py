"""What the office should confirm: the notes in the plan, and what duban had to decide by itself."""

from __future__ import annotations

from config.model import Noted
from config.parts import Parts, Source
from config.plan import Plan
from config.suggest import quoted
from config.yamltext import Path


def notes(parts: Parts, source: Source) -> None:
    """Report each `to_confirm` note at its own place, with its entry's name and source line.

    Those of an entry with a mistake can wait for its correction.
    """
    named: list[tuple[Path, Noted, str]] = []
    if parts.about is not None:
        named.append((("plan",), parts.about, "plan"))
    named += [(path, official, official.post) for path, official in parts.officials]
    named += [(path, section, section.name) for path, section in parts.sections]
    named += [(path, item, item.id) for path, item in parts.items]
    for path, entry, name in named:
        if path not in parts.doubts:
            _notes(source, path, entry, name)


def _notes(source: Source, path: Path, entry: Noted, name: str) -> None:
    for index, note in enumerate(entry.to_confirm):
        source.confirm((*path, "to_confirm", index), f"{_named(name, entry)}: {note}")


def _named(name: str, entry: Noted) -> str:
    return f"{name} ({entry.source})" if entry.source else name


def guesses(parts: Parts, source: Source, plan: Plan) -> None:
    """Report what the plan leaves open and duban fills in: owners, leading officials, the group."""
    head, office = plan.head, plan.office
    for path, section in parts.sections:
        if not plan.leader(section)[1]:
            message = (
                f"no leading official is named; {quoted(head.post)} is taken, the group's head"
            )
            source.confirm(path, f"{_named(section.name, section)}: {message}")
    for path, milestone in parts.milestones:
        if not milestone.sections:
            message = f"no section is named; {quoted(office.name)}, the office, owes it"
            source.confirm(path, f"{_named(milestone.id, milestone)}: {message}")
    for path, official in parts.officials:
        if official.role is None:
            message = "has no 'role', so is outside the leading group"
            source.confirm(path, f"{_named(official.post, official)}: {message}")
