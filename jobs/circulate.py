"""The office's morning digest: how things stand, and what wants its hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, func, select

from duban.bureau import Bureau
from duban.facts import DigestFacts, ItemFacts, LetterKind
from duban.letters import Recipient
from duban.standings import State
from jobs.extensions import open_requests
from jobs.letterbox import post
from jobs.links import LINK
from ledger import plans
from ledger.engine import Ledger
from ledger.tables import LetterState, attachment, letter, obligation, submission
from mailroom.words import day, name

if TYPE_CHECKING:
    from jobs.content import Content

SOON_WORKING_DAYS = 5
# the most that a list shows; what is due soon is grouped by duty, so that all of it is needed
SHOWN = {"overdue": 8, "due_soon": 60, "submitted": 8}
STUCK_AFTER = timedelta(minutes=30)
_OWED = [s.value for s in State if s.owed]


def circulate(ledger: Ledger, bureaus: Mapping[int, Bureau], now: datetime) -> int:
    """Queue each office's digest once on a working day, where there is something to say."""
    queued = 0
    for plan_id, bureau in bureaus.items():
        if bureau.open(now) and bureau.local(now).time() >= bureau.plan.about.digest_time:
            queued += _digest(ledger, plan_id, bureau, now)
    return queued


def next_digest(bureau: Bureau, now: datetime) -> datetime:
    """When the digest after `now` is due."""
    local, hour = bureau.local(now), bureau.plan.about.digest_time
    today = datetime.combine(local.date(), hour, local.tzinfo)
    if local < today and bureau.calendar.is_working(local.date()):
        return today
    return datetime.combine(bureau.calendar.shift(local.date(), 1), hour, local.tzinfo)


def _digest(ledger: Ledger, plan_id: int, bureau: Bureau, now: datetime) -> int:
    today = bureau.day(now)
    with ledger.read() as connection:
        wanted = plans.wants_digest(connection, plan_id, today)
    if not wanted:
        return 0
    with ledger.write() as connection:
        if not plans.begin_digest(connection, plan_id, today):
            return 0  # another node that believed to decide was first
        soon = bureau.calendar.shift(today, SOON_WORKING_DAYS) + timedelta(days=1)
        until = datetime.combine(soon, datetime.min.time(), bureau.plan.zone)
        some = connection.execute(_ANY, {"plan": plan_id, "until": until}).first()
        if some is None and not open_requests(connection, plan_id):
            return 0
        office = Recipient(bureau.plan.office.name)
        post(connection, ledger, bureau, plan_id, LetterKind.DIGEST, office, now)
    return 1


def digest_facts(content: Content, plan_id: int) -> DigestFacts:
    """The figures and lists of the digest at the content's instant."""
    bureau, now = content.bureau, content.now
    soon = bureau.calendar.shift(now.date(), SOON_WORKING_DAYS) + timedelta(days=1)
    until = datetime.combine(soon, datetime.min.time(), bureau.plan.zone)
    new_year = datetime(now.year + 1, 1, 1, tzinfo=bureau.plan.zone)
    bounds = {"plan": plan_id, "now": now, "until": until, "new_year": new_year}
    counts = content.connection.execute(_COUNTS, bounds).one()._mapping
    listed: dict[str, Any] = {
        part: tuple(
            content.item(row, LetterKind.DIGEST)
            for row in content.connection.execute(listing, bounds)
        )
        for part, listing in _LISTS.items()
        if counts[f"{part}_count"]
    }
    listed["submitted"] = tuple(_waiting(content, i) for i in listed.get("submitted", ()))
    return DigestFacts(
        **counts,
        **listed,
        alarms=_alarms(content, plan_id),
        requests=_requests(content, plan_id),
    )


def _waiting(content: Content, item: ItemFacts) -> ItemFacts:
    """A hand-in with the working days that it has lain here, and whether it is but a word."""
    if item.submitted_at is None:
        return item
    waited = content.bureau.calendar.count(item.submitted_at.date(), content.now.date())
    bare = content.connection.execute(_BARE, {"number": item.number}).first() is not None
    return item._replace(waited=waited, bare=bare)


def _requests(content: Content, plan_id: int) -> tuple[str, ...]:
    """Who asks for more time, until when and why."""
    now = content.now
    return tuple(
        f"{row.section}：{name(content.item(row, LetterKind.DIGEST), now)}，"
        f"申请延至{day(row.wished, now)}：{row.because}"
        for row in open_requests(content.connection, plan_id)
    )


_BARE = select(submission.c.id).where(
    submission.c.number == bindparam("number"),
    submission.c.via == LINK,
    ~exists().where(attachment.c.submission_id == submission.c.id),
)
_WRONG = (
    select(letter)
    .where(
        letter.c.plan_id == bindparam("plan"),
        ((letter.c.state == LetterState.FAILED.value) & (letter.c.created_at > bindparam("since")))
        | (
            (letter.c.state == LetterState.QUEUED.value)
            & (letter.c.created_at < bindparam("stuck"))
            & (letter.c.attempts > 0)
        ),
    )
    .order_by(letter.c.id)
)
_owed = obligation.c.state.in_(_OWED)
_accepted = obligation.c.state == State.ACCEPTED.value
_PARTS = {
    "overdue": _owed & (obligation.c.deadline < bindparam("now")),
    "due_soon": _owed
    & (obligation.c.deadline >= bindparam("now"))
    & (obligation.c.deadline < bindparam("until")),
    "submitted": obligation.c.state == State.SUBMITTED.value,
}
_COUNTED = {
    "open": _owed & (obligation.c.deadline < bindparam("new_year")),
    "on_time": _accepted & obligation.c.late.is_(False),
    "late": _accepted & obligation.c.late.is_(True),
    "provisional": _owed & obligation.c.provisional.is_(True),
} | {f"{name}_count": condition for name, condition in _PARTS.items()}
_ANY = (
    select(obligation.c.id)
    .where(
        obligation.c.plan_id == bindparam("plan"),
        (_owed & (obligation.c.deadline < bindparam("until"))) | _PARTS["submitted"],
    )
    .limit(1)
)
_COUNTS = select(
    *(func.count().filter(condition).label(name) for name, condition in _COUNTED.items())
).where(obligation.c.plan_id == bindparam("plan"))
_LISTS = {
    name: select(obligation)
    .where(obligation.c.plan_id == bindparam("plan"), condition)
    .order_by(
        # what has lain longest unaccepted first
        obligation.c.submitted_at if name == "submitted" else obligation.c.deadline,
        obligation.c.id,
    )
    .limit(SHOWN[name])
    for name, condition in _PARTS.items()
}


def _last_digest(content: Content) -> datetime:
    """When the digest before the content's day was due."""
    calendar, now = content.bureau.calendar, content.now
    day = calendar.shift(calendar.on_or_before(now.date()), -1)
    return datetime.combine(day, content.bureau.plan.about.digest_time, now.tzinfo)


def _alarms(content: Content, plan_id: int) -> tuple[str, ...]:
    """What the relay refused since yesterday and what has waited too long."""
    local = content.bureau.local
    bounds = {
        "plan": plan_id,
        "since": _last_digest(content),
        "stuck": content.now - STUCK_AFTER,
    }
    rows = content.connection.execute(_WRONG, bounds)
    return tuple(
        f"{local(r.created_at):%m-%d %H:%M} 致{r.recipient or r.name}的函未送达："
        f"{r.reason or r.reply or '等待重试'}"
        for r in rows
    )
