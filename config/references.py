"""Whether the parts of a plan fit together: every name that one gives of another is known."""

from __future__ import annotations

from collections.abc import Iterable

from config.model import (
    DEFAULT_LADDERS,
    About,
    Audience,
    Item,
    Ladder,
    Milestone,
    Project,
    Rule,
    Section,
)
from config.parts import Names, Parts, Source
from config.periods import nominal_day
from config.suggest import did_you_mean, quoted
from config.yamltext import Path


def check(parts: Parts, source: Source) -> None:
    """Report to `source` every reference in `plan.yaml` that does not hold, at its own place."""
    names = parts.names
    _duplicates(names, source)
    if parts.about is not None:
        section(names, source, ("plan", "office"), parts.about.office)
        official(names, source, ("plan", "head"), parts.about.head)
        _default_ladders_fair(parts.about, source)
    _sections(parts, source)
    for path, item in parts.items:
        _item(parts, source, path, item)
    for name, ladder in parts.ladders.items():
        _ladder_fair(parts.about, source, name, ladder)


def section(names: Names, source: Source, path: Path, name: str) -> str | None:
    """The short name of the section called `name`, or None and a problem at `path`."""
    found = names.sections.get(name)
    if found is None:
        hint = did_you_mean(name, names.sections)
        source.error(path, f"unknown section {quoted(name)}{hint}")
    return found


def official(names: Names, source: Source, path: Path, name: str) -> None:
    """Report a problem at `path` unless `name` is a post, or a holder's of just one post."""
    posts = names.posts.get(name)
    if posts is None:
        hint = did_you_mean(name, names.posts)
        source.error(path, f"unknown official {quoted(name)}{hint}")
    elif len(posts) > 1:
        listed = ", ".join(quoted(post) for post in sorted(posts))
        source.error(path, f"{quoted(name)} may mean more than one post ({listed}); name the post")


def _duplicates(names: Names, source: Source) -> None:
    sections: dict[str, tuple[Path, Path]] = {}
    for path, name, _ in names.given:
        first, owner = sections.setdefault(name, (path, path[:2]))
        if owner != path[:2] or (first != path and first[2:] == path[2:]):
            source.error(path, _twice("section name", name, source.line(first)))
    for kind, given in (("post", names.given_posts), ("id", names.given_items)):
        seen: dict[str, Path] = {}
        for path, name in given:
            first = seen.setdefault(name, path)
            if first != path:
                source.error(path, _twice(kind, name, source.line(first)))


def _twice(kind: str, name: str, line: int) -> str:
    return f"the {kind} {quoted(name)} is already used on line {line}"


def _sections(parts: Parts, source: Source) -> None:
    names, about = parts.names, parts.about
    office = names.sections.get(about.office) if about is not None else None
    boxes: dict[str, tuple[Path, str]] = {}
    for path, one in parts.sections:
        if one.leader is not None:
            official(names, source, (*path, "leader"), one.leader)
        if one.name == "all":
            source.error((*path, "name"), "'all' means every section; give this one another name")
        _mailbox(names, source, path, one, office)
        if one.email is not None:
            first, owner = boxes.setdefault(one.email.lower(), (path, one.name))
            if first != path:
                line = source.line((*first, "email"))
                message = (
                    f"{quoted(one.email)} is also the mailbox of {quoted(owner)} (line {line})"
                )
                source.warn((*path, "email"), message)


def _mailbox(names: Names, source: Source, path: Path, one: Section, office: str | None) -> None:
    is_office = one.name == office
    if one.stand_in is None:
        if one.email is None:
            way = "" if is_office else f", or 'stand_in: {office or '…'}'"
            kind = "the office" if is_office else "section"
            source.error(path, f"{kind} {quoted(one.name)} has no mailbox; give 'email'{way}")
        return
    where = (*path, "stand_in")
    if one.email is not None:
        source.error(where, "'stand_in' together with 'email'; leave one of them out")
    elif is_office:
        source.error(where, "the office cannot stand in for itself; give it an 'email'")
    found = section(names, source, where, one.stand_in)
    if found is not None and office is not None and found != office:
        message = f"only the office {quoted(office)} can stand in, not {quoted(one.stand_in)}"
        source.error(where, message)


