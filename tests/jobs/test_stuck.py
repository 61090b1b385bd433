"""Letters that somebody should see to: which are listed, and for how long."""

from __future__ import annotations

import pytest

from jobs.status import PlanStatus, status
from jobs.stuck import SHOWN
from ledger import events
from tests.support.ledgers import Desk, MakeDesk, everybodys_report
from tests.support.plans import many_sections

SECTION = "caiwu@edu.example"
SECTIONS = 25


def _plan(desk: Desk) -> PlanStatus:
    with desk.ledger.read() as connection:
        (plan,) = status(connection, desk.now).plans
    return plan


def _given_up(desk: Desk) -> list[str]:
    return [one.recipient for one in _plan(desk).failed.newest]


@pytest.fixture
def refusing(make_desk: MakeDesk) -> Desk:
    """The reminders of 17 March went out, but that to 财务科, whose mailbox refuses."""
    desk = make_desk(everybodys_report()).go("03-17 09:00")
    desk.relay.set(f"reject:{SECTION}")
    desk.beat()
    return desk


def test_a_letter_given_up_is_listed_whatever_reaches_others(refusing: Desk) -> None:
    refusing.go("03-17 10:00").deliver()
    assert len(refusing.sent) == 3  # two sections, and the office is told
    assert _given_up(refusing) == ["财务科"]


def test_a_letter_given_up_leaves_when_a_later_one_reaches_the_addressee(refusing: Desk) -> None:
    refusing.relay.set("up")
    refusing.beat("03-22 09:00")
    assert _plan(refusing).failed.count == 0


def test_a_letter_that_reached_the_addressee_before_takes_none_from_the_list(
    refusing: Desk,
) -> None:
    refusing.relay.set("up")
    refusing.beat("03-22 09:00")
    refusing.relay.set(f"reject:{SECTION}")
    refusing.beat("03-24 09:00")
    assert _given_up(refusing) == ["财务科"]


def test_a_letter_refused_after_it_was_deferred_was_given_up_when_it_was_refused(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk().go("03-17 09:00")
    desk.relay.set("defer")
    desk.beat()
    (waits,) = _plan(desk).retried.newest
    assert (waits.since, waits.given_up_at) == (desk.now, None)
    first = desk.now
    desk.relay.set("up")
    desk.relay.set(f"reject:{SECTION}")
    desk.go("03-17 12:26").deliver()
    (refused,) = _plan(desk).failed.newest
    assert (refused.since, refused.given_up_at) == (first, desk.now)


@pytest.mark.parametrize(("day", "listed"), [("04-16 08:59", ["财务科"]), ("04-16 09:01", [])])
def test_a_letter_given_up_is_listed_for_thirty_days(
    refusing: Desk, day: str, listed: list[str]
) -> None:
    refusing.go(day)
    with refusing.ledger.write() as connection:
        events.record(connection, refusing.now, "plan.loaded")
    assert _given_up(refusing) == listed


def test_in_a_ledger_to_which_nothing_happens_any_more_nothing_grows_old(refusing: Desk) -> None:
    assert _given_up(refusing.go("2026-03-17 09:00")) == ["财务科"]


def test_of_many_that_were_given_up_the_newest_are_read_and_all_are_counted(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(many_sections(SECTIONS)).go("03-17 09:00")
    for number in range(SECTIONS):
        desk.relay.set(f"reject:s{number}@edu.example")
    desk.beat()
    failed = _plan(desk).failed
    ids = [row.id for row in desk.letters("reminder")]
    assert [one.letter for one in failed.newest] == ids[: -SHOWN - 1 : -1]
    assert failed.count == SECTIONS


def test_of_many_that_are_tried_again_the_newest_are_read_and_all_are_counted(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(many_sections(SECTIONS)).go("03-17 09:00")
    desk.relay.set("defer")
    desk.beat()
    retried = _plan(desk).retried
    assert (len(retried.newest), retried.count) == (SHOWN, SECTIONS)
