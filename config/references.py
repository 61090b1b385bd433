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
from config.names import Names
from config.parts import Parts, Source
from config.periods import nominal_day
from config.suggest import did_you_mean, quoted
from config.yamltext import Path


def check(parts: Parts, source: Source) -> None:
    """Report to `source` every reference in `plan.yaml` that does not hold, at its own place."""
    names = parts.names
    _clashes(names, source)
    if parts.about is not None:
        _about(parts, source, parts.about)
    _sections(parts, source)
    for path, item in parts.items:
        _item(parts, source, path, item)


def _about(parts: Parts, source: Source, about: About) -> None:
    section(parts.names, source, ("plan", "office"), about.office)
    official(parts.names, source, ("plan", "head"), about.head)
    own = parts.sure(("plan",), "starts", "ends")
    if own and about.ends is not None and about.ends < about.starts:
        source.error(("plan", "ends"), "'ends' must not come before 'starts'")
        parts.doubt(("plan",), ("starts", "ends"))
    if parts.sure(("plan",), "min_notice"):
        _default_ladders_fair(parts, source, about)
        for name, ladder in parts.ladders.items():
            _ladder_fair(about, source, name, ladder)


def section(names: Names, source: Source, path: Path, name: str | None) -> str | None:
    """The short name of the section called `name`, or None and a problem at `path`.

    There is no problem where an entry does not tell the name, or where that it is unknown may
    follow from a mistake among the names.
    """
    if name is None:
        return None
    found = names.sections.get(name)
    if found is None and not names.excused("section name", name):
        hint = did_you_mean(name, names.sections)
        source.error(path, f"unknown section {quoted(name)}{hint}")
    return found


def official(names: Names, source: Source, path: Path, name: str | None) -> None:
    """Report a problem at `path` unless `name` is a post, or a holder's of just one post.

    It is excused as a section is.
    """
    if name is None:
        return
    posts = names.posts.get(name)
    if posts is None:
        if not names.excused("post", name):
            hint = did_you_mean(name, names.posts)
            source.error(path, f"unknown official {quoted(name)}{hint}")
    elif len(posts) > 1:
        listed = ", ".join(quoted(post) for post in sorted(posts))
        source.error(path, f"{quoted(name)} may mean more than one post ({listed}); name the post")


def _clashes(names: Names, source: Source) -> None:
    wrong = {(p.line, p.column) for p in source.problems}
    for clash in names.clashes:
        # Two names that are wrong in the same way have their problems already.
        if source.document.place(clash.path) not in wrong:
            line = source.line(clash.first)
            message = f"the {clash.kind} {quoted(clash.name)} is already used on line {line}"
            source.error(clash.path, message)


def _sections(parts: Parts, source: Source) -> None:
    names, about = parts.names, parts.about
    office = names.sections.get(about.office) if about is not None else None
    boxes: dict[str, tuple[Path, str]] = {}
    for path, one in parts.sections:
        official(names, source, (*path, "leader"), one.leader)
        if one.name == "all":
            source.error((*path, "name"), "'all' means every section; give this one another name")
        section(names, source, (*path, "stand_in"), one.stand_in)
        if parts.sure(path, "name", "email", "stand_in"):
            _mailbox(names, source, path, one, office)
        if one.email is not None and parts.sure(path, "name"):
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
    found = names.sections.get(one.stand_in)
    clear = "section name" not in names.doubtful
    if one.email is not None:
        source.error(where, "'stand_in' together with 'email'; leave one of them out")
    elif is_office and clear:
        source.error(where, "the office cannot stand in for itself; give it an 'email'")
    if found is not None and office is not None and found != office and clear:
        message = f"only the office {quoted(office)} can stand in, not {quoted(one.stand_in)}"
        source.error(where, message)


