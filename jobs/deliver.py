"""Claim, send, mark: letters leave the ledger for the relay, and what the relay said comes back.

Marking comes after sending. A crash between the relay's answer and the mark means a second copy
with the same Message-ID; marking first would mean a lost letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from duban.bureau import Bureau
from duban.facts import LetterFacts, LetterKind
from jobs.content import Content
from jobs.links import Links
from jobs.outcome import accepted, refused
from ledger import events, letters, mentions
from ledger.engine import Ledger
from ledger.tables import LetterState
from mailroom.compose import Envelope, compose
from mailroom.relay import Mail, Outcome, Relay, Reply
from mailroom.render import Rendered, Speaker


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed letter with what it will say and to whom."""

    row: Row[Any]
    facts: LetterFacts
    address: str
    in_reply_to: str | None
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that the relay accepted, for whoever keeps a journal."""

    at: datetime
    ready: Ready
    mail: Mail
    rendered: Rendered


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """What delivery needs: a relay, a voice, a name for the claims, and a clock.

    `lease` must be longer than the relay's total time-out: an unfinished letter is taken over
    after it. With `links` a letter about obligations names its own page.
    """

    relay: Relay
    speaker: Speaker
    clock: Callable[[], datetime]
    owner: str
    sender: str
    sender_name: str
    lease: timedelta = timedelta(minutes=5)
    batch: int = 50
    links: Links | None = None
    on_sent: Callable[[Sent], None] = lambda sent: None
    stopping: Callable[[], bool] = lambda: False


async def deliver(ledger: Ledger, bureaus: Mapping[int, Bureau], carrier: Carrier) -> int:
    """Send every letter that is due, batch by batch; gives how many the relay accepted."""
    sent = 0
    while not carrier.stopping():
        ready, claimed = _claim(ledger, bureaus, carrier)
        sent += await _send(ledger, bureaus, carrier, ready)
        if claimed < carrier.batch:
            break
    return sent


def _claim(
    ledger: Ledger, bureaus: Mapping[int, Bureau], carrier: Carrier
) -> tuple[list[Ready], int]:
    now = carrier.clock()
    at_work = letters.Open(
        [plan_id for plan_id, bureau in bureaus.items() if bureau.open(now)],
        [plan_id for plan_id, bureau in bureaus.items() if bureau.reminding(now)],
    )
    if not at_work.letters:
        return [], 0
    with ledger.read() as connection:
        if not letters.any_ready(connection, at_work, now):
            return [], 0
    with ledger.write() as connection:
        rows = letters.claim(
            connection, at_work, carrier.owner, now, now + carrier.lease, carrier.batch
        )
        ids = [row.id for row in rows]
        mentions.drop_settled(connection, ids)
        mentioned: dict[int, list[Row[Any]]] = {}
        for mention in mentions.listed(connection, ids):
            mentioned.setdefault(mention.letter_id, []).append(mention)
        threads = mentions.threads(connection, {m[0].id for m in mentioned.values()})
        contents = _contents(connection, bureaus, rows, mentioned, now)
        ready = []
        for row in rows:
            _note_takeover(connection, row, now)
            content, mine = contents[row.plan_id], mentioned.get(row.id, [])
            made = _prepare(content, row, mine, threads, carrier.links)
            if isinstance(made, str):
                letters.withdraw(connection, row.id, made)
                _note(connection, row, now, "letter.withdrawn", reason=made)
            else:
                ready.append(made)
    return ready, len(rows)


def _contents(
    connection: Connection,
    bureaus: Mapping[int, Bureau],
    rows: list[Row[Any]],
    mentioned: Mapping[int, list[Row[Any]]],
    now: datetime,
) -> dict[int, Content]:
    contents = {}
    for plan_id in {row.plan_id for row in rows}:
        content = contents[plan_id] = Content(connection, bureaus[plan_id], plan_id, now)
        content.expect_escalations(
            mentioned.get(row.id, ())
            for row in rows
            if row.plan_id == plan_id and row.kind == LetterKind.ESCALATION.value
        )
    return contents


def _prepare(
    content: Content,
    row: Row[Any],
    mentioned: list[Row[Any]],
    threads: Mapping[tuple[int, str], str],
    links: Links | None,
) -> Ready | str:
    """The letter ready to be composed, or the reason why it has nothing to say."""
    about = LetterKind(row.kind) in _ABOUT_OBLIGATIONS or (row.data or {}).get("return", False)
    if about and not mentioned:
        return "nothing in it is owed any more"
    if row.kind == LetterKind.DIGEST.value and content.stale(row.created_at):
        return "a digest is of its own day"
    try:
        address = content.addressee(row)[2]
    except KeyError:
        return f"the plan no longer names {row.name}"
    facts = content.letter(row, mentioned)
    if links is not None and mentioned:
        facts = replace(facts, link=links.letter(row.id))
    thread = threads.get((mentioned[0].id, address)) if mentioned else None
    keys = tuple(dict.fromkeys(m.key for m in mentioned))
    return Ready(row, facts, address, thread, keys)


_ABOUT_OBLIGATIONS = (
    LetterKind.REMINDER,
    LetterKind.ESCALATION,
    LetterKind.CHANGE,
    LetterKind.RECEIPT,
    LetterKind.CLOSING,
)


def _note_takeover(connection: Connection, row: Row[Any], now: datetime) -> None:
    if row.state == LetterState.CLAIMED.value:
        letters.suspect(connection, row.id)
        _note(connection, row, now, "letter.possibly_twice", owner=row.owner)


async def _send(
    ledger: Ledger, bureaus: Mapping[int, Bureau], carrier: Carrier, ready: list[Ready]
) -> int:
    """Send a batch side by side; one writer commits whatever finished while it last committed.

    A letter that cannot even be written stays claimed until its lease ends; the others are sent and
    marked, then its error is raised.
    """
    finished: asyncio.Queue[asyncio.Task[_Carried]] = asyncio.Queue()
    pending = [asyncio.create_task(_carry(bureaus, carrier, one)) for one in ready]
    for task in pending:
        task.add_done_callback(finished.put_nowait)
    sent, left = 0, len(pending)
    errors: list[BaseException] = []
    try:
        while left:
            done = [await finished.get()]
            while not finished.empty():
                done.append(finished.get_nowait())
            left -= len(done)
            errors += [error for task in done if (error := task.exception())]
            sent += _mark(ledger, bureaus, carrier, [t.result() for t in done if not t.exception()])
    finally:
        for task in pending:
            task.cancel()
    if errors:
        raise errors[0]
    return sent


_Carried = tuple[Ready, Rendered, Mail, Reply]


async def _carry(bureaus: Mapping[int, Bureau], carrier: Carrier, ready: Ready) -> _Carried:
    rendered = carrier.speaker.render(ready.facts)
    mail = _compose(bureaus[ready.row.plan_id], carrier, ready, rendered)
    return ready, rendered, mail, await carrier.relay.send(mail)


def _compose(bureau: Bureau, carrier: Carrier, ready: Ready, rendered: Rendered) -> Mail:
    office = bureau.plan.mailbox(bureau.plan.office)
    sender = carrier.sender or office
    envelope = Envelope(
        sender=sender,
        sender_name=carrier.sender_name or bureau.plan.about.organization,
        recipient=ready.address,
        recipient_name=ready.facts.recipient,
        reply_to=office,
        message_id=ready.row.message_id,
        date=ready.facts.now,
        in_reply_to=ready.in_reply_to,
        light=ready.facts.light,
        kind=ready.facts.kind.value,
        obligations=ready.keys,
    )
    return Mail(
        sender=sender,
        recipient=ready.address,
        message_id=ready.row.message_id,
        content=compose(envelope, rendered),
    )


def _mark(
    ledger: Ledger,
    bureaus: Mapping[int, Bureau],
    carrier: Carrier,
    done: list[_Carried],
) -> int:
    now = carrier.clock()
    sent = [
        Sent(now, ready, mail, rendered)
        for ready, rendered, mail, reply in done
        if reply.outcome is Outcome.ACCEPTED
    ]
    with ledger.write() as connection:
        good: dict[int, list[tuple[Row[Any], dict[str, Any]]]] = {}
        for ready, rendered, _, reply in done:
            row, shown = ready.row, _shown(ready, rendered, reply)
            if reply.outcome is Outcome.ACCEPTED:
                good.setdefault(row.plan_id, []).append((row, shown))
            else:
                bureau = bureaus[row.plan_id]
                refused(connection, ledger, bureau, row, reply, shown, carrier.owner, now)
            if rendered.fallback:
                _note(connection, row, now, "template.failed", reason=rendered.fallback)
        for plan_id, rows in good.items():
            accepted(connection, ledger, bureaus[plan_id], rows, now)
    for one in sent:
        carrier.on_sent(one)
    return len(sent)


def _shown(ready: Ready, rendered: Rendered, reply: Reply) -> dict[str, Any]:
    return {
        "recipient": ready.facts.recipient,
        "address": ready.address,
        "light": ready.facts.light and ready.facts.light.value,
        "subject": rendered.subject,
        "reply": _said(reply),
    }


def _said(reply: Reply) -> str:
    """The relay's words with their code in front, as SMTP has them."""
    code = str(reply.code or "")
    return reply.text if reply.text.startswith(code) else f"{code} {reply.text}"


def _note(connection: Connection, row: Row[Any], now: datetime, what: str, **data: Any) -> None:
    events.record(connection, now, what, plan=row.plan_id, letter=row.id, **data)
