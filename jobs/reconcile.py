"""Bring the ledger's obligations to what the plan's files say now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from duban.bureau import Bureau
from duban.deadlines import Obligation, expand
from duban.facts import LetterKind
from duban.letters import Recipient
from duban.standings import State
from jobs.letterbox import alarmed_posts, mail_domain, post
from ledger import events, plans
from ledger.bulk import Bulk
from ledger.engine import Ledger
from ledger.letters import join_unsent, queue
from ledger.mentions import mention_all
from ledger.tables import Addressee, MentionState, mention, obligation

HORIZON_MONTHS = 13
_QUIET = (State.BEFORE, State.EXEMPT, State.DROPPED)
# what was handed in stays so: otherwise it would be owed again if the exemption were taken back
_BEYOND_EXEMPTION = (State.EXEMPT, State.SUBMITTED, State.ACCEPTED)


@dataclass(slots=True)
class Reconciled:
    """What a reconciliation changed: the keys of obligations."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    exempted: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.exempted or self.dropped)


def horizon(day: date) -> date:
    """How far ahead obligations are kept: the end of the 13th month, so it moves monthly."""
    months = day.year * 12 + day.month - 1 + HORIZON_MONTHS
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def stamp(bureau: Bureau, now: datetime) -> str:
    """What the ledger remembers of a reconciliation: the files' digest, then the horizon."""
    return f"{bureau.plan.digest}:{horizon(bureau.day(now)):%Y-%m}"


def reconcile(
    ledger: Ledger, bureau: Bureau, now: datetime, who: str = events.DAEMON
) -> Reconciled:
    """Create, move, exempt and drop obligations as the plan says; idle where nothing has changed.

    A moved deadline starts a new round of reminders and one "old -> new" letter to each section.
    """
    until, wanted_stamp = horizon(bureau.day(now)), stamp(bureau, now)
    with ledger.read() as connection:
        known = plans.find(connection, bureau.plan.id)
        if known is not None and known.reconciled == wanted_stamp:
            return Reconciled()
    wanted = expand(bureau.plan, bureau.calendar, until)
    with ledger.write() as connection:
        return reconcile_within(connection, ledger, bureau, wanted, now, who)


def reconcile_within(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    wanted: list[Obligation],
    now: datetime,
    who: str = events.DAEMON,
) -> Reconciled:
    """As `reconcile`, to the obligations `wanted`, in a transaction that may be rolled back."""
    row = plans.find(connection, bureau.plan.id) or plans.bear(
        connection, bureau.plan.id, bureau.plan.about.title, now
    )
    work = _Reconciliation(ledger, connection, bureau, row, now, who)
    work.run(wanted)
    mark = stamp(bureau, now)
    plans.change(connection, row.id, reconciled=mark, title=bureau.plan.about.title)
    return work.done


_ROWS = select(obligation).where(obligation.c.plan_id == bindparam("plan"))
_IDS = select(obligation.c.key, obligation.c.id).where(obligation.c.plan_id == bindparam("plan"))
_CREATE = Bulk(
    insert(obligation),
    "plan_id",
    "key",
    "item",
    "period",
    "section",
    "nominal",
    "planned",
    "deadline",
    "decided",
    "provisional",
    "round",
    "state",
    "late",
    "reason",
    "next_action_at",
)


