"""A row of an obligation is damaged in the file: it is named, and all the others go on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import text, update

from config.loader import load_plan
from duban.bureau import Bureau
from jobs.reconcile import reconcile
from ledger.engine import Ledger, UnreadableRowsError
from ledger.tables import event, obligation
from ledger.unreadable import Unreadable
from scheduler.clock import SystemClock
from tests.support import small_plan
from tests.support.commands import call
from tests.support.ledgers import Desk, MakeDesk, everybodys_report, told

KEY = "monthly/2023-06/财务科"
BROKEN = "r/2023-03/组织科"
SAID = "holds what cannot be read: obligation row {} (deadline); 'duban db check' lists all"
DAMAGES = [
    ("deadline", "rubbish"),
    ("deadline", "2023-03-17 09:00:00"),  # a time of nobody knows which zone
    ("deadline", 12),
    ("next_action_at", "0"),
    ("nominal", "rubbish"),
]


@pytest.fixture
def three(make_desk: MakeDesk) -> Desk:
    """A desk at which three sections have a report to come."""
    return make_desk(everybodys_report())


def _damage(ledger: Ledger, key: str, column: str = "deadline", value: object = "rubbish") -> int:
    """Spoil one column of an obligation; gives its id."""
    raw = text(":value").bindparams(value=value)  # as it is: the column's own type would refuse it
    with ledger.write() as connection:
        which = connection.execute(
            update(obligation)
            .where(obligation.c.key == key)
            .values({column: raw})
            .returning(obligation.c.id)
        ).scalar_one()
    return int(which)


@pytest.mark.parametrize(("column", "value"), DAMAGES)
def test_f17_the_others_are_reminded_when_one_obligation_is_damaged(
    three: Desk, caplog: pytest.LogCaptureFixture, column: str, value: object
) -> None:
    which = _damage(three.ledger, BROKEN, column, value)
    sent = told(three.beat("03-17 09:00"))
    assert [kind for kind, _ in sent] == ["reminder", "reminder"]
    assert "zuzhi@edu.example" not in str(sent)
    (line,) = [r for r in caplog.records if r.msg == "obligation.unreadable"]
    assert f"obligation row {which} ({column})" in line.duban_fields["reason"]  # type: ignore[attr-defined]


def test_f17_a_damaged_obligation_is_logged_once_an_hour(
    three: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    _damage(three.ledger, BROKEN)
    three.beats("03-17 09:00", "03-17 09:01", "03-17 09:59", "03-17 10:00")
    assert [r.msg for r in caplog.records].count("obligation.unreadable") == 2


def test_f17_a_mended_obligation_is_reminded_within_the_hour(three: Desk) -> None:
    sound = three.row(BROKEN).deadline
    _damage(three.ledger, BROKEN)
    three.beat("03-17 09:00")
    with three.ledger.write() as connection:
        connection.execute(
            update(obligation).where(obligation.c.key == BROKEN).values(deadline=sound)
        )
    assert len(three.beat("03-17 10:00")) == 1


def test_f17_letters_about_other_obligations_go_out_when_one_is_damaged_after_it_was_queued(
    three: Desk,
) -> None:
    three.go("03-17 09:00").remind()
    _damage(three.ledger, BROKEN)
    assert len(three.deliver()) == 2
    (waits,) = [row for row in three.letters("reminder") if row.state == "queued"]
    assert waits.name == "组织科"
    assert "a row in the ledger that it needs is damaged" in waits.reason


def test_f17_a_mistake_of_ours_is_not_taken_for_a_damaged_row(three: Desk) -> None:
    with pytest.raises(ValueError, match="ours"), three.ledger.read():
        raise ValueError("ours")


def test_f17_a_damaged_row_that_is_read_is_named(three: Desk) -> None:
    which = _damage(three.ledger, BROKEN)
    with pytest.raises(UnreadableRowsError) as caught:
        three.row(BROKEN)
    assert caught.value.rows == (Unreadable("obligation", which, "deadline"),)


def test_f17_damaged_json_and_days_are_found_in_every_table(three: Desk) -> None:
    day = _damage(three.ledger, BROKEN, "nominal", "31 February")
    with three.ledger.write() as connection:
        line = event.insert().values(at=three.now, what="x", who="y", data=text("'{oops'"))
        which = connection.execute(line.returning(event.c.id)).scalar_one()
    assert three.ledger.unreadable() == [
        Unreadable("obligation", day, "nominal"),
        Unreadable("event", which, "data"),
    ]


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The plan of the commands, with one damaged obligation in its ledger; gives its id."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    folder = tmp_path / "plan"
    folder.mkdir()
    small_plan.save(folder)
    monkeypatch.setenv("DUBAN_DATABASE", f"sqlite:///{tmp_path / 'duban.sqlite'}")
    monkeypatch.chdir(folder)
    plan = load_plan(folder).plan
    assert plan is not None
    ledger = Ledger(os.environ["DUBAN_DATABASE"])
    ledger.prepare()
    reconcile(ledger, Bureau(plan), SystemClock().now())
    which = _damage(ledger, KEY)
    ledger.close()
    return which


@pytest.mark.parametrize("command", ["explain", "submit", "accept"])
def test_f17_a_command_names_the_damaged_row(
    capsys: pytest.CaptureFixture[str], damaged: int, command: str
) -> None:
    answer = call(capsys, command, KEY)
    assert (answer.code, answer.out) == (1, "")
    assert SAID.format(damaged) in answer.err


def test_f17_a_command_names_the_damaged_row_in_chinese(
    capsys: pytest.CaptureFixture[str], damaged: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    answer = call(capsys, "explain", KEY)
    assert f"中有读不出的内容：obligation 表第 {damaged} 行的 deadline；" in answer.err


def test_f17_db_check_finds_the_damaged_row(
    capsys: pytest.CaptureFixture[str], damaged: int
) -> None:
    answer = call(capsys, "db", "check", "--json")
    assert answer.code == 1
    assert answer.json["faults"] == [f"obligation row {damaged} (deadline) cannot be read"]


def test_f17_status_is_red_while_an_obligation_is_damaged(
    capsys: pytest.CaptureFixture[str], damaged: int
) -> None:
    answer = call(capsys, "status")
    assert answer.code == 1
    assert f"1 value(s) of obligations cannot be read (row {damaged}, deadline)" in answer.out
    rows = call(capsys, "status", "--json").json["unreadable_rows"]
    assert rows == [f"obligation row {damaged} (deadline)"]
