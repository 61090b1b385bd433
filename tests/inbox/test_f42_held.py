"""An escalation waits until the mailbox was read: an answer may lie there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from duban.bureau import Bureau
from jobs.explain import account
from jobs.remind import remind
from ledger import mails, plans
from tests.support.ledgers import CAIWU, Desk, told
from tests.support.postgres import both_databases, postgres

__all__ = ["both_databases", "postgres"]

FRESH = timedelta(minutes=30)


def beat(desk: Desk, hour: str, *, read: str | None = None) -> list[tuple[str, str]]:
    """A beat of a daemon that reads a mailbox, last at `read`."""
    if read is not None:
        desk.go(read)
        with desk.ledger.write() as connection:
            plans.set_mark(connection, mails.READ, desk.now.isoformat(), desk.now)
    desk.go(hour)
    remind(desk.ledger, desk.bureaus, desk.now, fresh=FRESH)
    return told(desk.deliver())


@pytest.fixture
def warned(desk: Desk) -> Desk:
    """A section that was reminded in time; the escalation is due on 27 March."""
    for hour in ("03-17 09:00", "03-22 09:00", "03-24 09:00"):
        beat(desk, hour)
    return desk


def test_f42_with_the_mailbox_unread_only_the_section_is_told(warned: Desk) -> None:
    assert beat(warned, "03-27 09:00", read="03-27 08:29") == [("reminder", "caiwu@edu.example")]
    (held,) = warned.events("escalation.held")
    assert held.data["reason"] == ("the mailbox has not been read lately: an answer may lie there")


def test_f42_the_official_is_told_as_soon_as_it_was_read(warned: Desk) -> None:
    beat(warned, "03-27 09:00")
    assert beat(warned, "03-27 09:04") == []
    escalation = [("escalation", "fujuzhang@edu.example")]
    assert beat(warned, "03-27 09:05", read="03-27 09:03") == escalation


def test_f42_a_reading_of_half_an_hour_ago_is_fresh_enough(warned: Desk) -> None:
    assert ("escalation", "fujuzhang@edu.example") in beat(
        warned, "03-27 09:00", read="03-27 08:30"
    )


def test_f42_what_lay_in_the_mailbox_is_never_escalated(warned: Desk) -> None:
    beat(warned, "03-27 09:00")
    warned.go("03-27 09:03").submit()
    assert told(warned.deliver()) == [("receipt", "caiwu@edu.example")]
    assert beat(warned, "03-27 09:05", read="03-27 09:04") == []


def test_f42_a_hold_that_lasts_is_said_once_and_explained(warned: Desk) -> None:
    for minute in range(0, 60, 5):
        beat(warned, f"03-27 09:{minute:02}")
    assert len(warned.events("escalation.held")) == 1
    beat(warned, "03-27 10:00", read="03-27 09:59")
    with warned.ledger.read() as connection:
        found = account(Bureau(warned.bureau.plan), CAIWU, warned.now, connection)
    assert found is not None
    states = [fate.state for rise in found.rises for fate in rise.fates if rise.name == "+1"]
    assert states == ["sent", "held", "sent"]


def test_without_a_mailbox_nothing_waits_for_it(warned: Desk) -> None:
    sent = told(warned.beat("03-27 09:00"))
    assert ("escalation", "fujuzhang@edu.example") in sent
