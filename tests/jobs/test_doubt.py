"""What the story of an obligation says of a letter whose fate nobody knows."""

from __future__ import annotations

import pytest

from jobs.explain import account
from jobs.story import story
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.ledgers import CAIWU, Desk
from tests.support.smtp import FaultyServer

PERHAPS = "对方可能已收到此函"
TWICE = "可能重复一份"


@pytest.fixture
def lost(desk: Desk, faulty: FaultyServer) -> Desk:
    """A desk whose first letter the server took without a word."""
    desk.relay = SmtpRelay(RelaySettings(host="127.0.0.1", port=faulty.port, tls="none"))
    faulty.script("DOT", "drop")
    desk.beat("03-17 09:00")
    assert len(faulty.mails) == 1
    return desk


def test_f06_a_relay_that_takes_letters_and_never_says_so_fills_no_mailbox(
    lost: Desk, faulty: FaultyServer
) -> None:
    """Each attempt may be one more copy: after five days they come seldom, but they go on."""
    for _ in range(1000):
        faulty.script("DOT", "drop")
    copies = []
    for day in ("17", "20", "21", "22", "23", "24"):
        before = len(faulty.mails)
        for quarter in range(4 * 9):
            lost.go(f"03-{day} {9 + quarter // 4:02}:{quarter % 4 * 15:02}").deliver()
        copies.append(len(faulty.mails) - before)
    assert min(copies[:3]) >= 8  # an hour is the longest wait while it may be mended
    assert copies[-2:] == [1, 1]


def told(desk: Desk) -> str:
    """The whole story of the report."""
    now = desk.bureau.local(desk.now)
    with desk.ledger.read() as connection:
        found = account(desk.bureau, CAIWU, now, connection)
    assert found is not None
    return "\n".join(line.text for part in story(desk.bureau, found, now) for line in part.lines)


def test_f06_a_letter_that_waits_and_may_have_arrived_is_told_so(lost: Desk) -> None:
    """Whoever is called by a section that has the letter must not be told that it has not left."""
    assert PERHAPS in told(lost)


def test_f06_a_letter_that_was_withdrawn_and_may_have_arrived_is_told_so(lost: Desk) -> None:
    """The report came before the second attempt: the first may have arrived all the same."""
    lost.submit()
    lost.beat("03-17 09:10")
    (line,) = [line for line in told(lost).splitlines() if PERHAPS in line]
    assert line.startswith("未发给财务科")


def test_f06_a_letter_that_was_taken_at_the_second_attempt_may_have_come_twice(lost: Desk) -> None:
    """Once the server has said that it has the letter, only the number of copies is open."""
    lost.beat("03-17 09:10")
    assert TWICE in told(lost)
    assert PERHAPS not in told(lost)


def test_f06_a_receipt_whose_fate_is_not_known_is_told_so(desk: Desk, faulty: FaultyServer) -> None:
    """A letter that belongs to no rung is in doubt just the same."""
    desk.relay = SmtpRelay(RelaySettings(host="127.0.0.1", port=faulty.port, tls="none"))
    faulty.script("DOT", "drop")
    desk.go("03-16 09:00").submit()
    desk.deliver()
    (line,) = [line for line in told(desk).splitlines() if PERHAPS in line]
    assert "回执" in line
