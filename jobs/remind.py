"""Find the rungs that count now and queue one letter for each person whom they call."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from config.model import Audience
from duban.bureau import Bureau
from duban.ladder import Decision, Step, climb, decide, notice_cutoff
from duban.letters import Called, Draft, Recipient, drafts, recipients
from jobs.letterbox import mail_domain
from jobs.log import event as log
from ledger import events, mails, obligations, plans
from ledger.engine import Ledger, UnreadableRowsError
from ledger.letters import entry, join_unsent, queue_all
from ledger.mentions import mention_all, supersede
from ledger.tables import Addressee, MentionState, event, letter, mention, obligation

BATCH = 500
_PAUSE = timedelta(minutes=1)
_LISTEN = timedelta(minutes=5)
_UNREADABLE = timedelta(hours=1)
HELD = "escalation.held"
_ADVANCE = (
    update(obligation)
    .where(obligation.c.id == bindparam("of"))
    .values(
        next_action_at=bindparam("again"),
        section_at=bindparam("new_section"),
        leader_at=bindparam("new_leader"),
        head_at=bindparam("new_head"),
    )
)
_DUE = (
    select(obligation)
    .where(
        obligation.c.plan_id == bindparam("plan"),
        obligation.c.next_action_at <= bindparam("now"),
    )
    .order_by(obligation.c.deadline, obligation.c.id)
    .limit(BATCH)
)
_BUSY = select(letter.c.addressee, letter.c.name).where(
    letter.c.plan_id == bindparam("plan"), letter.c.created_at > bindparam("since")
)
_WARNED = (
    select(mention.c.obligation_id, func.max(mention.c.at).label("at"))
    .join(obligation, obligation.c.id == mention.c.obligation_id)
    .where(
        mention.c.obligation_id.in_(bindparam("of", expanding=True)),
        mention.c.round == obligation.c.round,
        mention.c.audience == Audience.SECTION.value,
        mention.c.state == MentionState.SENT.value,
        mention.c.sent_at < bindparam("cutoff"),
    )
    .group_by(mention.c.obligation_id)
)


_AUDIENCES = tuple(Audience)


class _Judged:
    """An obligation with what was decided about it."""

    def __init__(self, row: Row[Any], decision: Decision) -> None:
        self.row, self.decision = row, decision
        self.calls = [
            Called(row.id, row.item, row.section, audience, step)
            for audience, step in decision.issue
        ]


def remind(
    ledger: Ledger,
    bureaus: Mapping[int, Bureau],
    now: datetime,
    *,
    fresh: timedelta | None = None,
    doubted: datetime | None = None,
) -> int:
    """Queue the letters of every rung that counts at `now`; gives how many letters.

    `bureaus` are the loaded plans by their row ids. Costs the same whatever is open: only
    obligations whose `next_action_at` has come are read. With `fresh`, officials are told only
    after the mailbox was read within that time; with `doubted`, not before that instant, since the
    clock may be wrong.
    """
    queued = 0
    hold = _hold(ledger, now, fresh, doubted)
    for plan_id in _plans_with_work(ledger, bureaus, now):
        bureau = bureaus[plan_id]
        if not bureau.reminding(now):
            _wait(ledger, plan_id, bureau, now)
            continue
        more = True
        while more:
            try:
                with ledger.write() as connection:
                    step = _Tick(ledger, connection, bureau, plan_id, now, hold)
                    more = step.run()
                queued += step.queued
            except UnreadableRowsError as error:
                # without them the plan's other obligations go on
                more = _put_off(ledger, plan_id, bureau, error, now)
    return queued


def _put_off(
    ledger: Ledger, plan_id: int, bureau: Bureau, error: UnreadableRowsError, now: datetime
) -> bool:
    """Look at the plan's obligations that cannot be read again in an hour; says if any were due."""
    ids = {row.row for row in error.rows if row.table == obligation.name}
    with ledger.write() as connection:
        found = connection.execute(
            update(obligation)
            .where(
                obligation.c.id.in_(ids),
                obligation.c.plan_id == plan_id,
                obligation.c.next_action_at <= now,
            )
            .values(next_action_at=now + _UNREADABLE)
        )
    log("obligation.unreadable", logging.ERROR, plan=bureau.plan.id, reason=str(error))
    return found.rowcount > 0


def _plans_with_work(ledger: Ledger, bureaus: Mapping[int, Bureau], now: datetime) -> list[int]:
    with ledger.read() as connection:
        return obligations.plans_with_work(connection, bureaus.keys(), now)


@dataclass(frozen=True, slots=True)
class _Hold:
    """Officials are not told before `until`."""

    until: datetime
    why: str


