"""A report comes in while the relay holds its answer to a letter about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.ledgers import Desk, MakeDesk, everybodys_report, told
from tests.support.relays import smtp_relay
from tests.support.smtp import Action, FaultyServer

SECTION, DEPUTY = "caiwu@edu.example", "fujuzhang@edu.example"
LATER = ("03-17 09:05", "03-22 09:00", "03-24 09:00", "03-27 09:00", "03-29 09:00", "04-06 09:00")


def _once(server: FaultyServer, recipient: str, deed: Callable[[], object]) -> None:
    """Do the deed while the server has the whole letter to `recipient` and has not yet answered."""
    waits = [deed]

    def hook(count: int) -> None:
        head = server.mails[-1].partition(b"\r\n\r\n")[0]
        if waits and f"<{recipient}>".encode() in head:
            waits.pop()()

    server.before_answer = hook


def _fates(desk: Desk) -> list[tuple[str, str, str]]:
    """Kind, name and state of the letters about 财务科's report, in order."""
    about = {row.letter_id for row in desk.mentions()}
    return [(row.kind, row.name, row.state) for row in desk.letters() if row.id in about]


def test_f50_the_letter_under_way_is_sent_and_only_the_receipt_follows(
    make_desk: MakeDesk, faulty: FaultyServer
) -> None:
    desk = make_desk(everybodys_report(), relay=smtp_relay(faulty))
    _once(faulty, SECTION, desk.submit)
    desk.beat("03-17 09:00")
    assert _fates(desk) == [("reminder", "财务科", "sent"), ("receipt", "财务科", "queued")]
    desk.beats(*LATER)
    assert _fates(desk) == [("reminder", "财务科", "sent"), ("receipt", "财务科", "sent")]
    assert faulty.recipients.count(SECTION) == 2
    assert faulty.recipients.count("zuzhi@edu.example") == 6  # who has not handed in is reminded


def test_f50_a_letter_that_is_claimed_after_the_report_is_withdrawn(
    desk: Desk, faulty: FaultyServer
) -> None:
    desk.relay = smtp_relay(faulty)
    desk.beats("03-17 09:00", "03-22 09:00", "03-24 09:00")
    _once(faulty, SECTION, desk.submit)
    desk.go("03-27 09:00").remind()
    desk.deliver(batch=1, side_by_side=1)
    assert _fates(desk)[-3:] == [
        ("reminder", "财务科", "sent"),
        ("escalation", "副局长", "withdrawn"),
        ("receipt", "财务科", "sent"),
    ]
    assert DEPUTY not in faulty.recipients


@pytest.mark.parametrize("answer", [b"451 4.7.1 try later\r\n", "drop"])
def test_f50_a_letter_that_the_relay_did_not_take_is_not_tried_again(
    desk: Desk, faulty: FaultyServer, answer: Action
) -> None:
    desk.relay = smtp_relay(faulty.script("DOT", answer))
    _once(faulty, SECTION, desk.submit)
    assert told(desk.beat("03-17 09:00") + desk.beats(*LATER)) == [("receipt", SECTION)]
    assert _fates(desk) == [("reminder", "财务科", "withdrawn"), ("receipt", "财务科", "sent")]
    assert desk.letters("reminder")[0].uncertain is (answer == "drop")
