"""While an official is not told yet, the story of what is overdue says so, and why."""

from __future__ import annotations

from jobs.explain import Account, Rise, account
from jobs.story import story
from tests.support.ledgers import CAIWU, Desk

WHY = "the section has not been warned in time"


def explained(desk: Desk) -> Account:
    """What is known of the report now."""
    with desk.ledger.read() as connection:
        found = account(desk.bureau, CAIWU, desk.bureau.local(desk.now), connection)
    assert found is not None
    return found


def states(rises: tuple[Rise, ...]) -> list[tuple[str, int, list[str]]]:
    """What became of the leader's rungs: each with its round."""
    mine = [r for r in rises if r.audience.value == "leader"]
    return [(r.name, r.round, [f.state for f in r.fates]) for r in mine]


def test_an_escalation_that_waits_for_the_section_s_warning_is_called_held(desk: Desk) -> None:
    desk.beat("03-27 09:00")
    told = explained(desk)
    (waiting,) = [r for r in told.rises if r.fates and r.fates[0].state == "held"]
    assert (waiting.name, waiting.fates[0].reason) == ("+1", WHY)
    lines = [x.text for part in story(desk.bureau, told, desk.now) for x in part.lines]
    assert any("暂缓：尚未按规定提前提醒科室" in text for text in lines), lines


def test_what_waited_in_an_earlier_round_is_told_of_that_round_alone(desk: Desk) -> None:
    desk.beat("03-27 09:00")
    desk.go("03-27 09:10").submit(CAIWU)
    desk.go("03-27 09:20").give_back(CAIWU)
    desk.beat("03-27 09:30")
    desk.beat("03-28 09:00")
    told = explained(desk)
    assert states(told.rises)[0] == ("+1", 1, ["held", "sent"])
    assert states(told.earlier) == []
