"""What claimed letters say and to whom, and the orders to write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from duban.bureau import Bureau
from duban.facts import LetterFacts, LetterKind
from jobs.content import Content
from jobs.links import Links
from ledger import mentions
from ledger.damage import DamagedRowError, check_sound
from ledger.letters import Letter
from mailroom.compose import Envelope
from mailroom.written import Order

_ABOUT_OBLIGATIONS = (
    LetterKind.REMINDER,
    LetterKind.ESCALATION,
    LetterKind.CHANGE,
    LetterKind.RECEIPT,
    LetterKind.CLOSING,
)


class Voice(NamedTuple):
    """What is the same in all letters of an installation.

    An empty `sender` is the plan's office, an empty name its organization. With `links` a letter
    about obligations names its own page.
    """

    sender: str
    sender_name: str
    links: Links | None = None

    def address(self, bureau: Bureau) -> str:
        """Whom the letters of a plan are from."""
        return self.sender or bureau.plan.mailbox(bureau.plan.office)


class StaleError(Exception):
    """What a letter says may not hold any more: it is to be claimed anew."""


class Said(NamedTuple):
    """What one letter says, to which address, after which letter, about which obligations."""

    facts: LetterFacts
    address: str
    in_reply_to: str | None
    keys: tuple[str, ...]


def say(
    connection: Connection,
    bureaus: Mapping[int, Bureau],
    claimed: Sequence[Letter],
    links: Links | None,
    now: datetime,
) -> list[Said | str | Exception]:
    """What each letter says, or the reason why it has nothing to say, or why nobody can tell.

    The latter is a StaleError where something of it was handed in, or changed, since the claim.
    Only reads. Raises SQLAlchemyError where the ledger cannot be read.
    """
    try:
        return _say_all(connection, bureaus, claimed, links, now)
    except (TypeError, ValueError) as error:
        if len(claimed) == 1:
            return [DamagedRowError(f"a row in the ledger that it needs is damaged ({error})")]
        # what one of them is about cannot be read: the others are worded each by itself
        return [one for row in claimed for one in say(connection, bureaus, [row], links, now)]


def _say_all(
    connection: Connection,
    bureaus: Mapping[int, Bureau],
    claimed: Sequence[Letter],
    links: Links | None,
    now: datetime,
) -> list[Said | str | Exception]:
    mentioned: dict[int, list[Row[Any]]] = {}
    for mention in mentions.listed(connection, [row.id for row in claimed]):
        mentioned.setdefault(mention.letter_id, []).append(mention)
    threads = mentions.threads(connection, {m[0].id for m in mentioned.values()})
    contents = _contents(connection, bureaus, claimed, mentioned, now)
    said: list[Said | str | Exception] = []
    for row in claimed:
        try:
            said.append(_say(contents[row.plan_id], row, mentioned.get(row.id, []), threads, links))
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one letter must not hold up the others
            said.append(error)
    return said


def order(bureau: Bureau, voice: Voice, row: Letter, said: Said) -> Order:
    """The letter as it is to be written."""
    facts = said.facts
    envelope = Envelope(
        sender=voice.address(bureau),
        sender_name=voice.sender_name or bureau.plan.about.organization,
        recipient=said.address,
        recipient_name=facts.recipient,
        reply_to=bureau.plan.mailbox(bureau.plan.office),
        message_id=row.message_id,
        date=facts.now,
        in_reply_to=said.in_reply_to,
        light=facts.light,
        kind=facts.kind.value,
        obligations=said.keys,
    )
    return Order(envelope, facts)


def _contents(
    connection: Connection,
    bureaus: Mapping[int, Bureau],
    rows: Sequence[Letter],
    mentioned: Mapping[int, list[Row[Any]]],
    now: datetime,
) -> dict[int, Content]:
    contents = {}
    for plan_id in {row.plan_id for row in rows}:
        content = contents[plan_id] = Content(connection, bureaus[plan_id], plan_id, now)
        mine = [row for row in rows if row.plan_id == plan_id]
        content.expect_escalations(
            mentioned.get(row.id, ()) for row in mine if row.kind == LetterKind.ESCALATION.value
        )
        content.expect_reminders(
            {row.name for row in mine if row.kind == LetterKind.REMINDER.value}
        )
    return contents


def _say(
    content: Content,
    row: Letter,
    mentioned: list[Row[Any]],
    threads: Mapping[tuple[int, str], str],
    links: Links | None,
) -> Said | str:
    about = LetterKind(row.kind) in _ABOUT_OBLIGATIONS or (row.data or {}).get("return", False)
    if about and not mentioned:
        return "nothing in it is owed any more"
    if not _holds(mentioned):
        raise StaleError
    check_sound(row)
    if row.kind == LetterKind.DIGEST.value and content.stale(row.created_at):
        return "a digest is of its own day"
    try:
        address = content.addressee(row)[2]
    except KeyError:
        return f"the plan no longer names {row.name}"
    link = links.letter(row.id) if links is not None and mentioned else ""
    facts = content.letter(row, mentioned, link)
    thread = threads.get((mentioned[0].id, address)) if mentioned else None
    return Said(facts, address, thread, tuple(dict.fromkeys(m.key for m in mentioned)))


def _holds(mentioned: list[Row[Any]]) -> bool:
    return not any(mention.stale for mention in mentioned)
