"""Reading the mailbox: whatever is new in it is taken in, one mail at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection

from jobs.bounced import NotYetError, forget_unnamed
from jobs.inbox import Desk, Incoming, take_in
from jobs.letterbox import notify_office
from jobs.verdict import Why
from ledger import mails, plans
from ledger.engine import LedgerError
from ledger.mails import MailState
from mailroom.imap import Arrival, Mailbox, MailboxError, Session

WINDOW: Final = timedelta(days=30)
"""How far back a mailbox is read whose numbers are new to us."""
UNNUMBERED_WINDOW: Final = timedelta(days=3)
"""How far back it is read every time where its numbers mean nothing (UIDVALIDITY 0)."""
ALARM_AFTER: Final = timedelta(hours=2)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """One look into the mailbox: what was taken in, and why it could not be read, if so."""

    states: tuple[MailState, ...] = ()
    trouble: str = ""


def listen(
    desk: Desk, mailbox: Mailbox, clock: Callable[[], datetime], stopping: Callable[[], bool]
) -> Reading:
    """Take in what is new. Never raises for what a mailbox or a mail may do, only LedgerError.

    A mail that cannot be decided waits for the office; the others go on.
    """
    begun = clock()
    taken: list[MailState] = []
    try:
        with mailbox.session() as session:
            for incoming in _new(desk, mailbox, session, begun):
                if stopping():
                    return Reading(tuple(taken))
                taken += filter(None, [_take(desk, incoming, clock())])
    except NotYetError:
        return Reading(tuple(taken))
    except MailboxError as error:
        _in_trouble(desk, str(error), clock())
        return Reading(tuple(taken), str(error))
    with desk.ledger.write() as connection:
        plans.set_mark(connection, mails.READ, begun.isoformat(), clock())
        if plans.get_mark(connection, mails.TROUBLE):
            plans.set_mark(connection, mails.TROUBLE, None, clock())
        forget_unnamed(connection, desk.bureaus, clock())
    return Reading(tuple(taken))


def _new(desk: Desk, mailbox: Mailbox, session: Session, now: datetime) -> Iterator[Incoming]:
    """What the ledger does not know yet, in the order in which it came; each is fetched in turn."""
    account, validity = mailbox.account[:320], session.validity
    with desk.ledger.read() as connection:
        last = mails.last_uid(connection, account, validity)
    if validity and last:
        uids = session.since(last)
    else:
        window = WINDOW if validity else UNNUMBERED_WINDOW
        uids = session.since_day((now - window).date())
    for arrival in session.arrivals(uids):
        if _known(desk, account, validity, arrival):
            continue
        incoming = _fetch(session, account, validity, arrival, mailbox.settings.largest_bytes)
        if incoming is not None:
            yield incoming


def _known(desk: Desk, account: str, validity: int, arrival: Arrival) -> bool:
    """Whether this very mail was read; a number that now means another mail is set free."""
    with desk.ledger.read() as connection:
        known = mails.recorded(connection, account, validity, arrival.uid)
    if known is None or known == (arrival.size, arrival.at):
        return known is not None
    if validity:
        return True
    with desk.ledger.write() as connection:
        mails.forget(connection, account, validity, arrival.uid)
    return False


def _fetch(
    session: Session, account: str, validity: int, arrival: Arrival, largest: int
) -> Incoming | None:
    whole = arrival.size <= largest
    raw = session.fetch(arrival.uid) if whole else session.fetch_header(arrival.uid)
    if raw is None:
        return None
    return Incoming(
        account=account,
        validity=validity,
        uid=arrival.uid,
        size=arrival.size,
        arrived_at=arrival.at,
        raw=raw,
        whole=whole,
    )


def _take(desk: Desk, incoming: Incoming, now: datetime) -> MailState | None:
    try:
        return take_in(desk, incoming, now)
    except (LedgerError, NotYetError):
        raise
    except Exception:  # noqa: BLE001 - one mail must not keep the others from being read
        _log.exception("mail.failed")
        with desk.ledger.write() as connection:
            return _quarantine(connection, incoming, now)


def _quarantine(connection: Connection, incoming: Incoming, now: datetime) -> MailState | None:
    entered = mails.enter(
        connection,
        account=incoming.account,
        uidvalidity=incoming.validity,
        uid=incoming.uid,
        sha256=sha256(incoming.raw).hexdigest(),
        size=incoming.size,
        arrived_at=incoming.arrived_at,
        read_at=now,
        sender="",
        subject="",
        words="",
        state=MailState.OPEN.value,
        reason=Why.UNREADABLE.value,
    )
    return None if entered is None else MailState.OPEN


def _in_trouble(desk: Desk, reason: str, now: datetime) -> None:
    """Remember since when; tell the office once, when it has lasted."""
    with desk.ledger.write() as connection:
        known = plans.get_mark(connection, mails.TROUBLE)
        known = known or {"since": now.isoformat(), "told": False}
        since = datetime.fromisoformat(known["since"])
        tell = not known["told"] and now - since >= ALARM_AFTER
        told = {**known, "reason": reason, "told": known["told"] or tell}
        plans.set_mark(connection, mails.TROUBLE, told, now)
        if not tell:
            return
        for plan_id, bureau in desk.bureaus.items():
            notify_office(
                connection,
                desk.ledger,
                bureau,
                plan_id,
                now,
                "收件邮箱无法读取",
                [
                    f"自{bureau.local(since):%-m月%-d日 %H:%M}起，收件邮箱无法读取，"
                    "各科室以回复邮件方式报送的材料尚未登记。",
                    "在恢复读取之前，不会向领导报告逾期。请检查邮箱的设置和登录授权码。",
                ],
                [f"原因：{reason}"],
            )
