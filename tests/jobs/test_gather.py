"""Many letters fail, and the office hears of it once an hour at most."""

from __future__ import annotations

import pytest
from sqlalchemy import Row, update

from jobs.gather import COUNT, LISTED, REFUSED, Failure, tell_of
from jobs.marking import Sent
from ledger.tables import letter
from tests.jobs.test_nodes import at_once
from tests.support.ledgers import Desk, MakeDesk
from tests.support.plans import many_sections

OFFICE_MAIL = "bangongshi@edu.example"


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """Forty sections, whose letters fail when a test says so."""
    return make_desk(many_sections(LISTED + 10)).go("03-17 09:00")


def fail(desk: Desk, *numbers: int) -> None:
    """Let the letters of these numbers be refused now."""
    with desk.ledger.write() as connection:
        for number in numbers:
            one = Failure(
                number,
                f"致第{number}科的函无法送达",
                [f"邮件服务器拒收第{number}封。"],
                [f"服务器答复“{number}”"],
                f"第{number}科：拒收",
            )
            tell_of(connection, desk.ledger, desk.bureau, desk.plan_id, REFUSED, one, desk.now)


def notices(desk: Desk) -> list[Row[object]]:
    return desk.letters("notice")


def titles(sent: list[Sent]) -> list[str]:
    return [one.ready.facts.title for one in sent]


def test_of_one_letter_that_fails_the_office_hears_at_once_and_of_it_alone(desk: Desk) -> None:
    fail(desk, 1)
    (notice,) = desk.deliver()
    facts = notice.ready.facts
    assert notice.mail.recipient == OFFICE_MAIL
    assert (facts.title, facts.message) == ("致第1科的函无法送达", ("邮件服务器拒收第1封。",))
    assert facts.details == ("服务器答复“1”",)


def test_what_fails_before_the_notice_leaves_is_told_in_it(desk: Desk) -> None:
    fail(desk, 1, 2)
    fail(desk, 3)
    (notice,) = desk.deliver()
    facts = notice.ready.facts
    assert (facts.title, facts.message[0]) == (
        "3封函件无法送达",
        "下列3封函件未能送达，已停止发送。",
    )
    assert facts.details == ("第1科：拒收", "第2科：拒收", "第3科：拒收")


def test_what_fails_within_the_hour_after_a_notice_is_told_when_the_hour_is_over(
    desk: Desk,
) -> None:
    fail(desk, 1)
    assert titles(desk.deliver()) == ["致第1科的函无法送达"]
    fail(desk.go("03-17 09:10"), 2)
    fail(desk.go("03-17 09:50"), 3)
    assert desk.go("03-17 09:59").deliver() == []
    assert titles(desk.go("03-17 10:00").deliver()) == ["2封函件无法送达"]
    fail(desk.go("03-17 10:30"), 4)
    assert titles(desk.go("03-17 11:00").deliver()) == ["致第4科的函无法送达"]


def test_the_hour_counts_from_when_a_notice_left_and_not_from_when_it_was_written(
    desk: Desk,
) -> None:
    fail(desk.go("03-16 20:00"), 1)
    assert titles(desk.go("03-17 08:00").deliver()) == ["致第1科的函无法送达"]
    fail(desk.go("03-17 08:10"), 2)
    assert desk.deliver() == []
    assert titles(desk.go("03-17 09:00").deliver()) == ["致第2科的函无法送达"]


def test_what_fails_more_than_an_hour_after_a_notice_is_told_at_once(desk: Desk) -> None:
    fail(desk, 1)
    desk.deliver()
    fail(desk.go("03-17 10:01"), 2)
    assert titles(desk.deliver()) == ["致第2科的函无法送达"]


def test_a_notice_that_is_being_sent_stays_as_it_is(desk: Desk) -> None:
    fail(desk, 1)
    (first,) = notices(desk)
    with desk.ledger.write() as connection:
        claimed = {"state": "claimed", "owner": "another", "attempts": 1}
        connection.execute(update(letter).where(letter.c.id == first.id).values(**claimed))
    fail(desk, 2)
    before, after = notices(desk)
    assert before.data == first.data
    assert after.data["title"] == "致第2科的函无法送达"
    assert (after.due_at - desk.now).total_seconds() == 3600


def test_a_notice_that_a_server_has_seen_stays_as_it_is(desk: Desk) -> None:
    """The same Message-ID never stands for other words."""
    fail(desk, 1)
    desk.relay.set("defer")
    desk.deliver()
    fail(desk, 2)
    before, after = notices(desk)
    assert (before.attempts, before.data[COUNT]) == (1, 1)
    assert after.data["title"] == "致第2科的函无法送达"


def test_a_clock_that_was_set_back_keeps_no_notice_for_longer_than_an_hour(desk: Desk) -> None:
    fail(desk.go("12-29 09:00"), 1)
    desk.deliver()
    fail(desk.go("03-17 09:00"), 2)
    assert titles(desk.go("03-17 10:00").deliver()) == ["致第2科的函无法送达"]


def test_a_notice_names_thirty_letters_and_counts_the_others(desk: Desk) -> None:
    fail(desk, *range(LISTED + 4))
    (notice,) = desk.deliver()
    details = notice.ready.facts.details
    assert notice.ready.facts.title == f"{LISTED + 4}封函件无法送达"
    assert (len(details), details[-1]) == (LISTED + 1, "另有4封，详见各事项的办理经过")


def test_f16_of_what_fails_on_two_nodes_at_once_no_line_is_lost(desk: Desk) -> None:

    def one_by_one(numbers: range) -> None:
        for number in numbers:
            fail(desk, number)

    at_once(lambda: one_by_one(range(8)), lambda: one_by_one(range(8, 16)))
    (notice,) = notices(desk)
    assert notice.data[COUNT] == 16
    assert sorted(notice.data["details"]) == sorted(f"第{number}科：拒收" for number in range(16))


def test_f04_forty_mailboxes_that_refuse_make_one_notice(desk: Desk) -> None:
    for number in range(LISTED + 10):
        desk.relay.set(f"reject:s{number}@edu.example")
    desk.beat()
    desk.deliver()
    (notice,) = desk.sent
    facts = notice.ready.facts
    assert facts.title == "40封函件无法送达"
    refused = "服务器答复“550 5.1.1 no such user”"
    assert facts.details[0].startswith("财务科 <s0@edu.example>“")
    assert facts.details[0].endswith(f"”：{refused}")
