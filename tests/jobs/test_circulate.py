"""The office's morning digest, and how a plan stands at an instant."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from duban.standings import Standing
from jobs.circulate import next_digest
from jobs.extensions import request
from jobs.links import LINK
from jobs.status import TICK, Status, status
from jobs.stuck import NONE
from ledger import plans
from ledger.archive import Stored
from ledger.attachments import File
from tests.support.ledgers import CAIWU, Desk, MakeDesk, at, everybodys_report, told
from tests.support.mails import text_of
from tests.support.plans import rule

FILE = File(Stored("0" * 64, 3), "3月专报.docx", "")
SECTION, OFFICE = "caiwu@edu.example", "bangongshi@edu.example"


def _status(desk: Desk) -> Status:
    with desk.ledger.read() as connection:
        return status(connection, desk.now)


def test_the_digest_comes_once_on_a_working_day_at_its_hour(desk: Desk) -> None:
    assert desk.go("03-20 08:29").circulate() == 0
    assert desk.go("03-20 08:30").circulate() == 1
    assert desk.go("03-20 08:31").circulate() == 0
    assert desk.go("03-21 17:59").circulate() == 1
    assert desk.go("03-25 09:00").circulate() == 0  # a Saturday
    assert desk.go("03-22 18:00").circulate() == 0


def test_there_is_no_digest_where_nothing_is_to_be_said(desk: Desk) -> None:
    assert desk.go("03-16 08:30").circulate() == 0  # due on the sixth working day from here
    assert desk.go("03-17 08:30").circulate() == 1


def test_a_report_that_waits_for_the_office_makes_a_digest(desk: Desk) -> None:
    desk.go("03-10 10:00").submit()
    assert desk.go("03-13 08:30").circulate() == 1
    desk.accept()
    assert desk.go("03-14 08:30").circulate() == 0


def test_the_digest_counts_and_names_what_wants_a_hand(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report())
    desk.go("03-20 10:00").submit()
    desk.submit("r/2023-03/组织科")
    desk.accept("r/2023-03/组织科")
    desk.deliver()
    desk.go("03-21 08:30").circulate()
    (sent,) = desk.deliver()
    assert told([sent]) == [("digest", OFFICE)]
    digest = sent.ready.facts.digest
    assert digest is not None
    assert (digest.open, digest.on_time, digest.late) == (1, 1, 0)
    assert [item.section for item in digest.due_soon] == ["初幼教科"]
    assert [item.section for item in digest.submitted] == ["财务科"]
    assert (digest.overdue, digest.overdue_count) == ((), 0)
    assert sent.ready.keys == ()


def test_the_digest_names_what_is_overdue(desk: Desk) -> None:
    desk.go("03-27 08:30").circulate()
    digest = desk.deliver()[0].ready.facts.digest
    assert digest is not None
    assert [item.key for item in digest.overdue] == [CAIWU]


def test_a_digest_that_the_relay_has_not_taken_by_the_next_morning_is_withdrawn(
    desk: Desk,
) -> None:
    desk.relay.set("down")
    desk.go("03-21 08:30").circulate()
    desk.deliver()
    desk.go("03-22 08:30").circulate()
    desk.relay.set("up")
    assert [s.at for s in desk.deliver() if s.ready.facts.kind == "digest"] == [at("03-22 08:30")]
    assert [row.state for row in desk.letters("digest")] == ["withdrawn", "sent"]
    assert desk.events("letter.withdrawn")[0].data == {"reason": "a digest is of its own day"}


def test_mondays_digest_tells_what_was_refused_on_friday(desk: Desk) -> None:
    desk.relay.set(f"reject:{SECTION}")
    desk.beat("03-17 09:00")  # a Friday
    desk.relay.set("up")
    desk.go("03-20 08:30").circulate()
    digest = next(s for s in desk.deliver() if s.ready.facts.kind == "digest").ready.facts.digest
    assert digest is not None
    assert len(digest.alarms) == 1
    desk.go("03-21 08:30").circulate()
    digest = desk.deliver()[-1].ready.facts.digest
    assert digest is not None
    assert digest.alarms == ()


def test_the_digest_says_which_letters_did_not_arrive(desk: Desk) -> None:
    desk.relay.set(f"reject:{SECTION}")
    desk.beat("03-22 09:00")
    desk.deliver()
    desk.go("03-23 08:30").circulate()
    digest = desk.deliver()[0].ready.facts.digest
    assert digest is not None
    assert digest.alarms == ("03-22 09:00 致财务科的函未送达：550 5.1.1 no such user",)


def test_the_digest_says_which_letters_still_wait(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report())
    desk.relay.set("defer")
    desk.beat("03-24 09:00")
    desk.relay.set("up")
    desk.go("03-24 09:03").circulate()
    digest = desk.deliver()[0].ready.facts.digest
    assert digest is not None
    assert digest.alarms == ()  # waiting for a few minutes is no alarm
    desk.relay.set("defer")
    desk.go("03-24 09:40").deliver()
    desk.relay.set("up")
    desk.go("03-27 08:30")
    desk.relay.set("down")
    desk.deliver()
    desk.relay.set("up")
    desk.circulate()
    digest = next(s.ready.facts.digest for s in desk.deliver() if s.ready.facts.digest)
    assert len(digest.alarms) == 3
    assert digest.alarms[0].startswith("03-24 09:00 致财务科的函未送达：")


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("03-17 08:29", "03-17 08:30"),
        ("03-17 08:30", "03-20 08:30"),
        ("03-18 07:00", "03-20 08:30"),
        ("04-04 09:00", "04-06 08:30"),  # the 5th is Qingming
    ],
)
def test_the_next_digest_is_on_a_working_day(desk: Desk, now: str, then: str) -> None:
    assert next_digest(desk.bureau, at(now)) == at(then)


def test_the_status_counts_every_standing(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report())
    desk.go("03-20 10:00").submit()
    desk.submit("r/2023-03/组织科")
    desk.accept("r/2023-03/组织科")
    desk.go("03-27 08:00")
    (plan,) = _status(desk).plans
    counts = {s: n for s, n in plan.standings.items() if n}
    assert counts == {Standing.SUBMITTED: 1, Standing.ON_TIME: 1, Standing.OVERDUE: 1}
    assert plan.owed == 1
    assert (plan.key, plan.title) == ("demo", "年度重点工作")
    assert plan.born_at == at("03-01 08:00")


def test_the_status_tells_late_from_on_time(desk: Desk) -> None:
    desk.go("03-27 08:00").submit()
    desk.accept()
    assert _status(desk).plans[0].standings[Standing.LATE] == 1


def test_the_status_shows_letters_that_wait_that_are_retried_and_that_failed(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(everybodys_report()).go("03-17 09:00")
    desk.remind()
    (plan,) = _status(desk).plans
    assert (plan.waiting, plan.oldest) == (3, desk.now)
    assert (plan.retried, plan.failed) == (NONE, NONE)
    desk.relay.set(f"reject:{SECTION}")
    desk.deliver()
    desk.relay.set("down")
    desk.deliver()  # the notice to the office
    (plan,) = _status(desk).plans
    assert [(s.recipient, s.address, s.attempts) for s in plan.failed.newest] == [
        ("财务科", SECTION, 1)
    ]
    assert [(s.recipient, s.reason) for s in plan.retried.newest] == [
        ("办公室", "connection refused")
    ]
    assert plan.retried.newest[0].since == desk.now
    assert plan.waiting == 1


def test_the_status_shows_the_relays_trouble_and_the_last_tick(desk: Desk) -> None:
    before = _status(desk)
    assert (before.last_tick, before.trouble_since, before.trouble) == (None, None, "")
    desk.relay.set("down")
    desk.beat("03-17 09:00")
    with desk.ledger.write() as connection:
        plans.set_mark(connection, TICK, "", desk.now)
    found = _status(desk)
    assert (found.last_tick, found.trouble_since) == (desk.now, desk.now)
    assert found.trouble == "connection refused"


def test_the_status_can_be_of_some_plans(desk: Desk) -> None:
    with desk.ledger.read() as connection:
        assert status(connection, desk.now, ["other"]).plans == ()
        assert len(status(connection, desk.now, ["demo"]).plans) == 1


def test_the_status_counts_provisional_deadlines(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report(rules=[rule({"yearly": "06-20"})]), "2030-05-06 08:00")
    assert _status(desk).plans[0].provisional >= 1


def test_the_digest_still_lists_what_a_section_that_is_gone_had_handed_in(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    desk.deliver()
    desk.replan(everybodys_report(sections=[{"name": "办公室", "email": OFFICE}]))
    desk.go("03-21 08:30").circulate()
    digest = desk.deliver()[-1].ready.facts.digest
    assert digest is not None
    assert [(item.section, item.section_email) for item in digest.submitted] == [("财务科", "")]


def test_what_lies_long_unaccepted_comes_first_and_says_how_long(make_desk: MakeDesk) -> None:
    desk = make_desk(everybodys_report())
    desk.go("03-15 10:00").submit("r/2023-03/组织科")
    desk.go("03-14 10:00").submit()
    desk.go("03-20 08:30").circulate()
    (sent,) = [s for s in desk.deliver() if s.ready.facts.kind == "digest"]
    assert "财务科：3月工作专报，3月14日 10:00收到，编号" in text_of(sent.written.content)
    lines = [line for line in text_of(sent.written.content).splitlines() if "已待核" in line]
    assert [line.partition("已待核")[2] for line in lines] == ["4个工作日", "3个工作日"]


def test_a_report_of_yesterday_is_not_called_long_unaccepted(desk: Desk) -> None:
    desk.go("03-15 10:00").submit()
    desk.go("03-16 08:30").circulate()
    sent = desk.deliver()[-1]
    assert "待核（1项）" in text_of(sent.written.content)
    assert "个工作日" not in text_of(sent.written.content)


def test_a_hand_in_by_link_without_a_file_is_called_a_mere_word(desk: Desk) -> None:
    desk.go("03-15 10:00").submit(via=LINK, reason="已办")
    desk.go("03-16 08:30").circulate()
    assert "仅有说明，无附件" in text_of(desk.deliver()[-1].written.content)


@pytest.mark.parametrize("how", [{"via": LINK, "files": (FILE,)}, {"via": "command"}])
def test_a_hand_in_with_a_file_or_by_hand_is_not(desk: Desk, how: dict[str, Any]) -> None:
    desk.go("03-15 10:00").submit(**how)
    desk.go("03-16 08:30").circulate()
    text = text_of(desk.deliver()[-1].written.content)
    assert "待核（1项）" in text
    assert "仅有说明" not in text


def test_a_request_for_more_time_makes_a_digest_and_is_listed(desk: Desk) -> None:
    desk.go("03-10 10:00")
    request(desk.ledger, desk.bureau, desk.act(reason="数据未出"), date(2023, 4, 3))
    assert desk.go("03-13 08:30").circulate() == 1
    (sent,) = desk.deliver()
    assert "申请延期（1项）" in text_of(sent.written.content)
    assert "财务科：3月工作专报，申请延至4月3日（周一）：数据未出" in text_of(sent.written.content)