def _item(parts: Parts, source: Source, path: Path, item: Item) -> None:
    names = parts.names
    if item.ladder is not None:
        known = names.ladders | set(DEFAULT_LADDERS)
        if item.ladder not in known:
            hint = did_you_mean(item.ladder, known)
            source.error((*path, "ladder"), f"unknown ladder {quoted(item.ladder)}{hint}")
    match item:
        case Rule():
            _rule(parts, source, path, item)
        case Milestone():
            _milestone(parts, source, path, item)
        case Project():
            for index, lead in enumerate(item.leads):
                at = (*path, "leads", index)
                official(names, source, (*at, "official"), lead.official)
                section(names, source, (*at, "section"), lead.section)
            _within(parts.about, source, (*path, "on"), item)


def _rule(parts: Parts, source: Source, path: Path, rule: Rule) -> None:
    if rule.since is not None and rule.until is not None and rule.until < rule.since:
        source.error((*path, "until"), f"'until' {rule.until} comes before 'from' {rule.since}")
    excluded = _listed(parts.names, source, (*path, "excluding"), rule.excluding)
    if rule.sections != "all":
        if not rule.sections:
            source.error((*path, "sections"), "no section owes this rule; name some, or 'all'")
        if rule.excluding:
            source.error(
                (*path, "excluding"), "'excluding' has a meaning only with 'sections: all'"
            )
        _listed(parts.names, source, (*path, "sections"), rule.sections)
    elif parts.about is not None:
        out = {*excluded, parts.names.sections.get(parts.about.office)}
        if excluded and not set(parts.names.sections.values()) - out:
            source.error((*path, "excluding"), "no section is left that owes this rule")


def _listed(names: Names, source: Source, path: Path, given: Iterable[str]) -> set[str]:
    """The short names of the sections in a list; unknown ones and repetitions are reported."""
    found: set[str] = set()
    for index, name in enumerate(given):
        short = section(names, source, (*path, index), name)
        if short in found:
            source.warn((*path, index), f"section {quoted(name)} is named twice here")
        if short is not None:
            found.add(short)
    return found


def _milestone(parts: Parts, source: Source, path: Path, milestone: Milestone) -> None:
    _listed(parts.names, source, (*path, "sections"), milestone.sections)
    if milestone.project is not None:
        where = parts.names.items.get(milestone.project)
        if where is None or where[0] != "projects":
            projects = [name for name, at in parts.names.items.items() if at[0] == "projects"]
            hint = did_you_mean(milestone.project, projects)
            message = f"unknown project {quoted(milestone.project)}{hint}"
            source.error((*path, "project"), message)
    _within(parts.about, source, (*path, "month" if milestone.month else "on"), milestone)


def _within(about: About | None, source: Source, path: Path, item: Item) -> None:
    day = nominal_day(item)
    if about is None or day is None:
        return
    # a plan may end in mid-month: what is due in that month is still its own
    begins = day.replace(day=1) if isinstance(item, Milestone) and item.month else day
    if day < about.starts:
        source.error(path, f"due on {day}, before the plan starts ({about.starts})")
    elif about.ends is not None and begins > about.ends:
        source.error(path, f"due on {day}, after the plan ends ({about.ends})")


def _ladder_fair(about: About | None, source: Source, name: str, ladder: Ladder) -> None:
    if about is None:
        return
    index = unfair_rung(ladder, about.min_notice)
    if index is not None:
        source.error(
            ("ladders", name, index),
            f"this rung goes to an official, but no rung reaches the section {about.min_notice} "
            "working days before it or earlier ('min_notice'); it could never be sent fairly",
        )


def _default_ladders_fair(about: About, source: Source) -> None:
    own = source.document.value.get("ladders") or ()
    for name, ladder in DEFAULT_LADDERS.items():
        if name not in own and unfair_rung(ladder, about.min_notice) is not None:
            message = f"with this 'min_notice' the built-in ladder '{name}' could never escalate"
            source.error(("plan", "min_notice"), message)


def unfair_rung(ladder: Ladder, min_notice: int) -> int | None:
    """The index of the first rung to an official that no earlier rung to the section prepares."""
    first = min(
        (r.offset for r in ladder if Audience.SECTION in r.to and not r.every), default=None
    )
    fixed = [r.offset for r in ladder if not r.every]
    for index, rung in enumerate(ladder):
        at = fixed[-1] + rung.every if rung.every else rung.offset
        official_too = Audience.LEADER in rung.to or Audience.HEAD in rung.to
        if official_too and (first is None or first > at - min_notice):
            return index
    return None
