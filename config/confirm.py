"""What the office should confirm: the notes in the plan, and what duban had to decide by itself."""

from __future__ import annotations

from config.model import Noted
from config.parts import Parts, Source
from config.plan import Plan
from config.suggest import quoted
from config.yamltext import Path


def notes(parts: Parts, source: Source) -> None:
    """Report each `to_confirm` note at its own place, with its entry's name and source line."""
    if parts.about is not None:
        _notes(source, ("plan",), parts.about, "plan")
    for path, official in parts.officials:
        _notes(source, path, official, official.post)
    for path, section in parts.sections:
        _notes(source, path, section, section.name)
    for path, item in parts.items:
        _notes(source, path, item, item.id)


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
