"""Places at the relay: as many as there are, passed on in order, never lost."""

from __future__ import annotations

import asyncio

import pytest

from mailroom.places import Places
from tests.mailroom.sending import mail


def test_who_waits_enters_in_order_with_what_is_handed_over() -> None:
    async def run() -> list[str | None]:
        places: Places[str] = Places(1, lambda line: None)
        entered = [await places.enter(mail())]
        waiting = [asyncio.create_task(places.enter(mail())) for _ in range(3)]
        await asyncio.sleep(0)
        for line in ("second", None):
            following = places.next()
            assert following is not None
            places.pass_on(following, line)
        places.leave()
        return [*entered, *[await one for one in waiting]]

    assert asyncio.run(run()) == [None, "second", None, None]


@pytest.mark.parametrize("when", ["before its turn", "in the moment of its turn"])
def test_a_mail_that_gives_up_passes_its_place_on_and_the_connection_is_forsaken(
    when: str,
) -> None:
    forsaken: list[str] = []

    async def run() -> bool:
        places: Places[str] = Places(1, forsaken.append)
        await places.enter(mail())
        waiting = asyncio.create_task(places.enter(mail()))
        await asyncio.sleep(0)
        following = places.next()
        assert following is not None
        if when == "before its turn":
            waiting.cancel()
            await asyncio.wait([waiting])
            places.pass_on(following, "line")
        else:
            places.pass_on(following, "line")
            waiting.cancel()
            await asyncio.wait([waiting])
        return places.full

    assert asyncio.run(run()) is False
    assert forsaken == ["line"]


def test_a_mail_that_gave_up_in_the_queue_is_passed_over() -> None:
    async def run() -> bool:
        places: Places[str] = Places(1, lambda line: None)
        await places.enter(mail())
        waiting = asyncio.create_task(places.enter(mail()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert places.next() is None
        places.leave()
        return places.full

    assert asyncio.run(run()) is False
