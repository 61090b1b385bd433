"""Of a daemon that dies the ledger knows which of its letters may have left."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from jobs.deliver import deliver
from ledger import underway
from ledger.engine import Ledger
from ledger.tables import letter, mark
from mailroom.relay import Mail, Outcome, Reply
from tests.support.ledgers import Desk, MakeDesk
from tests.support.plans import many_sections

OWNER = "dead"
BUREAU, PROVINCE = {"batch": 500}, {"batch": 50, "side_by_side": 8, "at_hand": 8}


@dataclass
class Mortal:
    """A relay that takes letters, and answers for the first so many; then the daemon dies."""

    ledger: Ledger
    answers: int = 1000
    took: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    silent: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, mail: Mail) -> Reply:
        """Look whether the ledger knows that it may have left."""
        with self.ledger.read() as connection:
            which = select(letter.c.id).where(letter.c.message_id == mail.message_id)
            letter_id = connection.execute(which).scalar_one()
            if letter_id not in (underway.said(connection, OWNER) or ()):
                self.unknown.append(letter_id)
        self.took.append(letter_id)
        await asyncio.sleep(0)
        if len(self.took) > self.answers:
            self.silent.set()
            await asyncio.Event().wait()
        return Reply(Outcome.ACCEPTED, "2.0.0 ok", 250)

    async def close(self) -> None:
        """Nothing to give back."""


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """Two hundred sections to be reminded."""
    made = make_desk(many_sections(200))
    made.go("03-17 09:00").remind()
    return made


def die(desk: Desk, answers: int, **how: int) -> Mortal:
    """Deliver until the relay falls silent, and end there."""
    relay = Mortal(desk.ledger, answers)

    async def work() -> None:
        carrier = desk.carrier(relay=relay, owner=OWNER, **how)
        task = asyncio.create_task(deliver(desk.ledger, desk.bureaus, carrier))
        await relay.silent.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(work())
    return relay


def suspected(desk: Desk) -> set[int]:
    """The letters that may have come twice."""
    return {row.id for row in desk.letters() if row.uncertain}


def said(desk: Desk) -> list[str]:
    """Who says in the ledger what is under way."""
    with desk.ledger.read() as connection:
        keys = connection.execute(select(mark.c.key)).scalars()
        return [key for key in keys if key.startswith("under way")]


@pytest.mark.parametrize("how", [BUREAU, PROVINCE])
def test_no_letter_leaves_before_the_ledger_says_that_it_may(
    desk: Desk, how: dict[str, int]
) -> None:
    relay = Mortal(desk.ledger)
    desk.deliver(relay=relay, owner=OWNER, **how)
    assert (len(set(relay.took)), relay.unknown) == (200, [])
    assert said(desk) == []


def test_f01_of_a_bureaus_letters_that_a_dead_daemon_had_claimed_one_is_possibly_twice(
    desk: Desk,
) -> None:
    relay = die(desk, 10, **BUREAU)
    assert len(desk.go("03-17 09:06").deliver()) == 190
    assert suspected(desk) == {relay.took[-1]}
    assert said(desk) == []


def test_f01_of_many_letters_that_a_dead_daemon_had_claimed_few_are_possibly_twice(
    desk: Desk,
) -> None:
    relay = die(desk, 30, **PROVINCE)
    unmarked = {row.id for row in desk.letters() if row.state != "sent"} & set(relay.took)
    desk.go("03-17 09:06").deliver(batch=50)
    assert {row.state for row in desk.letters("reminder")} == {"sent"}
    assert unmarked <= suspected(desk)
    assert len(suspected(desk)) <= 60
    assert said(desk) == []
