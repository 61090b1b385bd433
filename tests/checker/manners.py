"""I2 to I5, and the manners of letters: each looks at what was sent, and asks whether it might."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

from tests.checker.case import OVERSHOOT, Case, Finding, first_copies
from tests.checker.courses import OWED, Epoch
from tests.checker.days import works
from tests.checker.journal import (
    CHANGE,
    CLOSING,
    DIGEST,
    ESCALATION,
    LADDER,
    NOTICE,
    RECEIPT,
    REMINDER,
    Mail,
)
from tests.checker.plan import HEAD, LEADER, SECTION, Rung

_TICK = timedelta(seconds=30)
_MOST_LIKE_NOTICES = 5


def nothing_after_its_submission(case: Case) -> Iterator[Finding]:
    """I2: no letter calls for what was handed in, or is not owed, when it was claimed."""
    for mail in case.mails:
        for key in mail.keys if mail.kind in LADDER else ():
            if key not in case.courses:
                yield Finding("I2", key, f"the plan has no such obligation: {mail}")
                continue
            near = case.courses[key].near(mail.at, OVERSHOOT)
            if not any(e.stands == OWED for e in near):
                stands = near[-1].stands if near else "not there yet"
                yield Finding("I2", key, f"is {stands}, yet: {mail}", case.trail(key, mail.at))


def everything_to_whom_the_plan_names(case: Case) -> Iterator[Finding]:
    """I3: each envelope's recipient is the one that the plan names at that instant."""
    for mail in case.mails:
        for key in mail.keys or ("",):
            right = _right(case, mail, key)
            if mail.to not in right:
                meant = " or ".join(sorted(right)) or "nobody"
                yield Finding("I3", key or mail.kind, f"is for {meant}, yet: {mail}")


def _right(case: Case, mail: Mail, key: str) -> set[str]:
    if not key:
        return {case.office}
    audiences = (LEADER, HEAD) if mail.kind in (ESCALATION, CLOSING) else (SECTION,)
    times = (mail.at, mail.at - OVERSHOOT)
    return {to for at in times for a in audiences for to in case.addresses(key, a, at)}


def no_second_copies(case: Case) -> Iterator[Finding]:
    """I4: a second copy only where the first outcome was unknown, and with the same Message-ID."""
    last: dict[str, Mail] = {}
    for mail in case.mails:
        before = last.get(mail.message_id)
        unknown = before is None or not (before.accepted and before.answered)
        if before is not None and not unknown and not _crashed(case, before, mail):
            trail = (str(before), str(mail))
            yield Finding("I4", mail.message_id, "was accepted and is sent again", trail)
        last[mail.message_id] = mail
    yield from _said_twice(case)


def _crashed(case: Case, before: Mail, after: Mail) -> bool:
    return any(before.at <= at <= after.at for at in case.crashes)


def _said_twice(case: Case) -> Iterator[Finding]:
    """The same rung of the same obligation to the same address in two letters."""
    said: dict[tuple[object, ...], Mail] = {}
    for mail in first_copies(case.mails):
        for key in mail.keys if mail.kind in LADDER else ():
            epoch = case.courses[key].at(mail.at) if key in case.courses else None
            if epoch is None:
                continue
            rung = max((r.offset for r in _due(case, mail, key, epoch)), default=None)
            what = (key, mail.kind, mail.to, epoch.touched, epoch.round, rung)
            if what in said:
                trail = (str(said[what]), str(mail))
                yield Finding("I4", key, "one rung in two letters of their own", trail)
            said.setdefault(what, mail)


def _due(case: Case, mail: Mail, key: str, epoch: Epoch) -> list[Rung]:
    """The rungs of this deadline that address the mail's recipient and whose time had come."""
    wall = case.shown(mail.at)
    highest = max([wall, *(p.highest for p in case.watch.pieces if p.start <= mail.at)])
    mine = {SECTION} if mail.kind == REMINDER else case.audiences(key, mail.to, mail.at)
    return [r for r in case.rungs(key, epoch.deadline) if r.to & mine and r.at <= highest]


