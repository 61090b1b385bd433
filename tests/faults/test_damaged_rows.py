"""One letter's row is damaged in the file: that letter waits, and all the others go out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from jobs.explain import account
from jobs.links import LINK
from jobs.status import Status, status
from jobs.story import story
from ledger.damage import DamagedJSON
from ledger.tables import letter
from tests.support.ledgers import Desk, MakeDesk, everybodys_report, told

REASON = "cannot be worded: its row in the ledger is damaged ({})"
BROKEN = "r/2023-03/组织科"
DAMAGES = [
    ("data", "{oops"),
    ("data", b"\x00\xff"),
    ("created_at", "the day before"),
    ("first_tried_at", "2023-03-17 09:00"),  # a time of nobody knows which zone
    ("due_at", "0"),
    ("sent_at", 12),
]


@pytest.fixture
def three(make_desk: MakeDesk) -> Desk:
    """A desk at which three sections are to be reminded now."""
    desk = make_desk(everybodys_report()).go("03-17 09:00")
    desk.remind()
    return desk


def _damage(desk: Desk, column: str, value: object) -> int:
    """Spoil one column of the letter to 组织科; gives the letter's id."""
    (which,) = [int(row.id) for row in desk.letters("reminder") if row.name == "组织科"]
    raw = text(":value").bindparams(value=value)  # as it is: the column's own type would refuse it
    with desk.ledger.write() as connection:
        connection.execute(update(letter).where(letter.c.id == which).values({column: raw}))
    return which


def _status(desk: Desk) -> Status:
    with desk.ledger.read() as connection:
        return status(connection, desk.now)


def _explained(desk: Desk, key: str) -> str:
    now = desk.bureau.local(desk.now)
    with desk.ledger.read() as connection:
        found = account(desk.bureau, key, now, connection)
    assert found is not None
    return "\n".join(line.text for part in story(desk.bureau, found, now) for line in part.lines)


@pytest.mark.parametrize(("column", "value"), DAMAGES)
def test_f17_a_damaged_letter_is_put_off_and_the_others_go_out(
    three: Desk, column: str, value: object
) -> None:
    which = _damage(three, column, value)
    sent = three.deliver()
    assert {s.mail.recipient for s in sent if s.ready.row.kind == "reminder"} == {
        "caiwu@edu.example",
        "chuyou@edu.example",
    }
    rows = {row.id: row for row in three.letters()}
    assert rows[which].state == "queued"
    assert rows[which].reason == REASON.format(column)
    assert rows[which].due_at == three.now + timedelta(hours=1)


def test_f17_status_and_explain_say_why_a_damaged_letter_waits(three: Desk) -> None:
    which = _damage(three, "data", "{oops")
    three.deliver()
    (stuck,) = _status(three).plans[0].retried.newest
    assert (stuck.letter, stuck.reason) == (which, REASON.format("data"))
    assert "致组织科，待发：暂时无法生成，台账中此函的记录已损坏 (data)" in _explained(
        three, BROKEN
    )
    said = "暂时无法生成，台账中此函的记录已损坏 (data)；每小时再试一次，请联系系统管理员"
    assert stuck.said == said


@pytest.mark.parametrize("value", ["0", 12])
def test_f17_status_names_no_day_that_a_damaged_letter_does_not(three: Desk, value: object) -> None:
    _damage(three, "created_at", value)
    three.deliver()
    (plan,) = _status(three).plans
    assert (plan.waiting, plan.oldest) == (2, None)  # the notice to the office waits too
    assert [one.since for one in plan.retried.newest] == [None]


def test_f17_explain_names_no_day_that_a_damaged_receipt_does_not(three: Desk) -> None:
    three.submit(BROKEN)
    with three.ledger.write() as connection:
        connection.exec_driver_sql("UPDATE letter SET created_at = '0' WHERE kind = 'receipt'")
    assert "\n回执，致组织科，待发" in _explained(three, BROKEN)


def test_f17_the_office_hears_of_a_damaged_letter_once(three: Desk) -> None:
    _damage(three, "data", "{oops")
    notices = [
        s for hour in ("09:00", "10:00", "11:00") for s in three.go(f"03-17 {hour}").deliver()
    ]
    titles = [s.ready.facts.title for s in notices if s.ready.row.kind == "notice"]
    assert titles == ["致组织科的函无法生成"]
    (notice,) = three.letters("notice")
    assert "错误：台账中此函的记录已损坏 (data)" in str(notice.data)


def test_f17_the_office_hears_of_several_damaged_letters_in_one_notice(three: Desk) -> None:
    with three.ledger.write() as connection:
        connection.exec_driver_sql("UPDATE letter SET data = '{oops'")
    three.deliver()
    (notice,) = three.deliver()
    assert notice.ready.facts.title == "3封函件无法生成"
    assert notice.ready.facts.message[0] == "其他函件照常发送；下列3封每小时再试一次。"
    ids = [row.id for row in three.letters("reminder")]
    said = "台账中此函的记录已损坏 (data)"
    assert notice.ready.facts.details[0] == f"致财务科的函（编号{ids[0]}）：{said}"


def test_f17_a_letter_that_was_mended_goes_out_and_is_explained_without_the_damage(
    three: Desk,
) -> None:
    _damage(three, "data", "{oops")
    three.deliver()
    _damage(three, "data", None)
    sent = told(three.go("03-17 10:00").deliver())
    assert ("reminder", "zuzhi@edu.example") in sent
    assert "损坏" not in _explained(three, BROKEN)


def test_f17_the_next_rung_says_what_a_damaged_letter_could_not(three: Desk) -> None:
    which = _damage(three, "data", "{oops")
    three.deliver()
    assert ("reminder", "zuzhi@edu.example") in told(three.beat("03-22 09:00"))
    assert {row.id: row.state for row in three.letters()}[which] == "withdrawn"


def test_f17_a_damaged_letter_about_what_is_handed_in_is_withdrawn(three: Desk) -> None:
    which = _damage(three, "data", "{oops")
    three.submit(BROKEN)
    three.deliver()
    assert {row.id: row.state for row in three.letters()}[which] == "withdrawn"


def test_f17_a_damaged_notice_to_the_office_keeps_nobody_from_handing_in(three: Desk) -> None:
    three.submit("r/2023-03/财务科", via=LINK)
    with three.ledger.write() as connection:
        connection.exec_driver_sql("UPDATE letter SET data = '{' WHERE kind = 'notice'")
    three.submit(BROKEN, via=LINK)
    damaged, sound = three.letters("notice")
    assert isinstance(damaged.data, DamagedJSON)
    assert BROKEN in str(sound.data)
