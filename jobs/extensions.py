"""A section asks for more time; the office grants it, as an override, or says why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from config.splice import write_override, written
from duban.bureau import Bureau
from duban.deadlines import instant
from duban.standings import State
from jobs.collect import Act, RefusedError, find_obligation, note, tell_section
from ledger.engine import Ledger
from ledger.tables import extension, obligation

GRANTED: Final = "granted"
REFUSED: Final = "refused"
REPLACED: Final = "replaced"
REASON_CHARACTERS: Final = 500
LONGEST_DAYS: Final = 366

_OPEN = (
    select(
        obligation,
        extension.c.at.label("asked_at"),
        extension.c.by.label("asked_by"),
        extension.c.wished,
        extension.c.reason.label("because"),
    )
    .join(obligation, obligation.c.id == extension.c.obligation_id)
    .where(
        obligation.c.plan_id == bindparam("plan"),
        obligation.c.state.in_([s.value for s in State if s.owed]),
        extension.c.outcome.is_(None),
    )
    .order_by(obligation.c.deadline, extension.c.id)
)


def open_requests(connection: Connection, plan_id: int) -> list[Row[Any]]:
    """The requests that wait for the office, each with its obligation, the earliest deadline first.

    A row has the obligation's columns, and `asked_at`, `asked_by`, `wished`, `because`. What was
    handed in or exempted meanwhile waits for nothing.
    """
    return list(connection.execute(_OPEN, {"plan": plan_id}))


def of_obligations(connection: Connection, ids: list[int]) -> list[Row[Any]]:
    """Every request about these obligations, the oldest first."""
    return list(
        connection.execute(
            select(extension).where(extension.c.obligation_id.in_(ids)).order_by(extension.c.id)
        )
    )


def request(ledger: Ledger, bureau: Bureau, act: Act, wished: date) -> int:
    """Enter a section's request; an open one about the same obligation is replaced. Gives its id.

    Raises RefusedError without a reason, for a day that gives no more time, or if nothing is owed.
    """
    reason = _one_line(act.reason)
    with ledger.write() as connection:
        row = find_obligation(connection, bureau, act)
        if not State(row.state).owed:
            raise RefusedError(f"{row.key} is {row.state}: there is nothing to extend")
        if not reason:
            raise RefusedError("a request needs a reason: the office decides by it")
        today = bureau.day(act.at)
        if wished <= max(bureau.day(row.deadline), today) or (wished - today).days > LONGEST_DAYS:
            raise RefusedError(
                f"{wished} gives no more time than {bureau.day(row.deadline)}, or lies too far off"
            )
        connection.execute(
            update(extension)
            .where(extension.c.obligation_id == row.id, extension.c.outcome.is_(None))
            .values(outcome=REPLACED, decided_at=act.at, decided_by=act.who)
        )
        made = insert(extension).values(
            obligation_id=row.id, at=act.at, by=act.who, via=act.via, wished=wished, reason=reason
        )
        which: int = connection.execute(made.returning(extension.c.id)).scalar_one()
        note(connection, row, act, "extension.requested", wished=wished.isoformat())
    return which


@dataclass(frozen=True, slots=True)
class Granted:
    """A new deadline, and the file that it was written into."""

    deadline: datetime
    file: Path


def grant(
    ledger: Ledger,
    bureau: Bureau,
    folder: Path,
    act: Act,
    deadline: date | datetime | None = None,
) -> Granted:
    """Write the wished day, or `deadline`, into the `overrides.yaml` of the plan's folder.

    The daemon moves the deadline when it reads the file, and the section is told then. Raises
    RefusedError without an open request, and OverrideRefusedError if the plan would not load.
    """
    with ledger.write() as connection:
        row = find_obligation(connection, bureau, act)
        asked = _waiting(connection, row)
        when = deadline if deadline is not None else asked.wished
        limit = instant(bureau.plan, bureau.plan.items[row.item], when)
        if limit <= row.deadline:
            raise RefusedError(f"{limit:%Y-%m-%d %H:%M} is no later than the present deadline")
        _settle(connection, asked, act, GRANTED, granted=limit)
        note(connection, row, act, "extension.granted", deadline=limit.isoformat())
        # the file last, before the commit: a crash between them leaves a request that is still
        # open, and granting it again writes the same
        write_override(
            folder,
            {
                "item": row.item,
                "period": row.period,
                "section": row.section,
                "deadline": written(when),
                "reason": f"科室申请延期：{asked.reason}",
                "by": act.who,
            },
        )
    return Granted(limit, folder / "overrides.yaml")


def refuse(ledger: Ledger, bureau: Bureau, act: Act) -> None:
    """The deadline stays; the section is told why. Raises RefusedError without a reason."""
    answer = _one_line(act.reason)
    if not answer:
        raise RefusedError("a refusal needs a reason: the section will read it")
    with ledger.write() as connection:
        row = find_obligation(connection, bureau, act)
        _settle(connection, _waiting(connection, row), act, REFUSED, answer=answer)
        note(connection, row, act, "extension.refused")
        due = bureau.local(row.deadline)
        said = [f"原因：{answer}", f"时限不变：{due:%Y年%-m月%-d日 %H:%M}"]
        tell_section(connection, ledger, bureau, row, act, "延期申请未获同意", said)


def _waiting(connection: Connection, row: Row[Any]) -> Row[Any]:
    found = connection.execute(
        select(extension)
        .where(extension.c.obligation_id == row.id, extension.c.outcome.is_(None))
        .order_by(extension.c.id.desc())
    ).first()
    if found is None or not State(row.state).owed:
        raise RefusedError(f"no request for more time is open for {row.key}")
    return found


def _settle(connection: Connection, asked: Row[Any], act: Act, outcome: str, **values: Any) -> None:
    settled = connection.execute(
        update(extension)
        .where(extension.c.obligation_id == asked.obligation_id, extension.c.outcome.is_(None))
        .values(outcome=outcome, decided_at=act.at, decided_by=act.who, **values)
    )
    if not settled.rowcount:  # on PostgreSQL somebody else may have answered since it was read
        raise RefusedError("the request was answered by somebody else just now")


def _one_line(text: str | None) -> str:
    """A reason as a letter and `overrides.yaml` take it."""
    printable = "".join(c if c.isprintable() else " " for c in text or "")
    return " ".join(printable.split())[:REASON_CHARACTERS]
