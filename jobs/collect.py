"""Taking reports back: a section hands in, the office accepts or returns, one path for all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from duban.bureau import Bureau
from duban.deadlines import key_of
from duban.facts import LetterKind
from duban.letters import Recipient
from duban.standings import State
from jobs.letterbox import alarmed_posts, notify_office, post, tell_of_hand_in, untell_hand_in
from jobs.links import LINK
from ledger import events, obligations, plans
from ledger.attachments import File, assign, attach
from ledger.engine import Ledger
from ledger.mentions import void_receipt
from ledger.tables import event, obligation, submission

WITHDRAWN = "withdrawn"
"""The outcome of a hand-in that the section took back: it counts for nothing."""

_KEPT = (
    select(submission.c.at, submission.c.late)
    .where(
        submission.c.obligation_id == bindparam("of"),
        func.coalesce(submission.c.outcome, "") != WITHDRAWN,
    )
    .order_by(submission.c.id)
)
_RECEIVED = "submission.received"


class RefusedError(ValueError):
    """The ledger's state does not allow it; the message says why and what would."""


class MeanwhileError(RefusedError):
    """Something was done about the obligation after the actor had looked: `done` is its event."""

    def __init__(self, key: str, done: Row[Any]) -> None:
        super().__init__(f"{key}: {done.what} by {done.who} came first; look at it again")
        self.done = done


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something about which obligation, when, by which way and why.

    A hand-in brings `files` that the archive holds, or `attachments` that the ledger names already;
    one by mail has that mail's `message_id`. `seen` is the id of the latest deed that the
    actor knew of, 0 for none: then nothing is done if there is another by now.
    """

    key: str
    at: datetime
    who: str
    via: str = "command"
    reason: str | None = None
    files: tuple[File, ...] = ()
    attachments: tuple[int, ...] = ()
    message_id: str | None = None
    seen: int | None = None


def full_key(bureau: Bureau, key: str) -> str:
    """A key with its section's alias or full name replaced by the short name."""
    item, slash, rest = key.partition("/")
    period, slash2, section = rest.partition("/")
    if not (slash and slash2):
        raise RefusedError(f"{key!r} is not a key like monthly/2023-06/财务科")
    try:
        return key_of(item, period, bureau.plan.section(section).name)
    except KeyError:
        return key


def submit(ledger: Ledger, bureau: Bureau, act: Act) -> str:
    """Record that a section has handed in; gives the receipt's number.

    Reminders stop with this commit. Raises RefusedError for an obligation that is not owed.
    """
    with ledger.write() as connection:
        return submit_within(connection, ledger, bureau, act)


def submit_within(connection: Connection, ledger: Ledger, bureau: Bureau, act: Act) -> str:
    """As `submit`, in a transaction that also records where the report came from."""
    row = find_obligation(connection, bureau, act)
    return _hand_in(connection, ledger, bureau, row, act)


def withdraw(ledger: Ledger, bureau: Bureau, act: Act) -> None:
    """The section takes back what it handed in (撤回), until the office has decided about it.

    What was owed is owed again and its reminders go on. Raises RefusedError after the decision.
    """
    with ledger.write() as connection:
        row = find_obligation(connection, bureau, act)
        if row.state != State.SUBMITTED.value:
            raise RefusedError(f"{row.key} is {row.state}: only what waits can be withdrawn")
        _settle_submission(connection, row, act, WITHDRAWN)
        state = _state_before(connection, row)
        kept = connection.execute(_KEPT, {"of": row.id}).all()
        _write(
            connection,
            row,
            state=state.value,
            late=any(one.late for one in kept),
            submitted_at=kept[-1].at if kept else None,
            next_action_at=act.at if state.owed else None,
        )
        void_receipt(connection, row.id, "withdrawn meanwhile")
        untell_hand_in(connection, bureau, row)
        note(connection, row, act, "submission.withdrawn")
        # what the plan decided while the report lay here, such as an exemption, counts again
        plans.change(connection, row.plan_id, reconciled=f"{bureau.plan.digest} again")