def _hold(
    ledger: Ledger, now: datetime, fresh: timedelta | None, doubted: datetime | None
) -> _Hold | None:
    if doubted is not None:
        return _Hold(doubted, "the machine's clock jumped by more than a day: it may be wrong")
    if _heard(ledger, now, fresh):
        return None
    return _Hold(now + _LISTEN, "the mailbox has not been read lately: an answer may lie there")


def _heard(ledger: Ledger, now: datetime, fresh: timedelta | None) -> bool:
    """Whether whoever answers by mail has been heard; also where nobody can."""
    if fresh is None:
        return True
    with ledger.read() as connection:
        read = plans.get_mark(connection, mails.READ)
    return read is not None and now - datetime.fromisoformat(read) <= fresh


def _wait(ledger: Ledger, plan_id: int, bureau: Bureau, now: datetime) -> None:
    with ledger.write() as connection:
        connection.execute(
            update(obligation)
            .where(obligation.c.plan_id == plan_id, obligation.c.next_action_at <= now)
            .values(next_action_at=bureau.next_reminding(now))
        )


class _Tick:
    """One batch of one plan's obligations, in one transaction."""

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        bureau: Bureau,
        plan_id: int,
        now: datetime,
        hold: _Hold | None = None,
    ) -> None:
        self.ledger, self.connection, self.bureau = ledger, connection, bureau
        self.hold = hold
        self.plan_id, self.now, self.local = plan_id, now, bureau.local(now)
        self.cutoff = notice_cutoff(self.local, bureau.calendar, bureau.hours)
        self.queued = 0
        self.lines: list[dict[str, Any]] = []

    def run(self) -> bool:
        """Do the batch; says whether there may be more."""
        rows = self._due()
        busy = self._busy()
        warned = self._warned([row.id for row in rows])
        judged = [_Judged(row, self._decide(row, warned.get(row.id))) for row in rows]
        waiting = [j for j in judged if self._waits(j, busy)] if busy else []
        self._postpone([j.row.id for j in waiting])
        clear = [j for j in judged if j not in waiting] if waiting else judged
        self._issue(clear)
        events.record_all(self.connection, self.lines)
        return len(rows) == BATCH

    def _due(self) -> list[Row[Any]]:
        return list(self.connection.execute(_DUE, {"plan": self.plan_id, "now": self.now}))

    def _busy(self) -> set[tuple[str, str]]:
        """Who was sent another letter within the minute: one recipient, one letter, one tick."""
        rows = self.connection.execute(_BUSY, {"plan": self.plan_id, "since": self.now - _PAUSE})
        return {(row.addressee, row.name) for row in rows}

    def _waits(self, judged: _Judged, busy: set[tuple[str, str]]) -> bool:
        return any(
            _addressee(recipient) in busy
            for called in judged.calls
            for recipient in recipients(self.bureau, called)
        )

    def _postpone(self, ids: list[int]) -> None:
        if ids:
            self.connection.execute(
                update(obligation)
                .where(obligation.c.id.in_(ids))
                .values(next_action_at=self.now + _PAUSE)
            )

    def _warned(self, ids: list[int]) -> dict[int, datetime]:
        """The time of the latest section's rung whose reminder was accepted early enough."""
        rows = self.connection.execute(_WARNED, {"of": ids, "cutoff": self.cutoff})
        return {row.obligation_id: row.at for row in rows}

    def _decide(self, row: Row[Any], warned: datetime | None) -> Decision:
        bureau = self.bureau
        rungs = bureau.plan.ladder(bureau.plan.items[row.item])
        # in the zone of the steps: comparing across zones costs more than all else here
        issued = {a: bureau.local(at) for a, at in zip(_AUDIENCES, _issued(row), strict=True) if at}
        # once everybody has been told, all before the last that was said is settled
        since = min(self.cutoff, *issued.values()) if len(issued) == len(_AUDIENCES) else None
        return decide(
            climb(
                rungs,
                bureau.local(row.deadline),
                bureau.calendar,
                bureau.hours.reminder,
                since,
            ),
            issued,
            warned,
            self.local,
            bureau.calendar,
            bureau.hours,
            bureau.local(self.hold.until) if self.hold else None,
        )

    def _issue(self, judged: list[_Judged]) -> None:
        calls = [called for j in judged for called in j.calls]
        # a held rung too: after an outage the older one would be an escalation without a warning
        held = [(j.row.id, audience.value) for j in judged for audience, _ in j.decision.held]
        supersede(
            self.connection,
            [*((c.obligation, c.audience.value) for c in calls), *held],
            "a later rung has come",
        )
        homes: dict[Called, list[tuple[int, Recipient]]] = {}
        made = drafts(self.bureau, calls, self.now)
        for letter_id, draft in zip(self._queue(made), made, strict=True):
            for called in draft.calls:
                homes.setdefault(called, []).append((letter_id, draft.recipient))
        mention_all(self.connection, [r for j in judged for r in _mentions(j, homes)])
        self._advance(judged)

    def _queue(self, made: list[Draft]) -> list[int]:
        domain = mail_domain(self.bureau)
        rows = [
            entry(
                self.ledger,
                self.plan_id,
                draft.kind,
                draft.recipient,
                self.now,
                domain,
                light=draft.light.value,
            )
            for draft in made
        ]
        ids = queue_all(self.connection, rows)
        self.queued += len(ids)
        fresh = {}
        for letter_id, draft in zip(ids, made, strict=True):
            self._note("letter.queued", letter=letter_id, kind=draft.kind.value)
            fresh[draft.kind.value, *_addressee(draft.recipient)] = letter_id
        for old in join_unsent(self.connection, self.plan_id, fresh):
            self._note("letter.withdrawn", letter=old, reason="joined with a later letter")
        return ids

    def _note(self, what: str, **data: Any) -> None:
        self.lines.append(events.line(self.now, what, plan=self.plan_id, **data))

    def _advance(self, judged: Sequence[_Judged]) -> None:
        rows = []
        for one in judged:
            issued = {audience: step.at for audience, step in one.decision.issue}
            rows.append(
                {"of": one.row.id, "again": one.decision.next_at}
                | {
                    f"new_{a}": issued.get(a, at)
                    for a, at in zip(_AUDIENCES, _issued(one.row), strict=True)
                }
            )
        self._note_held([one for one in judged if one.decision.held])
        if rows:
            self.connection.execute(_ADVANCE, rows)

    def _note_held(self, judged: Sequence[_Judged]) -> None:
        """Say why officials are not told yet; a hold that lasts is said once a day."""
        if not judged:
            return
        said = self._held_today([one.row.id for one in judged])
        returned = mails.marked_addresses(self.connection)
        for one in judged:
            reason = self._why_held(one.row.section, returned)
            for audience, step in one.decision.held:
                held = {
                    "round": one.row.round,
                    "audience": audience.value,
                    "rung": step.name,
                    "rung_at": step.at.astimezone(UTC).isoformat(),
                    "reason": reason,
                }
                if (one.row.id, *held.values()) not in said:
                    self._note(HELD, obligation=one.row.id, **held)

    def _why_held(self, section: str, returned: Container[str]) -> str:
        if self.hold is not None:
            return self.hold.why
        plan = self.bureau.plan
        address = plan.mailbox(plan.section(section)).lower()
        if address in returned:
            return f"the section has not been warned in time: letters to {address} come back"
        return "the section has not been warned in time"

    def _held_today(self, ids: list[int]) -> set[tuple[Any, ...]]:
        rows = self.connection.execute(
            select(event.c.obligation_id, event.c.data).where(
                event.c.obligation_id.in_(ids),
                event.c.what == HELD,
                event.c.at > self.now - timedelta(hours=12),
            )
        )
        parts = ("round", "audience", "rung", "rung_at", "reason")
        return {(r.obligation_id, *map(r.data.get, parts)) for r in rows}


def _issued(row: Row[Any]) -> tuple[datetime | None, ...]:
    return row.section_at, row.leader_at, row.head_at


def _addressee(recipient: Recipient) -> tuple[str, str]:
    kind = Addressee.POST if recipient.official else Addressee.SECTION
    return kind.value, recipient.name


def _mentions(
    judged: _Judged, homes: Mapping[Called, list[tuple[int, Recipient]]]
) -> list[dict[str, Any]]:
    made = [
        _mention(judged.row, called.audience, called.step)
        | {"letter_id": letter_id, "name": recipient.name}
        for called in judged.calls
        for letter_id, recipient in homes[called]
    ]
    gone = {"state": MentionState.SUPERSEDED.value, "reason": "overtaken by a later rung"}
    return made + [
        _mention(judged.row, audience, step) | gone for audience, step in judged.decision.overtaken
    ]


def _mention(row: Row[Any], audience: Audience, step: Step) -> dict[str, Any]:
    return {
        "obligation_id": row.id,
        "letter_id": None,
        "round": row.round,
        "state": MentionState.QUEUED.value,
        "audience": audience.value,
        "rung": step.name,
        "name": "",
        "at": step.at,
        "light": step.light.value,
        "reason": None,
    }
