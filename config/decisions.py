"""Whether the office's overrides fit the plan: each must name an obligation that exists."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from config.model import Item, Milestone, Override, Project, Rule
from config.parts import Parts, Source
from config.periods import nominal_dates
from config.references import section
from config.suggest import did_you_mean, nearest, quoted
from config.yamltext import Path

_NEAR = 2


def check(parts: Parts, source: Source) -> None:
    """Report to `source` every override that decides about nothing, or anew."""
    checker = _Checker(parts, source)
    for path, override in parts.overrides:
        checker.take(path, override)


class _Checker:
    """Follows the overrides in their order: a reassignment changes who owes what."""

    def __init__(self, parts: Parts, source: Source) -> None:
        self.parts = parts
        self.source = source
        self.items = {item.id: item for _, item in parts.items}
        self.owing: dict[tuple[str, str], set[str]] = {}
        self.decided: dict[tuple[str, str], list[tuple[str | None, bool, Path]]] = {}

    def take(self, path: Path, override: Override) -> None:
        """Check one override, the next in the file."""
        names = self.parts.names
        named = heir = None
        if override.section is not None:
            named = section(names, self.source, (*path, "section"), override.section)
        if override.reassign is not None:
            heir = section(names, self.source, (*path, "reassign"), override.reassign)
        if override.item not in names.items:
            hint = did_you_mean(override.item, names.items)
            self.source.error((*path, "item"), f"unknown item {quoted(override.item)}{hint}")
            return
        item = self.items.get(override.item)
        if item is None or not self._period(path, override, item):
            return
        known = override.section is None or named is not None
        if known and self._owed(path, override, item, named):
            self._reassign(path, override, named, heir)
            self._again(path, override, named)

    def _period(self, path: Path, override: Override, item: Item) -> bool:
        about = self.parts.about
        if about is None:
            return False
        if isinstance(item, Project) and item.on is None:
            message = f"project {quoted(item.id)} has no date of its own ('on'), so nothing is due"
            self.source.error((*path, "item"), message)
            return False
        valid = [
            p for p, _ in nominal_dates(item, about, _years(about.starts.year, override.period))
        ]
        if override.period in valid:
            return True
        near = ", ".join(_near(override.period, valid)) or "none"
        message = f"{quoted(item.id)} has no period {quoted(override.period)} (near it: {near})"
        self.source.error((*path, "period"), message)
        return False

    def _owed(self, path: Path, override: Override, item: Item, named: str | None) -> bool:
        owing = self.owing.setdefault((item.id, override.period), _sections(self.parts, item))
        if named is None or named in owing:
            return True
        message = f"section {quoted(named)} does not owe {item.id}/{override.period}"
        hint = (
            did_you_mean(named, owing) if len(owing) > _NEAR else f" ({', '.join(sorted(owing))})"
        )
        self.source.error((*path, "section"), message + hint)
        return False

    def _reassign(
        self, path: Path, override: Override, named: str | None, heir: str | None
    ) -> None:
        owing = self.owing[override.item, override.period]
        if heir is None:
            return
        if heir == named:
            self.source.error((*path, "reassign"), f"{quoted(heir)} cannot take over from itself")
        elif heir in owing:
            message = f"section {quoted(heir)} already owes {override.item}/{override.period}"
            self.source.error((*path, "reassign"), message)
        else:
            owing.add(heir)

    def _again(self, path: Path, override: Override, named: str | None) -> None:
        """A later decision about the same section, or all deadlines, leaves nothing of an earlier.

        A decision for all passes over sections that owe nothing any more.
        """
        before = self.decided.setdefault((override.item, override.period), [])
        for earlier, moved, where in before:
            if earlier == named or (named is None and moved):
                line = self.source.line(where)
                message = f"this replaces the decision on line {line} about the same obligation"
                self.source.warn(path, message)
                break
        before.append((named, override.deadline is not None, path))


def _near(period: str, valid: list[str]) -> list[str]:
    """The valid periods about a wrong one: by its date, or, if its form is wrong, by its look."""
    like = None if any(len(period) == len(p) for p in valid) else nearest(period, valid)
    at = bisect_left(valid, like or period)
    return valid[max(at - _NEAR, 0) : at + _NEAR]


def _years(starts: int, period: str) -> set[int]:
    """The years that matter for a period: its own, with those about it, and the plan's first."""
    head = period[:4]
    year = int(head) if head.isascii() and head.isdigit() else starts
    return {y for y in (starts, starts + 1, year - 1, year, year + 1) if starts <= y <= 9999}


def _sections(parts: Parts, item: Item) -> set[str]:
    """The short names of the sections that owe an item; unknown ones were reported before."""
    known = parts.names.sections
    office = known.get(parts.about.office) if parts.about is not None else None
    short: Callable[[str], str | None] = known.get
    match item:
        case Rule(sections="all"):
            found = set(known.values()) - {office, *map(short, item.excluding)}
        case Project():
            found = {known[x.section] for x in item.leads if x.section in known}
        case Rule() | Milestone():
            found = {known[name] for name in item.sections if name in known}
            if isinstance(item, Milestone) and not item.sections and office is not None:
                found = {office}
        case _:  # pragma: no cover - the union of items is closed
            raise TypeError(type(item))
    return {name for name in found if name}
