"""How a process says that it is well: words in memory, and ages that no clock's jump can move."""

from __future__ import annotations

import asyncio

import pytest

from mailroom.relay import Mail, Outcome, Relay, Reply
from scheduler.clock import VirtualClock
from scheduler.health import Health, Watched
from tests.support.ledgers import at


class Stopwatch:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def health(watch: Stopwatch) -> Health:
    """Of a daemon that ticks every 20 seconds: late after 120."""
    return Health(20, watch)


def test_until_the_first_tick_it_is_starting_and_then_late(
    health: Health, watch: Stopwatch
) -> None:
    assert health.state == "starting"
    watch.seconds += 121
    assert health.state == "late"


def test_f51_it_is_late_when_ticks_stay_away(health: Health, watch: Stopwatch) -> None:
    health.ticked(0.1)
    watch.seconds += 120
    assert health.state == "ok"
    watch.seconds += 1
    assert health.state == "late"
    health.ticked(0.1)
    assert health.state == "ok"


def test_a_job_that_failed_is_well_only_when_the_same_job_succeeds(health: Health) -> None:
    health.bad("mail")
    health.bad("tick")
    health.ticked(0.1)
    assert health.state == "failing"
    health.good("mail")
    assert health.state == "ok"


def test_ticks_and_their_time_add_up(health: Health, watch: Stopwatch) -> None:
    assert health.vitals().tick_age_s is None
    health.ticked(0.25)
    health.ticked(0.5)
    watch.seconds += 7
    vitals = health.vitals()
    assert (vitals.ticks, vitals.ticks_took_s, vitals.tick_age_s) == (2, 0.75, 7)


def test_the_relays_last_answer_is_known(health: Health) -> None:
    class Refusing:
        async def send(self, mail: Mail) -> Reply:
            return Reply(Outcome.PERMANENT, "no such user", 550)

        async def close(self) -> None:
            pass

    async def one() -> None:
        relay: Relay = Watched(Refusing(), health, VirtualClock(at("03-17 09:00")))
        await relay.send(Mail("a@edu.example", "b@edu.example", "<1@x>", b""))
        await relay.close()

    asyncio.run(one())
    vitals = health.vitals()
    assert (vitals.answered_at, vitals.answer) == (at("03-17 09:00"), Outcome.PERMANENT)
