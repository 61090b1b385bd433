"""Several daemons on one ledger: what they do at the same moment is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from duban.bureau import Bureau
from jobs.circulate import circulate
from jobs.prepare import Claims, any_due, at_work, claim
from ledger import plans
from mailroom.relay import Mail, Reply
from tests.support.ledgers import Desk, MakeDesk, everybodys_report, told

Result = TypeVar("Result")


def at_once(*works: Callable[[], Result]) -> Sequence[Result]:
    """What each gives, all begun at the same moment."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], Result]) -> Result:
        gate.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as nodes:
        return [begun.result() for begun in [nodes.submit(begin, work) for work in works]]


def _waiting(make_desk: MakeDesk) -> Desk:
    """Three reminders that are due."""
    plan = replace(everybodys_report(), digest="first copy")
    desk = make_desk(plan).go("03-17 09:00")
    desk.remind()
    return desk


def test_f16_two_nodes_never_take_one_turn_at_the_relay(make_desk: MakeDesk) -> None:
    desk = _waiting(make_desk)

    def turns(owner: str) -> list[object]:
        claims = Claims(owner=owner, batch=1, per_minute=6)
        ready, _ = claim(
            desk.ledger, desk.bureaus, at_work(desk.bureaus, desk.now), claims, desk.now
        )
        return [one.turn for one in ready]

    first, second = at_once(lambda: turns("one"), lambda: turns("two"))
    assert len({*first, *second}) == len(first) + len(second) > 0


def test_f16_two_that_both_believe_to_decide_write_one_digest(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report()).go("03-24 09:00")
    bureaus = desk.bureaus
    queued = at_once(*[lambda: circulate(desk.ledger, bureaus, desk.now)] * 2)
    assert sorted(queued) == [0, 1]
    assert len(desk.letters("digest")) == 1


def test_f16_a_mark_that_several_set_at_once_for_the_first_time_is_set(make_desk: MakeDesk) -> None:
    desk = make_desk()

    def set_it(value: int) -> None:
        with desk.ledger.write() as connection:
            plans.set_mark(connection, "tried", value, desk.now)

    at_once(*[lambda value=value: set_it(value) for value in range(3)])
    assert desk.mark("tried") in range(3)


def test_a_node_with_another_copy_of_the_plan_sends_none_of_its_letters(
    make_desk: MakeDesk,
) -> None:
    desk = _waiting(make_desk)
    desk.bureau = Bureau(replace(desk.bureau.plan, digest="edited since"))
    assert desk.deliver() == []
    assert {row.state for row in desk.letters()} == {"queued"}
    assert any_due(desk.ledger, desk.bureaus, desk.now)


def test_a_plan_that_is_edited_while_letters_go_out_stops_the_rest_of_them(
    make_desk: MakeDesk,
) -> None:
    desk = _waiting(make_desk)
    edited = Bureau(replace(desk.bureau.plan, digest="edited"))

    class Editing:
        async def send(self, mail: Mail) -> Reply:
            desk.bureau = edited
            desk.reconcile()
            taken: Reply = await desk.relay.send(mail)
            return taken

        async def close(self) -> None:
            """Nothing to give back."""

    sent = desk.deliver(relay=Editing(), batch=1, side_by_side=1)
    assert len(sent) == 1
    assert len(desk.deliver()) == 2


def test_f02_what_a_dead_node_had_stays_marked_as_possibly_twice_at_one_with_another_copy(
    make_desk: MakeDesk,
) -> None:
    desk = _waiting(make_desk)
    claims = Claims(owner="dead", lease=timedelta(minutes=5))
    claim(desk.ledger, desk.bureaus, at_work(desk.bureaus, desk.now), claims, desk.now)
    good = desk.bureau
    desk.go("03-17 09:06")
    desk.bureau = Bureau(replace(good.plan, digest="edited since"))
    assert desk.deliver() == []
    desk.bureau = good
    assert len(told(desk.deliver())) == 3
    assert all(row.uncertain for row in desk.letters())
