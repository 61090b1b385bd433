"""I1: every rung that came due was accepted, or is void, or stuck where the office can see it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from tests.checker.case import OVERSHOOT, Case, Finding
from tests.checker.courses import Epoch
from tests.checker.journal import (
    ACCEPTED,
    CHANGE,
    ESCALATION,
    NOTICE,
    RECEIPT,
    REFUSED,
    REMINDER,
    Mail,
)
from tests.checker.plan import AUDIENCES, SECTION, Rung

GIVEN_UP_AFTER = timedelta(days=5)


def every_rung_is_sent(case: Case) -> Iterator[Finding]:
    """For each deadline and audience: the rung that counts is accepted while it counts.

    A rung is excused when a later one overtook it, when nothing was owed any more, when duban could
    not send for long enough, or when the server refused and the office was told.
    """
    for key, course in case.courses.items():
        for epoch, end in course.owed(case.last):
            rungs = case.rungs(key, epoch.deadline)
            for audience in AUDIENCES:
                mine = [r for r in rungs if audience in r.to]
                for rung, start, stop in _turns(case, mine, epoch.start, end):
                    yield from _turn(case, key, epoch, audience, rung, (start, stop))


def _turns(
    case: Case, rungs: list[Rung], start: datetime, end: datetime
) -> Iterator[tuple[Rung, datetime, datetime]]:
    """Each rung with the time in which it is the latest that has come."""
    reached = [(r, case.watch.reached(r.at)) for r in rungs]
    come = [(r, max(at, start)) for r, at in reached if at is not None and at < end]
    ends = [*(at for _, at in come[1:]), end]
    for (rung, begins), stops in zip(come, ends, strict=False):
        if begins < stops:
            yield rung, begins, stops


def _turn(
    case: Case,
    key: str,
    epoch: Epoch,
    audience: str,
    rung: Rung,
    turn: tuple[datetime, datetime],
) -> Iterator[Finding]:
    start, stop = turn
    kind = REMINDER if audience == SECTION else ESCALATION
    mails = [m for m in case.about[key] if m.kind == kind and start <= m.at < stop]
    for address in sorted(case.addresses(key, audience, start)):
        # a successor gets what was not sent to the predecessor
        to = case.addresses(key, audience, stop - timedelta(seconds=1)) | {address}
        mine = [m for m in mails if m.to in to]
        if any(m.accepted for m in mine):
            continue
        fair = _Fairness(case, key, epoch) if audience != SECTION else _always
        by = case.reminding.enough(start, [m.at for m in mine], fair)
        if by is None or by >= stop or _given_up(case, mine):
            continue
        came, wanted = (f"{case.shown(at):%Y-%m-%d %H:%M:%S}" for at in (start, by))
        says = (
            f"rung {rung.offset:+d} for the {audience} {address} came at {came} "
            f"and should have been accepted by {wanted}; {_fate(mine)}"
        )
        yield Finding("I1", key, says, case.trail(key, start))


def _always(_at: datetime) -> bool:
    return True


def _fate(mails: list[Mail]) -> str:
    return f"the last of {len(mails)} attempts: {mails[-1]}" if mails else "nobody tried"


def _given_up(case: Case, mails: list[Mail]) -> bool:
    """Whether the server would not have it, and the office was told so in time."""
    if not mails:
        return False
    last = mails[-1]
    if last.outcome != REFUSED and last.at - mails[0].at < GIVEN_UP_AFTER:
        return False
    return last.to == case.office or _told(case, last)


def _told(case: Case, failed: Mail) -> bool:
    notices = [m for m in case.mails if m.kind == NOTICE and m.at >= failed.at]
    by = case.open.enough(failed.at, [m.at for m in notices if not m.accepted])
    return by is None or any(
        m.accepted and m.at <= by and failed.to in m.text.lower() for m in notices
    )


class _Fairness:
    """Whether an official may hear of an obligation: its section was reminded in time.

    Stricter than I5 asks: of the section's rungs the latest that came `min_notice` ago counts, for
    after an outage an old reminder is not enough.
    """

    def __init__(self, case: Case, key: str, epoch: Epoch) -> None:
        self.case = case
        self.rungs = [r.at for r in case.rungs(key, epoch.deadline) if SECTION in r.to]
        known = {m.message_id: m for m in case.about[key] if m.kind == REMINDER and m.accepted}
        self.reminded = [
            case.shown(m.at) for m in known.values() if m.answered and m.at >= epoch.start
        ]

    def __call__(self, at: datetime) -> bool:
        plan, wall = self.case.plan, self.case.shown(at)
        # what is held is looked at again in the morning, even without a `min_notice`
        morning = datetime.combine(wall.date(), plan.reminder, plan.zone)
        cutoff = min(plan.notice_cutoff(wall), morning)
        due = [rung for rung in self.rungs if rung < cutoff]
        return bool(due) and any(due[-1] <= told < cutoff for told in self.reminded)


def every_change_is_told(case: Case) -> Iterator[Finding]:
    """A section hears of each new deadline of what it owes, unless another deed came at once."""
    for key, course in case.courses.items():
        for before, after in pairwise(course.epochs):
            same = before.stands == after.stands == "owed"
            if same and before.deadline != after.deadline and before.round != after.round:
                yield from _expected(case, key, CHANGE, after.start)


def every_submission_has_its_receipt(case: Case) -> Iterator[Finding]:
    """A section that handed in gets a receipt."""
    for at, key in case.taken:
        yield from _expected(case, key, RECEIPT, at)


def _expected(case: Case, key: str, kind: str, since: datetime) -> Iterator[Finding]:
    """A letter of this kind about this obligation before its next epoch ends."""
    starts = [e.start for e in case.courses[key].epochs]
    following = bisect_right(starts, since)
    stop = starts[following] if following < len(starts) else case.last
    mails = [m for m in case.about[key] if m.kind == kind and m.at >= since - OVERSHOOT]
    by = case.open.enough(since, [m.at for m in mails if m.outcome != ACCEPTED])
    if by is None or by >= stop or any(m.accepted and m.at <= by for m in mails):
        return
    if not _given_up(case, [m for m in mails if m.at <= by]):
        zone = case.plan.zone
        says = f"no {kind} since {since.astimezone(zone):%Y-%m-%d %H:%M:%S}; {_fate(mails)}"
        yield Finding("I1", key, says, case.trail(key, since))
