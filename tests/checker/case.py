"""Everything that is known of one history, and what a proof may find wrong in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

from tests.checker.ability import Ability
from tests.checker.courses import Course, Docket, Epoch, Seats
from tests.checker.history import Deed, Watch, stretches
from tests.checker.journal import Mail
from tests.checker.plan import HEAD, LEADER, SECTION, PlanReader, Rung

OVERSHOOT = timedelta(seconds=60)
"""A letter that was claimed is sent within this, whatever happens meanwhile."""


@dataclass(frozen=True)
class Finding:
    """A counter-example: the invariant, the obligation or address, and what went wrong."""

    invariant: str
    about: str
    says: str
    trail: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n    ".join((f"{self.invariant}  {self.about}: {self.says}", *self.trail))


class Case:
    """One plan, one history and one journal, from `first` to `last` (true time, aware).

    `claims` are what duban itself says of its obligations, as `duban explain KEY --json` does.
    """

    def __init__(
        self,
        plan: PlanReader,
        deeds: Sequence[Deed],
        mails: Sequence[Mail],
        first: datetime,
        last: datetime,
        claims: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.plan, self.first, self.last = plan, first, last
        self.claims = claims
        self.deeds = sorted(deeds, key=lambda deed: deed.at)
        self.mails = sorted(mails, key=lambda mail: mail.at)
        self.watch = Watch(stretches(self.deeds, first, last))
        self.seats = Seats(plan, self.deeds)
        docket = Docket(plan, self.deeds, self.watch, first, last)
        self.courses: dict[str, Course] = docket.courses
        self.taken = docket.taken
        self.reminding = Ability(self.watch, plan.reminder, plan.closes)
        self.open = Ability(self.watch, plan.opens, plan.closes)
        self.about: dict[str, list[Mail]] = defaultdict(list)
        for mail in self.mails:
            for key in mail.keys:
                self.about[key].append(mail)
        self.rungs = cache(self._rungs)

    def shown(self, at: datetime) -> datetime:
        """What the machine's clock showed, in the plan's zone."""
        return self.watch.shown(at).astimezone(self.plan.zone)

    def _rungs(self, key: str, deadline: datetime) -> list[Rung]:
        until = max(self.shown(self.last), *(p.highest for p in self.watch.pieces))
        return self.plan.rungs(key.split("/")[0], deadline, until)

    def addresses(self, key: str, audience: str, at: datetime) -> set[str]:
        """Whom the plan names for an audience of an obligation at an instant."""
        item, _, section = key.split("/")
        if audience == SECTION:
            return {self.plan.mailboxes[section].lower()}
        wall = self.shown(at)
        return {
            self.seats.address(post, at, wall) for post in self.plan.posts(item, section, audience)
        }

    def audiences(self, key: str, address: str, at: datetime) -> frozenset[str]:
        """The officials' audiences of an obligation that an address stands for at an instant."""
        return frozenset(a for a in (LEADER, HEAD) if address in self.addresses(key, a, at))

    @cached_property
    def crashes(self) -> list[datetime]:
        """When the daemon died."""
        return [d.at for d in self.deeds if (d.do, d.what.get("state")) == ("daemon", "crash")]

    @property
    def office(self) -> str:
        """The office's address."""
        return self.plan.mailboxes[self.plan.office].lower()

    def trail(self, key: str, near: datetime, address: str | None = None) -> tuple[str, ...]:
        """What happened to an obligation around an instant, in words."""
        span = timedelta(days=12)
        zone = self.plan.zone
        told: list[tuple[datetime, str]] = [
            (m.at, f"mail   {m}") for m in self.about[key] if address in (None, m.to)
        ]
        told += [(d.at, f"deed   {d}") for d in self.deeds if _concerns(d, key)]
        told += [(e.start, f"stands {_epoch(e)}") for e in self.courses[key].epochs]
        near_by = sorted(t for t in told if abs(t[0] - near) <= span)
        return tuple(f"{at.astimezone(zone):%m-%d %H:%M:%S} {text}" for at, text in near_by)


def _epoch(epoch: Epoch) -> str:
    return f"{epoch.stands}, due {epoch.deadline:%Y-%m-%d %H:%M}, round {epoch.round}"


def _concerns(deed: Deed, key: str) -> bool:
    item, period, section = key.split("/")
    what = deed.what
    if deed.do in ("smtp", "daemon", "clock", "holder"):
        return True
    named = what.get("key") or f"{what.get('item')}/{what.get('period')}/{what.get('section')}"
    return named in (key, f"{item}/{period}/None", f"{item}/{period}") or (
        what.get("reassign") == section and named.startswith(f"{item}/{period}")
    )


def first_copies(mails: Iterable[Mail]) -> list[Mail]:
    """Each accepted letter once: the first copy of each Message-ID."""
    found: dict[str, Mail] = {}
    for mail in mails:
        if mail.accepted:
            found.setdefault(mail.message_id, mail)
    return list(found.values())
