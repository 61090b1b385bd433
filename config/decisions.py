"""Whether the office's overrides fit the plan: each must name an obligation that exists."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

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
        self.items = {item.id: (path, item) for path, item in parts.items}
        self.owing: dict[tuple[str, str], set[str] | None] = {}
        self.decided: dict[tuple[str, str], list[tuple[str | None, bool, Path]]] = {}
        self.heirs: set[str | None] = set()
        """Who takes over something by a decision with a mistake; None may be any section."""

    def take(self, path: Path, override: Override) -> None:
        """Check one override, the next in the file."""
        names = self.parts.names
        named = section(names, self.source, (*path, "section"), override.section)
        heir = section(names, self.source, (*path, "reassign"), override.reassign)
        item = self._item(path, override)
        known = (override.section is None) == (named is None) and self.parts.sure(path, "section")
        taken = item is not None and known and self._owed(path, override, item, named)
        if taken:
            self._reassign(path, override, named, heir)
            self._again(path, override, named)
        reassigned = override.reassign is not None or not self.parts.sure(path, "reassign")
        if reassigned and (heir is None or not taken):
            self.heirs.add(heir)

    def _item(self, path: Path, override: Override) -> Item | None:
        """The item, if it is sure that it is meant and that it has the period."""
        names = self.parts.names
        if not self.parts.sure(path, "item"):
            return None
        if override.item not in names.items and not names.excused("id", override.item):
            hint = did_you_mean(override.item, names.items)
            self.source.error((*path, "item"), f"unknown item {quoted(override.item)}{hint}")
        if override.item not in self.items or "id" in names.doubtful:
            return None
        where, item = self.items[override.item]
        if not self.parts.sure(where, "due", "since", "until", "month", "on"):
            return None
        fits = self.parts.sure(path, "period") and self._period(path, override, item)
        return item if fits else None

    def _period(self, path: Path, override: Override, item: Item) -> bool:
        about = self.parts.about
        if isinstance(item, Project) and item.on is None:
            message = f"project {quoted(item.id)} has no date of its own ('on'), so nothing is due"
            self.source.error((*path, "item"), message)
            return False
        if about is None or not self.parts.sure(("plan",), "starts", "ends"):
            return False
        valid = [
            p for p, _ in nominal_dates(item, about, _years(about.starts.year, override.period))
        ]
        if override.period in valid:
            return True
        if valid or isinstance(item, Rule):
            near = ", ".join(_near(override.period, valid)) or "none"
            message = f"{quoted(item.id)} has no period {quoted(override.period)} (near it: {near})"
            self.source.error((*path, "period"), message)
        return False

    def _owed(self, path: Path, override: Override, item: Item, named: str | None) -> bool:
        """Whether the section owes it; False also where that cannot be told."""
        owing = self._owing(override, item)
        if owing is None:
            return False
        if named is None or named in owing:
            return True
        if not self.heirs & {named, None}:
            message = f"section {quoted(named)} does not owe {item.id}/{override.period}"
            hint = f" ({', '.join(sorted(owing))})"
            if len(owing) > _NEAR:
                hint = did_you_mean(named, owing)
            self.source.error((*path, "section"), message + hint)
        return False

    def _owing(self, override: Override, item: Item) -> set[str] | None:
        key = (override.item, override.period)
        if key not in self.owing:
            self.owing[key] = _sections(self.parts, self.items[item.id][0], item)
        return self.owing[key]

    def _reassign(
        self, path: Path, override: Override, named: str | None, heir: str | None
    ) -> None:
        owing = self.owing[override.item, override.period]
        if heir is None or owing is None:
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


def _sections(parts: Parts, path: Path, item: Item) -> set[str] | None:
    """The short names of the sections that owe an item; None where mistakes leave that open."""
    names, about = parts.names, parts.about
    office = about.office if about is not None and parts.sure(("plan",), "office") else None
    given: Iterable[str | None]
    match item:
        case Rule(sections="all"):
            given = (office, *item.excluding)
        case Project():
            given = [lead.section for lead in item.leads]
        case Rule() | Milestone():
            given = item.sections or (office,)
        case _:  # pragma: no cover - the union of items is closed
            raise TypeError(type(item))
    found = {names.sections.get(name or "") for name in given}
    clear = "section name" not in names.doubtful
    if not clear or not parts.sure(path, "sections", "excluding", "leads") or None in found:
        return None
    short = {name for name in found if name is not None}
    everybody = isinstance(item, Rule) and item.sections == "all"
    return set(names.sections.values()) - short if everybody else short