def accept(ledger: Ledger, bureau: Bureau, act: Act) -> None:
    """The office accepts what was handed in, or records by hand that it has the report."""
    with ledger.write() as connection:
        row = find_obligation(connection, bureau, act)
        if State(row.state).owed or row.state == State.BEFORE.value:
            _hand_in(connection, ledger, bureau, row, act)
        elif row.state != State.SUBMITTED.value:
            raise RefusedError(f"{row.key} is {row.state}: there is nothing to accept")
        _settle_submission(connection, row, act, "accepted")
        _write(connection, row, state=State.ACCEPTED.value, closed_at=act.at)
        note(connection, row, act, "submission.accepted")


def give_back(ledger: Ledger, bureau: Bureau, act: Act, deadline: datetime | None = None) -> None:
    """The office returns a report (退回) with a reason, and a new time limit if it sets one.

    The section is told at once and is reminded afresh; an official hears of it only after that.
    """
    if not act.reason:
        raise RefusedError("a return needs a reason: the section must know what to mend")
    with ledger.write() as connection:
        row = find_obligation(connection, bureau, act)
        if row.state not in (State.SUBMITTED.value, State.ACCEPTED.value):
            raise RefusedError(f"{row.key} is {row.state}: only what was handed in can be returned")
        _settle_submission(connection, row, act, "returned")
        limit = deadline or row.deadline
        first = bureau.first_step(bureau.plan.items[row.item], limit)
        _write(
            connection,
            row,
            state=State.RETURNED.value,
            deadline=limit,
            round=row.round + 1,
            section_at=None,
            leader_at=None,
            head_at=None,
            closed_at=None,
            next_action_at=max(first, act.at),
        )
        note(
            connection, row, act, "submission.returned", deadline=deadline and deadline.isoformat()
        )
        _tell_return(connection, ledger, bureau, row, act, limit)
        # what the plan decided while the report lay here, such as an exemption, counts again
        plans.change(connection, row.plan_id, reconciled=f"{bureau.plan.digest} again")


def find_obligation(connection: Connection, bureau: Bureau, act: Act) -> Row[Any]:
    """The obligation of an act, with any of the section's names; nobody else may change it now.

    Raises RefusedError; MeanwhileError where more was done about it than the actor has seen.
    """
    plan = plans.find(connection, bureau.plan.id)
    if plan is None:
        raise RefusedError(f"the ledger does not know the plan {bureau.plan.id!r} yet")
    row = obligations.lock(connection, plan.id, full_key(bureau, act.key))
    if row is None:
        raise RefusedError(
            f"no obligation {act.key!r} in plan {bureau.plan.id!r}; 'duban agenda' lists the keys"
        )
    done = None if act.seen is None else events.latest_deeds(connection, [row.id]).get(row.id)
    if done is not None and done.id != act.seen:
        raise MeanwhileError(row.key, done)
    return row


def _hand_in(
    connection: Connection, ledger: Ledger, bureau: Bureau, row: Row[Any], act: Act
) -> str:
    state = State(row.state)
    if not state.owed and state is not State.BEFORE:
        raise RefusedError(f"{row.key} is {row.state} already: nothing more is owed")
    late = bool(act.at > row.deadline)
    number = _number(connection, bureau, row)
    made = insert(submission).values(
        obligation_id=row.id,
        number=number,
        at=act.at,
        by=act.who,
        via=act.via,
        late=late,
        note=act.reason,
    )
    which = connection.execute(made.returning(submission.c.id)).scalar_one()
    for file in act.files:
        attach(connection, file, act.at, act.who, which)
    assign(connection, act.attachments, which)
    _write(
        connection,
        row,
        state=State.SUBMITTED.value,
        submitted_at=act.at,
        late=row.late or late,
        next_action_at=None,
    )
    told = {"number": number, "late": late, "via": act.via, "was": row.state}
    note(connection, row, act, _RECEIVED, **told, mail=act.message_id)
    section = Recipient(row.section)
    post(connection, ledger, bureau, row.plan_id, LetterKind.RECEIPT, section, act.at, [row])
    for name in alarmed_posts(connection, row.id):
        official = Recipient(name, official=True)
        post(connection, ledger, bureau, row.plan_id, LetterKind.CLOSING, official, act.at, [row])
    # a mail lies in the office's own mailbox, and what the office enters it knows
    if act.via == LINK and row.section != bureau.plan.office.name:
        called = spoken_period(row.period) + bureau.plan.items[row.item].label
        line = f"{row.section} {called}，编号{number}"
        tell_of_hand_in(connection, ledger, bureau, row, act.at, line)
    return number


