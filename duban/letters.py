"""One recipient, one letter, one tick: from rungs that count now to letters.

Here are only the choices; the words are the templates'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from config.model import Audience, Light
from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.ladder import Step


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter is for: a section by its short name, or the official in a post."""

    name: str
    official: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """A rung that counts now: one obligation, for one audience."""

    obligation: int
    item: str
    section: str
    audience: Audience
    step: Step


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter to be queued: its recipient, and the rungs that it answers."""

    recipient: Recipient
    calls: tuple[Called, ...]

    @property
    def kind(self) -> LetterKind:
        """A reminder to a section, an escalation to an official."""
        return LetterKind.ESCALATION if self.recipient.official else LetterKind.REMINDER

    @property
    def light(self) -> Light:
        """The most urgent light of its rungs."""
        return max((c.step.light for c in self.calls), key=lambda light: light.rank)


def recipients(bureau: Bureau, called: Called) -> tuple[Recipient, ...]:
    """Whom a rung addresses, by the plan."""
    if called.audience is Audience.SECTION:
        return (Recipient(called.section),)
    posts = bureau.posts(called.item, called.section, called.audience)
    return tuple(Recipient(post, official=True) for post in posts)


def drafts(bureau: Bureau, calls: Iterable[Called], now: datetime) -> list[Draft]:
    """One letter for each person who is called now, in the order of the first call.

    A person who holds two of the posts gets one letter, not two: so does the next level up where
    it is the same person.
    """
    found: dict[tuple[str, bool], tuple[Recipient, dict[Called, None]]] = {}
    for called in calls:
        for recipient in recipients(bureau, called):
            _, listed = found.setdefault(_person(bureau, recipient, now), (recipient, {}))
            listed[called] = None
    return [Draft(recipient, tuple(listed)) for recipient, listed in found.values()]


def _person(bureau: Bureau, recipient: Recipient, now: datetime) -> tuple[str, bool]:
    if not recipient.official:
        return recipient.name, False
    holder = bureau.plan.official(recipient.name).holder(bureau.day(now))
    return f"{holder.name} {holder.email}", True