class _Reconciliation:
    """One run over one plan, in one transaction."""

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        bureau: Bureau,
        plan: Row[Any],
        now: datetime,
        who: str,
    ) -> None:
        self.ledger, self.connection, self.bureau = ledger, connection, bureau
        self.plan, self.now, self.who = plan, now, who
        self.newborn = not plan.reconciled
        self.done = Reconciled()
        self.lines: list[dict[str, Any]] = []
        self.told: dict[str, list[dict[str, Any]]] = {}
        self._first_actions: dict[tuple[str, datetime], datetime] = {}

    def run(self, wanted: list[Obligation]) -> None:
        rows = self.connection.execute(_ROWS, {"plan": self.plan.id}).all()
        known = {row.key: row for row in rows}
        self._create([o for o in wanted if o.key not in known])
        for one in wanted:
            if one.key in known:
                self._compare(known[one.key], one)
        listed = {o.key for o in wanted}
        for row in rows:
            if row.key not in listed and State(row.state).owed:
                self._drop(row)
        self._tell()
        self._note("plan.reconciled", digest=self.bureau.plan.digest, **self._counts())
        events.record_all(self.connection, self.lines)

    def _counts(self) -> Mapping[str, int]:
        done = self.done
        return {n: len(getattr(done, n)) for n in ("created", "changed", "exempted", "dropped")}

    def _note(self, what: str, row_id: int | None = None, **data: Any) -> None:
        line = events.line(self.now, what, self.who, plan=self.plan.id, obligation=row_id, **data)
        self.lines.append(line)

    def _create(self, new: list[Obligation]) -> None:
        if not new:
            return
        _CREATE.run(self.connection, [self._row(o) for o in new])
        rows_of = {"plan": self.plan.id}
        ids: dict[str, int] = dict(self.connection.execute(_IDS, rows_of).all())
        rows = {o.key: o for o in self._rows([ids[o.key] for o in new if _handed_over(o)])}
        for one in new:
            self.done.created.append(one.key)
            if one.key in rows and not self.newborn:
                self._mention(rows[one.key], rows[one.key].round)
            self._note(
                "obligation.created",
                ids[one.key],
                deadline=one.deadline.isoformat(),
                source=one.item.origin or None,
                reason=one.exempt,
            )

    def _rows(self, ids: list[int]) -> list[Row[Any]]:
        return list(self.connection.execute(select(obligation).where(obligation.c.id.in_(ids))))

    def _row(self, one: Obligation) -> dict[str, Any]:
        state = self._first_state(one)
        return {
            "plan_id": self.plan.id,
            "key": one.key,
            "item": one.item.id,
            "period": one.period,
            "section": one.section,
            "nominal": one.nominal,
            "planned": one.deadline,
            "deadline": one.deadline,
            "decided": _decided(one),
            "provisional": one.provisional,
            "round": 0,
            "state": state.value,
            "late": False,
            "reason": one.exempt,
            "next_action_at": self._first_action(one) if state.owed else None,
        }

    def _first_state(self, one: Obligation) -> State:
        if one.exempt is not None:
            return State.EXEMPT
        chase = self.bureau.plan.about.chase_from
        chased = chase is not None and one.deadline.date() >= chase
        born: datetime = self.plan.born_at
        return State.OPEN if one.deadline >= born or chased else State.BEFORE

    def _first_action(self, one: Obligation) -> datetime:
        # all sections with an item and a deadline share it
        which = one.item.id, one.deadline
        known = self._first_actions.get(which)
        if known is None:
            first = self.bureau.first_step(one.item, one.deadline)
            known = self._first_actions[which] = max(first, self.now.astimezone(UTC))
        return known

    def _compare(self, row: Row[Any], one: Obligation) -> None:
        state = State(row.state)
        if one.exempt is not None:
            if state not in _BEYOND_EXEMPTION:
                self._exempt(row, one.exempt)
            return
        back = state in (State.EXEMPT, State.DROPPED)
        # after a return with a limit of its own, only a decision that came later moves it
        anew = row.decided != _decided(one) and row.deadline != one.deadline
        if row.planned != one.deadline or back or anew:
            self._move(row, one, state)
        elif (row.provisional, row.decided) != (one.provisional, _decided(one)):
            self._write(row.id, provisional=one.provisional, decided=_decided(one))

    def _write(self, row_id: int, **values: Any) -> None:
        self.connection.execute(
            update(obligation).where(obligation.c.id == row_id).values(**values)
        )

    def _move(self, row: Row[Any], one: Obligation, state: State) -> None:
        """A new deadline: a new round, in which nothing has been said yet."""
        values: dict[str, Any] = {
            "planned": one.deadline,
            "deadline": one.deadline,
            "decided": _decided(one),
            "provisional": one.provisional,
            "reason": None,
        }
        again = self._first_state(one) if state in _QUIET else state
        if again.owed:
            values |= _fresh_round(row) | {"state": again.value}
            values["next_action_at"] = self._first_action(one)
        self._write(row.id, **values)
        self.done.changed.append(one.key)
        reason = one.overrides[-1].reason if one.overrides else None
        self._note(
            "deadline.changed",
            row.id,
            old=row.deadline.isoformat(),
            new=one.deadline.isoformat(),
            reason=reason,
            by=one.overrides[-1].by if one.overrides else None,
        )
        unheard = state is State.DROPPED and not _heard_of(row, row.round - 1)
        if again.owed and not unheard and self._untold(row) != one.deadline:
            self._mention(row, row.round + 1)

    def _exempt(self, row: Row[Any], reason: str) -> None:
        self._write(
            row.id,
            state=State.EXEMPT.value,
            reason=reason,
            closed_at=self.now,
            next_action_at=None,
            round=row.round + 1,
        )
        self.done.exempted.append(row.key)
        self._note("obligation.exempted", row.id, reason=reason)
        if State(row.state).owed:
            self._mention(row, row.round + 1)
            self._calm(row)

    def _drop(self, row: Row[Any]) -> None:
        """The plan no longer lists it; what was handed in keeps its place in the ledger."""
        self._write(
            row.id,
            state=State.DROPPED.value,
            closed_at=self.now,
            next_action_at=None,
            round=row.round + 1,
            reason="行动方案已不再列入此项",
        )
        self.done.dropped.append(row.key)
        self._note("obligation.dropped", row.id)
        if _heard_of(row, row.round):
            self._mention(row, row.round + 1)
        self._calm(row)

    def _calm(self, row: Row[Any]) -> None:
        """The officials who were alarmed hear that nothing is owed any more."""
        for name in alarmed_posts(self.connection, row.id):
            post(
                self.connection,
                self.ledger,
                self.bureau,
                self.plan.id,
                LetterKind.CLOSING,
                Recipient(name, official=True),
                self.now,
                [row],
            )

    def _untold(self, row: Row[Any]) -> datetime | None:
        """The deadline that the section still goes by, as a change to it is not delivered yet."""
        was = self.connection.execute(
            select(mention.c.was)
            .where(
                mention.c.obligation_id == row.id,
                mention.c.state == MentionState.QUEUED.value,
                mention.c.was.is_not(None),
            )
            .order_by(mention.c.id)
        ).scalars()
        return next(iter(was), None)

    def _mention(self, row: Row[Any], round_: int) -> None:
        told = {
            "obligation_id": row.id,
            "round": round_,
            "state": MentionState.QUEUED.value,
            "was": self._untold(row) or row.deadline,
        }
        self.told.setdefault(row.section, []).append(told)

    def _tell(self) -> None:
        for section, told in self.told.items():
            letter_id = queue(
                self.connection,
                self.ledger,
                self.plan.id,
                LetterKind.CHANGE,
                Recipient(section),
                self.now,
                mail_domain(self.bureau),
            )
            mention_all(self.connection, [t | {"letter_id": letter_id} for t in told])
            key = LetterKind.CHANGE.value, Addressee.SECTION.value, section
            join_unsent(self.connection, self.plan.id, {key: letter_id})
            self.lines.append(
                events.line(
                    self.now, "letter.queued", plan=self.plan.id, letter=letter_id, kind="change"
                )
            )


def _decided(one: Obligation) -> str:
    if not one.overrides:
        return ""
    return sha256(repr(one.overrides).encode()).hexdigest()[:16]


def _handed_over(one: Obligation) -> bool:
    return one.exempt is None and any(o.reassign is not None for o in one.overrides)


def _heard_of(row: Row[Any], round_: int) -> bool:
    """Whether the section has had a letter about it: a reminder, or of an earlier change."""
    return row.section_at is not None or round_ > 0


def _fresh_round(row: Row[Any]) -> dict[str, Any]:
    return {
        "round": row.round + 1,
        "section_at": None,
        "leader_at": None,
        "head_at": None,
        "closed_at": None,
    }
