"""I1, the other way round: what duban says became of each rung, held against what is known outside.

The claims are the documents of `duban explain KEY --json`. Nothing in them is believed: "sent" must
stand in the server's journal, "superseded" needs a later rung, "void" a deed or a refusal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.checker.case import Case, Finding
from tests.checker.courses import OWED
from tests.checker.journal import REFUSED
from tests.checker.rungs import GIVEN_UP_AFTER

Document = dict[str, Any]


def claims_hold(case: Case) -> Iterator[Finding]:
    """Every rung that came has its account, and every account is true."""
    for document in case.claims:
        rises = [*document["earlier_rungs"], *document["rungs"]]
        for rise in rises:
            for says in _wrong(case, document, rise, rises):
                about = f"rung {rise['rung']} for the {rise['audience']} of round {rise['round']}"
                trail = case.trail(document["key"], _at(rise))
                yield Finding("I1", document["key"], f"{about} {says}", trail)


def _wrong(case: Case, document: Document, rise: Document, rises: list[Document]) -> Iterator[str]:
    key = document["key"]
    if not rise["fates"] and _unaccounted(case, document, rise):
        yield "came, and nothing is known of it"
    for fate in rise["fates"]:
        state = fate["state"]
        if state in ("superseded", "void") and not fate["reason"]:
            yield f"is {state} without a reason"
        elif state == "sent" and not _delivered(case, key, fate):
            yield f"is called sent to {fate['address']}, but the server knows nothing of it"
        elif state == "superseded" and not _overtaken(case, rise, rises):
            yield "is called superseded, but no later rung came"
        elif state == "void" and not _voided(case, key, rise, fate):
            yield f"is called void ({fate['reason']}), but nothing of the kind happened"


def _at(rise: Document) -> datetime:
    return datetime.fromisoformat(rise["at"])


def _unaccounted(case: Case, document: Document, rise: Document) -> bool:
    """Whether it came in the round that still lasts, while all was well, and long enough ago."""
    course, last = case.courses[document["key"]], case.courses[document["key"]].epochs[-1]
    reached = case.watch.reached(_at(rise))
    by = reached and case.reminding.enough(reached)
    if reached is None or by is None or by > case.last or last.stands != OWED:
        return False
    near = course.near(by, by - reached)
    return all((e.stands, e.round) == (OWED, last.round) for e in near)


def _delivered(case: Case, key: str, fate: Document) -> bool:
    return any(
        m.accepted and m.message_id == fate["message_id"] and m.to == fate["address"].lower()
        for m in case.about[key]
    )


def _overtaken(case: Case, rise: Document, rises: list[Document]) -> bool:
    """Whether a later rung for the same audience came, or one of a later deadline."""
    latest = max(case.shown(case.last), *(p.highest for p in case.watch.pieces))
    mine = rise["round"], _at(rise)
    return any(
        mine < (other["round"], _at(other)) and _at(other) <= latest
        for other in rises
        if other["audience"] == rise["audience"]
    )


def _voided(case: Case, key: str, rise: Document, fate: Document) -> bool:
    """Something happened to the obligation afterwards, or the server would not have the letter."""
    came = case.watch.reached(_at(rise)) or _at(rise)
    if any(e.start >= came for e in case.courses[key].epochs):
        return True
    tried = [m for m in case.about[key] if m.message_id == fate["message_id"]]
    return any(m.outcome == REFUSED for m in tried) or (
        bool(tried) and tried[-1].at - tried[0].at > GIVEN_UP_AFTER
    )