def _item(parts: Parts, source: Source, path: Path, item: Item) -> None:
    names = parts.names
    if item.ladder is not None:
        known = names.ladders | set(DEFAULT_LADDERS)
        if item.ladder not in known and not names.excused("ladder", item.ladder):
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
            _within(parts, source, (*path, "on"), item)


def _rule(parts: Parts, source: Source, path: Path, rule: Rule) -> None:
    if rule.since is not None and rule.until is not None and rule.until < rule.since:
        source.error((*path, "until"), f"'until' {rule.until} comes before 'from' {rule.since}")
    names = parts.names
    excluded = _listed(names, source, (*path, "excluding"), rule.excluding)
    if rule.sections != "all":
        _listed(names, source, (*path, "sections"), rule.sections)
    if parts.sure(path, "sections", "excluding"):
        _anybody(parts, source, path, rule, excluded)


def _anybody(parts: Parts, source: Source, path: Path, rule: Rule, excluded: set[str]) -> None:
    """Report a rule that no section owes, or an exclusion from nothing."""
    if rule.sections != "all":
        if not rule.sections:
            source.error((*path, "sections"), "no section owes this rule; name some, or 'all'")
        if rule.excluding:
            source.error(
                (*path, "excluding"), "'excluding' has a meaning only with 'sections: all'"
            )
    elif parts.about is not None and "section name" not in parts.names.doubtful:
        out = {*excluded, parts.names.sections.get(parts.about.office)}
        if excluded and not set(parts.names.sections.values()) - out:
            source.error((*path, "excluding"), "no section is left that owes this rule")


def _listed(names: Names, source: Source, path: Path, given: Iterable[str | None]) -> set[str]:
    """The short names of the sections in a list; unknown ones and repetitions are reported."""
    found: set[str] = set()
    for index, name in enumerate(given):
        short = section(names, source, (*path, index), name)
        if name is None or short is None:
            continue
        if short in found and "section name" not in names.doubtful:
            source.warn((*path, index), f"section {quoted(name)} is named twice here")
        found.add(short)
    return found


def _milestone(parts: Parts, source: Source, path: Path, milestone: Milestone) -> None:
    _listed(parts.names, source, (*path, "sections"), milestone.sections)
    if milestone.project is not None:
        where = parts.names.items.get(milestone.project)
        known = where is not None and where[0] == "projects"
        if not known and not parts.names.excused("id", milestone.project):
            projects = [name for name, at in parts.names.items.items() if at[0] == "projects"]
            hint = did_you_mean(milestone.project, projects)
            message = f"unknown project {quoted(milestone.project)}{hint}"
            source.error((*path, "project"), message)
    _within(parts, source, (*path, "month" if milestone.month else "on"), milestone)


def _within(parts: Parts, source: Source, path: Path, item: Item) -> None:
    about, day = parts.about, nominal_day(item)
    if about is None or day is None:
        return
    # a plan may end in mid-month: what is due in that month is still its own
    begins = day.replace(day=1) if isinstance(item, Milestone) and item.month else day
    if parts.sure(("plan",), "starts") and day < about.starts:
        source.error(path, f"due on {day}, before the plan starts ({about.starts})")
    elif parts.sure(("plan",), "ends") and about.ends is not None and begins > about.ends:
        source.error(path, f"due on {day}, after the plan ends ({about.ends})")


def _ladder_fair(about: About, source: Source, name: str, ladder: Ladder) -> None:
    index = unfair_rung(ladder, about.min_notice)
    if index is not None:
        source.error(
            ("ladders", name, index),
            f"this rung goes to an official, but no rung reaches the section {about.min_notice} "
            "working days before it or earlier ('min_notice'); it could never be sent fairly",
        )


def _default_ladders_fair(parts: Parts, source: Source, about: About) -> None:
    for name, ladder in DEFAULT_LADDERS.items():
        own = name in parts.names.ladders or "ladder" in parts.names.doubtful
        if not own and unfair_rung(ladder, about.min_notice) is not None:
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
