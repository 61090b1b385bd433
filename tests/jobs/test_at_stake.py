"""What a delivery has in its hands when it is stopped: little, and sent as soon as it can be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from jobs import deliver as job
from jobs.deliver import Basket
from jobs.marking import Sent
from ledger.engine import Ledger, LedgerError
from ledger.tables import LetterState, letter
from mailroom.relay import Mail, Outcome, Reply
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.ledgers import Desk, MakeDesk, everybodys_report
from tests.support.plans import many_sections
from tests.support.smtp import FaultyServer

_SENT = select(func.count()).where(letter.c.state == LetterState.SENT.value)


@dataclass
class Counting:
    """A relay that takes everything, and looks how much of it the ledger does not know yet."""

    ledger: Ledger
    begun: int = 0
    at_stake: list[int] = field(default_factory=list)

    async def send(self, mail: Mail) -> Reply:
        self.begun += 1
        with self.ledger.read() as connection:
            self.at_stake.append(self.begun - connection.execute(_SENT).scalar_one())
        return Reply(Outcome.ACCEPTED, "250 2.0.0 accepted", 250)

    async def close(self) -> None:
        """Nothing to give back."""


def many(make_desk: MakeDesk) -> Desk:
    """Sixty sections to be reminded."""
    desk = make_desk(many_sections(60))
    desk.go("03-17 09:00").remind()
    return desk


@pytest.mark.parametrize("side_by_side", [1, 8, 16, 30])
def test_a_crash_at_any_moment_would_send_few_of_many_letters_twice(
    make_desk: MakeDesk, side_by_side: int
) -> None:
    desk = many(make_desk)
    relay = Counting(desk.ledger)
    sent = len(desk.deliver(relay=relay, side_by_side=side_by_side, batch=20))
    assert sent == 60
    assert max(relay.at_stake) <= max(20, side_by_side)


def test_a_crash_at_any_moment_would_send_one_letter_of_a_bureau_twice(
    make_desk: MakeDesk,
) -> None:
    desk = many(make_desk)
    relay = Counting(desk.ledger)
    sent = len(desk.deliver(relay=relay, batch=100))
    assert sent == 60
    assert max(relay.at_stake) == 1


def test_letters_of_a_bureau_leave_one_by_one_as_long_as_the_relay_is_quick(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Leisurely(Counting):
        async def send(self, mail: Mail) -> Reply:
            reply = await super().send(mail)
            await asyncio.sleep(0.03)
            return reply

    monkeypatch.setattr(job, "_SLOW_S", 1)
    desk = many(make_desk)
    relay = Leisurely(desk.ledger)
    assert len(desk.deliver(relay=relay, batch=100)) == 60
    assert max(relay.at_stake) == 1


def test_letters_that_leave_one_by_one_do_not_wait_for_one_that_hangs(
    make_desk: MakeDesk, faulty: FaultyServer
) -> None:
    faulty.script("DATA", "hang")
    desk = many(make_desk)
    settings = RelaySettings(host="127.0.0.1", port=faulty.port, tls="none", timeout_s=2)
    desk.deliver(relay=SmtpRelay(settings), batch=100)
    told = [line.what for line in desk.events() if line.what in ("letter.sent", "letter.deferred")]
    assert told == ["letter.sent"] * 59 + ["letter.deferred"]


def test_f16_a_ledger_that_stays_locked_is_waited_for_once_and_not_by_every_letter(
    make_desk: MakeDesk,
) -> None:
    desk = many(make_desk)
    tried: list[int] = []

    def locked(*_: object, **__: object) -> list[Sent]:
        tried.append(1)
        raise LedgerError("in use by another process")

    basket = Basket()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "_AT_STAKE", 9)
        patch.setattr(job, "mark", locked)
        with pytest.raises(LedgerError):
            desk.deliver(relay=Counting(desk.ledger), basket=basket, side_by_side=8, batch=20)
    assert len(tried) == 1
    assert 0 < len(basket.finished) < 20
    assert len(desk.deliver(basket=basket)) == 60


def test_what_was_claimed_when_the_ledger_went_away_leaves_as_soon_as_it_is_back(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(everybodys_report())
    desk.go("03-17 09:00").remind()
    basket = Basket()

    def away(*_: object, **__: object) -> list[Sent]:
        raise LedgerError("away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "_AT_STAKE", 1)
        patch.setattr(job, "mark", away)
        with pytest.raises(LedgerError):
            desk.deliver(basket=basket, side_by_side=1)
    kept = len(basket.finished)
    assert kept == 1
    sent = len(desk.deliver(basket=basket))
    assert sent == 3