def _state_before(connection: Connection, row: Row[Any]) -> State:
    """How the obligation stood before its latest hand-in, by the log."""
    data = connection.execute(
        select(event.c.data)
        .where(event.c.obligation_id == row.id, event.c.what == _RECEIVED)
        .order_by(event.c.id.desc())
        .limit(1)
    ).scalar_one()
    return State(data.get("was", State.OPEN.value))


def _number(connection: Connection, bureau: Bureau, row: Row[Any]) -> str:
    counted = connection.execute(
        select(func.count())
        .select_from(submission)
        .join(obligation, obligation.c.id == submission.c.obligation_id)
        .where(obligation.c.plan_id == row.plan_id)
    ).scalar_one()
    return f"{bureau.plan.id}-{counted + 1:04d}"


def _settle_submission(connection: Connection, row: Row[Any], act: Act, outcome: str) -> None:
    latest = (
        select(func.max(submission.c.id))
        .where(submission.c.obligation_id == row.id)
        .scalar_subquery()
    )
    connection.execute(
        update(submission)
        .where(submission.c.id == latest)
        .values(outcome=outcome, decided_at=act.at, decided_by=act.who, reason=act.reason)
    )


def _tell_return(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    row: Row[Any],
    act: Act,
    limit: datetime,
) -> None:
    due = bureau.local(limit)
    said = [f"退回原因：{act.reason}", f"重新报送时限：{due:%Y年%-m月%-d日 %H:%M}"]
    tell_section(connection, ledger, bureau, row, act, "已退回，请修改后重新报送", said)


def tell_section(
    connection: Connection,
    ledger: Ledger,
    bureau: Bureau,
    row: Row[Any],
    act: Act,
    what: str,
    message: list[str],
) -> None:
    """Queue a notice to a section about what was decided of its obligation: `3月月报已退回`."""
    label = bureau.plan.items[row.item].label
    data = {
        "title": f"{spoken_period(row.period)}{label}{what}",
        "message": message,
        "details": [],
        "return": True,
    }
    post(
        connection,
        ledger,
        bureau,
        row.plan_id,
        LetterKind.NOTICE,
        Recipient(row.section),
        act.at,
        [row],
        data,
    )


def spoken_period(period: str) -> str:
    """`3月` of `2023-03`, `2023年` of `2023`: what stands before a report's label."""
    year, _, month = period.partition("-")
    return f"{int(month[:2])}月" if month else f"{year}年"


def _write(connection: Connection, row: Row[Any], **values: Any) -> None:
    connection.execute(update(obligation).where(obligation.c.id == row.id).values(**values))


def note(connection: Connection, row: Row[Any], act: Act, what: str, **data: Any) -> None:
    """Write an act into the log: what, by whom and why."""
    events.record(
        connection,
        act.at,
        what,
        act.who,
        plan=row.plan_id,
        obligation=row.id,
        reason=act.reason,
        **data,
    )


def tell_office(
    ledger: Ledger,
    bureau: Bureau,
    now: datetime,
    title: str,
    message: list[str],
    details: list[str],
) -> None:
    """Queue a notice to the office, such as a plan file that could not be loaded."""
    with ledger.write() as connection:
        plan = plans.find(connection, bureau.plan.id)
        if plan is not None:
            notify_office(connection, ledger, bureau, plan.id, now, title, message, details)