def no_unfair_escalation(case: Case) -> Iterator[Finding]:
    """I5: no rung before its hour; none to an official without a reminder `min_notice` before."""
    for mail in case.mails:
        for key in mail.keys if mail.kind in LADDER else ():
            near = case.courses[key].near(mail.at, OVERSHOOT) if key in case.courses else []
            if near and not any(_due(case, mail, key, e) for e in near):
                yield Finding("I5", key, f"no rung has come yet: {mail}", case.trail(key, mail.at))
            if mail.kind == ESCALATION and not any(_warned(case, mail, key, e) for e in near):
                says = f"the section was not reminded in time: {mail}"
                yield Finding("I5", key, says, case.trail(key, mail.at))


def _warned(case: Case, mail: Mail, key: str, epoch: Epoch) -> bool:
    cutoff = case.plan.notice_cutoff(case.shown(mail.at))
    course = case.courses[key]
    reminders = (m for m in case.about[key] if m.kind == REMINDER and m.accepted)
    return any(
        case.shown(m.at) < cutoff
        and m.at <= mail.at
        and any(e.round == epoch.round for e in course.near(m.at, timedelta()))
        for m in reminders
    )


def office_hours(case: Case) -> Iterator[Finding]:
    """Letters leave on working days in office hours, rungs not before the reminders' hour."""
    for mail in case.mails:
        wall = case.shown(mail.at)
        opens = case.plan.reminder if mail.kind in LADDER else case.plan.opens
        within = opens <= wall.time() and (wall - OVERSHOOT).time() < case.plan.closes
        if not (within and works(wall.date())):
            yield Finding("hours", mail.to, f"outside the office's hours: {mail}")


def _at_once(case: Case, one: Mail, other: Mail) -> bool:
    """Whether both came within one tick, to us and to a machine whose clock may have jumped."""
    seen = case.shown(other.at) - case.shown(one.at)
    return other.at - one.at < _TICK and abs(seen) < _TICK


def one_letter_for_each_person(case: Case) -> Iterator[Finding]:
    """One recipient, one letter, one tick: but a letter that a crash left in doubt stays itself."""
    heard: dict[tuple[object, ...], list[Mail]] = defaultdict(list)
    for mail in _first_tries(case.mails):
        if mail.kind not in LADDER:
            continue
        sections = {key.rpartition("/")[2] for key in mail.keys}
        before = heard[(mail.to, mail.kind, *(sorted(sections) if mail.kind == REMINDER else ()))]
        before.append(mail)
        if len(before) > 1 and _at_once(case, before[-2], mail):
            since = before[-3].at if len(before) > 2 else case.first
            if not any(since <= at <= mail.at for at in case.crashes):
                trail = (str(before[-2]), str(mail))
                yield Finding("letters", mail.to, "two at once that should be one", trail)


def one_digest_a_day(case: Case) -> Iterator[Finding]:
    """The office gets its digest once."""
    digests: dict[object, Mail] = {}
    for mail in _first_tries(case.mails):
        day = case.shown(mail.at).date()
        if mail.kind == DIGEST and day in digests:
            trail = (str(digests[day]), str(mail))
            yield Finding("digest", mail.to, "a second one on one day", trail)
        if mail.kind == DIGEST:
            digests[day] = mail


def no_storm(case: Case) -> Iterator[Finding]:
    """The same notice is not sent to the office over and over on one day."""
    said: Counter[tuple[object, str]] = Counter()
    for mail in _first_tries(case.mails):
        if mail.kind == NOTICE and not mail.keys:
            said[case.shown(mail.at).date(), mail.subject] += 1
    for (day, subject), times in said.items():
        if times > _MOST_LIKE_NOTICES:
            yield Finding("storm", case.office, f"{times} times on {day}: {subject}")


def _first_tries(mails: list[Mail]) -> Iterator[Mail]:
    seen: set[str] = set()
    for mail in mails:
        if mail.message_id not in seen:
            seen.add(mail.message_id)
            yield mail


def known_kinds(case: Case) -> Iterator[Finding]:
    """Every mail says in its headers what it is: what cannot be recognised proves nothing."""
    kinds = {*LADDER, CHANGE, RECEIPT, CLOSING, DIGEST, NOTICE}
    for mail in case.mails:
        if mail.kind not in kinds:
            yield Finding("mail", mail.to, f"does not say what it is: {mail}")
