"""What a letter's own page shows: its obligations as they stand now, and what may be done there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from config.model import Audience
from duban.bureau import Bureau
from duban.facts import ItemFacts, LetterKind
from duban.standings import State
from jobs import extensions
from jobs.content import Content
from jobs.links import ForgedError
from ledger.attachments import of_submissions
from ledger.letters import Letter
from ledger.tables import Addressee, MentionState, letter, mention, obligation, submission

GRACE: Final = timedelta(days=30)
"""How long after its letter and its last deadline a page can be used."""


class ExpiredError(ValueError):
    """The page's time is over; `bureau` says whom to ask instead."""

    def __init__(self, bureau: Bureau) -> None:
        super().__init__("this page has expired")
        self.bureau = bureau


@dataclass(frozen=True, slots=True)
class HandIn:
    """One submission with its files; `at` is in the plan's zone."""

    row: Row[Any]
    at: datetime
    files: Sequence[Row[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageItem:
    """One obligation on the page. Times are in the plan's zone.

    `seen` changes for good with every act about it: a form that was used is void. `reminded` are
    the times of the reminders that went out, the latest first; `requests` those for more time.
    """

    id: int
    item: str
    facts: ItemFacts
    state: State
    seen: str
    reminded: tuple[datetime, ...]
    hand_ins: tuple[HandIn, ...]
    requests: tuple[Row[Any], ...]

    @property
    def may_hand_in(self) -> bool:
        """Whether the section still owes it."""
        return self.state.owed or self.state is State.BEFORE

    @property
    def may_withdraw(self) -> bool:
        """Whether the office has not decided yet."""
        return self.state is State.SUBMITTED

    @property
    def latest(self) -> HandIn | None:
        """The hand-in that counts, if any does."""
        there = self.state in (State.SUBMITTED, State.ACCEPTED)
        return self.hand_ins[-1] if there and self.hand_ins else None

    @property
    def returned(self) -> HandIn | None:
        """The hand-in that was returned and is to be mended."""
        back = [h for h in self.hand_ins if h.row.outcome == "returned"]
        return back[-1] if back and self.state is State.RETURNED else None

    @property
    def request(self) -> Row[Any] | None:
        """The request for more time that waits for the office."""
        waiting = [r for r in self.requests if r.outcome is None]
        return waiting[-1] if waiting and self.state.owed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterPage:
    """A letter's page at an instant; `official` says that it can only be looked at."""

    letter: int
    plan: int
    bureau: Bureau
    now: datetime
    name: str
    official: bool
    recipient: str
    items: tuple[PageItem, ...]
    expires_at: datetime

    def earliest(self, item: PageItem) -> date:
        """The first day to which an obligation could be extended."""
        return max(item.facts.deadline.date(), self.now.date()) + timedelta(days=1)

    def item(self, which: int) -> PageItem:
        """The obligation of that row id. Raises ForgedError for one that the letter has not."""
        for item in self.items:
            if item.id == which:
                return item
        raise ForgedError("the letter does not speak of it")


def read_page(
    connection: Connection, bureaus: Mapping[int, Bureau], which: int, now: datetime
) -> LetterPage:
    """The page of a letter by its row id.

    Raises ForgedError where there is no such letter, ExpiredError when its time is over.
    """
    found = connection.execute(select(letter).where(letter.c.id == which)).one_or_none()
    if found is None or found.plan_id not in bureaus:
        raise ForgedError("there is no such letter")
    row = Letter._make(found)
    bureau = bureaus[row.plan_id]
    rows = _obligations(connection, which)
    if not rows:
        raise ForgedError("the letter speaks of nothing that is owed")
    expires = max([row.sent_at or row.created_at, *(r.deadline for r in rows)]) + GRACE
    if now > expires:
        raise ExpiredError(bureau)
    content = Content(connection, bureau, row.plan_id, now)
    try:
        recipient = content.addressee(row)[0]
    except KeyError:
        recipient = row.name
    return LetterPage(
        letter=which,
        plan=row.plan_id,
        bureau=bureau,
        now=bureau.local(now),
        name=row.name,
        official=row.addressee == Addressee.POST.value,
        recipient=recipient,
        items=items_of(content, rows),
        expires_at=bureau.local(expires),
    )


def _obligations(connection: Connection, which: int) -> Sequence[Row[Any]]:
    mentioned = select(mention.c.obligation_id).where(
        mention.c.letter_id == which, mention.c.state != MentionState.VOID.value
    )
    return connection.execute(
        select(obligation)
        .where(obligation.c.id.in_(mentioned))
        .order_by(obligation.c.deadline, obligation.c.id)
    ).all()


def items_of(content: Content, rows: Sequence[Row[Any]]) -> tuple[PageItem, ...]:
    """Obligations (rows of that table) with all that happened to them, in the same order."""
    ids = [row.id for row in rows]
    hand_ins = _hand_ins(content, ids)
    reminded = _reminded(content, ids)
    requests: dict[int, list[Row[Any]]] = {}
    for one in extensions.of_obligations(content.connection, ids):
        requests.setdefault(one.obligation_id, []).append(one)
    return tuple(
        PageItem(
            id=row.id,
            item=row.item,
            facts=content.item(row, LetterKind.RECEIPT),
            state=State(row.state),
            seen=f"{row.state} {len(hand_ins.get(row.id, ()))} {len(requests.get(row.id, ()))}",
            reminded=tuple(reminded.get(row.id, ())),
            hand_ins=tuple(hand_ins.get(row.id, ())),
            requests=tuple(requests.get(row.id, ())),
        )
        for row in rows
    )


def _hand_ins(content: Content, ids: list[int]) -> dict[int, list[HandIn]]:
    rows = content.connection.execute(
        select(submission).where(submission.c.obligation_id.in_(ids)).order_by(submission.c.id)
    ).all()
    files = of_submissions(content.connection, [row.id for row in rows])
    found: dict[int, list[HandIn]] = {}
    for row in rows:
        made = HandIn(row, content.bureau.local(row.at), files.get(row.id, ()))
        found.setdefault(row.obligation_id, []).append(made)
    return found


def _reminded(content: Content, ids: list[int]) -> dict[int, list[datetime]]:
    rows = content.connection.execute(
        select(mention.c.obligation_id, mention.c.sent_at)
        .where(
            mention.c.obligation_id.in_(ids),
            mention.c.audience == Audience.SECTION.value,
            mention.c.state == MentionState.SENT.value,
        )
        .order_by(mention.c.sent_at.desc())
    )
    found: dict[int, list[datetime]] = {}
    for row in rows:
        found.setdefault(row.obligation_id, []).append(content.bureau.local(row.sent_at))
    return found
