"""A relay that refuses encryption or login is left alone: who knocks again and again is barred."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from jobs import deliver as job
from jobs.status import status
from jobs.trouble import BARRED
from ledger import plans
from mailroom.relay import Mail, Outcome, Reply
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.ledgers import Desk, MakeDesk, at
from tests.support.plans import many_sections
from tests.support.smtp import FaultyServer

WRONG = b"535 5.7.8 wrong password\r\n"
LETTERS = 30
SLOW_S = 0.01

MakeFaulty = Callable[..., FaultyServer]


@pytest.fixture
def server(make_faulty: MakeFaulty) -> FaultyServer:
    """A server that wants a login, and refuses it until it is told otherwise."""
    return make_faulty(auth=True).script("AUTH", *[WRONG] * 1000)


def relay(server: FaultyServer) -> SmtpRelay:
    """Our relay, which logs in."""
    settings = RelaySettings(
        host="127.0.0.1", port=server.port, tls="none", username="bgs", password="guess"
    )
    return SmtpRelay(settings)


@pytest.fixture
def desk(make_desk: MakeDesk, server: FaultyServer) -> Desk:
    """Thirty sections to be reminded through that server."""
    desk = make_desk(many_sections(LETTERS))
    desk.relay = relay(server)
    desk.go("03-17 09:00").remind()
    return desk


def logins(server: FaultyServer) -> int:
    """How many connections tried to log in."""
    return sum(any(line.startswith("AUTH") for line in said) for said in server.said)


@pytest.mark.parametrize("batch", [100, 10])
def test_one_letter_tries_the_door_every_five_minutes_and_the_others_wait(
    desk: Desk, server: FaultyServer, batch: int
) -> None:
    """With few letters one tries from the beginning; with many as many as leave side by side."""
    tried = []
    for minute in ("09:00", "09:01", "09:04", "09:05", "09:06", "09:10"):
        before = logins(server)
        desk.go(f"03-17 {minute}").deliver(batch=batch, side_by_side=4)
        tried.append(logins(server) - before)
    assert tried[0] == (1 if batch == 100 else 4)
    assert tried[1:] == [0, 0, 1, 0, 1]
    assert {row.state for row in desk.letters()} == {"queued"}


def test_all_letters_leave_as_soon_as_the_door_is_open(desk: Desk, make_faulty: MakeFaulty) -> None:
    """No letter has lost a turn by waiting: none has an attempt that it did not make."""
    desk.deliver(batch=10, side_by_side=4)
    desk.relay = relay(make_faulty(auth=True))
    assert len(desk.go("03-17 09:05").deliver(batch=10, side_by_side=4)) == LETTERS
    assert desk.mark(BARRED) is None
    assert sorted(row.attempts for row in desk.letters()) == [1] * (LETTERS - 4) + [2] * 4


def test_a_clock_that_was_set_back_keeps_no_letter_waiting(
    desk: Desk, make_faulty: MakeFaulty
) -> None:
    """Nobody waits for more than five minutes, whatever hour the last try wrote down."""
    desk.deliver()
    with desk.ledger.write() as connection:
        plans.set_mark(connection, BARRED, at("12-31 09:00").isoformat(), desk.now)
    desk.relay = relay(make_faulty(auth=True))
    assert len(desk.go("03-17 09:05").deliver()) == LETTERS


def test_the_status_names_the_login_and_when_it_is_tried_again(desk: Desk) -> None:
    desk.deliver()
    with desk.ledger.read() as connection:
        found = status(connection, desk.now)
        later = status(connection, at("03-17 09:05"))
    said = "邮件服务器不接受用户名或密码，答复“5.7.8 wrong password”"
    assert found.trouble_said == said
    assert (found.barred_until, later.barred_until) == (at("03-17 09:05"), None)
    (letter,) = found.plans[0].retried.newest
    assert letter.said == said


class SlowDoor:
    """A relay that takes its time to refuse the login, as against those who guess."""

    def __init__(self) -> None:
        self.tries = 0

    async def send(self, mail: Mail) -> Reply:
        self.tries += 1
        await asyncio.sleep(20 * SLOW_S)
        return Reply(Outcome.HELD, "5.7.8 wrong password", 535, barred=True)

    async def close(self) -> None:
        """Nothing to give back."""


def test_a_second_letter_does_not_try_because_the_first_waits_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all that may leave side by side would knock after all."""
    monkeypatch.setattr(job, "_SLOW_S", SLOW_S)
    door = SlowDoor()
    desk.deliver(relay=door)
    before = door.tries
    desk.go("03-17 09:05").deliver(relay=door)
    assert door.tries == before + 1
