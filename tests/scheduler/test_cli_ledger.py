"""The commands that act on a ledger or on the office's decisions, and those that read them."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, update

from config.loader import load_plan
from duban.bureau import Bureau
from jobs.reconcile import reconcile
from ledger import events
from ledger.engine import Ledger
from ledger.tables import letter
from scheduler.cli.days import moment
from scheduler.clock import SystemClock
from tests.support import small_plan
from tests.support.commands import Answer, call

KEY = "monthly/2023-06/财务科"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan whose ledger was born when it began, and the settings that name that ledger."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    folder = tmp_path / "plan"
    folder.mkdir()
    small_plan.save(folder)
    monkeypatch.setenv("DUBAN_DATABASE", f"sqlite:///{tmp_path / 'duban.sqlite'}")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def ledger(folder: Path) -> Path:
    """The ledger of that plan, with all its obligations and nothing sent."""
    plan = load_plan(folder).plan
    assert plan is not None
    ledger = Ledger(os.environ["DUBAN_DATABASE"])
    ledger.prepare()
    reconcile(ledger, Bureau(plan), SystemClock().now())
    ledger.close()
    assert ledger.path is not None
    return ledger.path


def explain(capsys: pytest.CaptureFixture[str], key: str = KEY) -> Answer:
    return call(capsys, "explain", key, "--json")


def test_a_report_goes_through_submit_return_submit_accept(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    assert call(capsys, "submit", KEY, "--by", "张科员").code == 0
    assert explain(capsys).json["standing"] == "submitted"
    assert (
        call(capsys, "return", KEY, "--reason", "缺存在问题", "--deadline", "2090-01-05").code == 0
    )
    returned = explain(capsys).json
    assert returned["standing"] == "returned"
    assert returned["deadline"] == "2090-01-05T17:30:00+08:00"
    assert call(capsys, "submit", KEY).code == 0
    assert call(capsys, "accept", KEY).code == 0
    found = explain(capsys).json
    assert [s["outcome"] for s in found["submissions"]] == ["returned", "accepted"]
    assert found["submissions"][0]["by"] == "张科员"
    assert found["standing"] == "late"


def test_submit_says_the_number_in_json(capsys: pytest.CaptureFixture[str], ledger: Path) -> None:
    answer = call(capsys, "submit", KEY, "--json")
    assert answer.json["number"] == "demo-2023-0001"
    assert answer.json["key"] == KEY


def test_a_section_may_be_named_by_its_alias(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    answer = call(capsys, "submit", "monthly/2023-06/初教科室", "--json")
    assert answer.json["key"] == "monthly/2023-06/初幼教科"


def test_what_the_ledger_refuses_ends_with_1(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    call(capsys, "submit", KEY)
    answer = call(capsys, "submit", KEY, "--json")
    assert answer.code == 1
    assert "already" in answer.json["error"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("monthly/2023-06/财务课", "did you mean '财务科'?"),
        ("montly/2023-06/财务科", "did you mean 'monthly'?"),
        ("monthly", "is not a key"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str], ledger: Path, key: str, said: str
) -> None:
    answer = call(capsys, "submit", key)
    assert answer.code == 2
    assert said in answer.err


def test_without_a_ledger_nothing_is_made(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    answer = call(capsys, "submit", KEY)
    assert answer.code == 1
    assert "there is no ledger" in answer.err
    assert not (folder.parent / "duban.sqlite").exists()


def test_a_mistyped_setting_is_named(
    capsys: pytest.CaptureFixture[str], ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBAN_DATABSE", "x")
    answer = call(capsys, "status")
    assert answer.code == 2
    assert "did you mean 'DUBAN_DATABASE'?" in answer.err


def test_the_plan_is_the_only_one_below_this_folder(
    capsys: pytest.CaptureFixture[str], ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ledger.parent)
    assert call(capsys, "submit", KEY).code == 0


def test_where_there_are_two_plans_one_must_be_named(
    capsys: pytest.CaptureFixture[str], ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ledger.parent / "other").mkdir()
    small_plan.save(ledger.parent / "other")
    monkeypatch.chdir(ledger.parent)
    answer = call(capsys, "submit", KEY)
    assert answer.code == 2
    assert "which plan?" in answer.err


def test_override_writes_a_deadline_that_agenda_shows(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    options = ("--deadline", "2023-06-29 12:00", "--reason", "集中检查", "--by", "办公室")
    assert call(capsys, "override", KEY, *options).code == 0
    span = ("--from", "2023-06-26", "--to", "2023-06-30", "--json")
    (one,) = call(capsys, "agenda", folder, *span).json
    assert one["key"] == KEY
    assert one["deadline"] == "2023-06-29T12:00:00+08:00"


def test_exempt_without_a_section_exempts_all_of_the_period(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert call(capsys, "exempt", "monthly/2023-06", "--reason", "合并报送").code == 0
    span = ("--from", "2023-06-01", "--to", "2023-06-30", "--json")
    found = call(capsys, "agenda", folder, *span).json
    assert [o["exempt"] for o in found] == ["合并报送", "合并报送"]


def test_a_decision_that_spoils_the_plan_is_not_written(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    answer = call(
        capsys, "override", "monthly/2023-13/财务科", "--reassign", "初幼教科", "--reason", "x"
    )
    assert answer.code == 1
    assert "2023-13" in answer.err
    assert not (folder / "overrides.yaml").exists()


def test_override_needs_exactly_one_decision(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    answer = call(capsys, "override", KEY, "--reason", "x")
    assert answer.code == 2


def test_status_counts_what_is_owed(capsys: pytest.CaptureFixture[str], ledger: Path) -> None:
    call(capsys, "submit", KEY)
    (plan,) = call(capsys, "status", "--json").json["plans"]
    assert plan["plan"] == "demo-2023"
    assert plan["standings"]["submitted"] == 1
    assert plan["standings"]["before"] == 24
    assert plan["waiting"] == 1
    assert plan["to_confirm"] == 0


def _set_marks(ledger: Path, now: datetime, marks: Mapping[str, Any]) -> None:
    """Remember what the daemon remembers of itself."""
    from ledger import plans

    made = Ledger(f"sqlite:///{ledger}")
    with made.write() as connection:
        for key, value in marks.items():
            plans.set_mark(connection, key, value, now)
    made.close()


def test_status_says_how_the_relay_and_the_daemon_are(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    now = SystemClock().now()
    trouble = {"since": now.isoformat(), "reply": "421 too busy"}
    _set_marks(ledger, now, {"relay.trouble": trouble, "tick": now.isoformat()})
    answer = call(capsys, "status")
    assert "421 too busy" in answer.out
    assert "s ago)" in answer.out


def test_status_says_in_chinese_that_the_login_is_refused_and_when_it_is_tried_again(
    capsys: pytest.CaptureFixture[str], ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    now = SystemClock().now()
    again = now + timedelta(minutes=5)
    trouble = {"since": now.isoformat(), "reply": "login refused: 5.7.8 wrong password"}
    _set_marks(ledger, now, {"relay.trouble": trouble, "relay.barred": again.isoformat()})
    said = call(capsys, "status").out
    assert "发不出去：邮件服务器不接受用户名或密码，答复“5.7.8 wrong password”" in said
    local = again.astimezone(ZoneInfo("Asia/Shanghai"))
    assert f" {local:%H:%M} 以一封函再试，其余函件等待" in said
    document = call(capsys, "status", "--json").json
    assert document["relay_tried_again"] == again.isoformat(timespec="seconds")


def _give_up(ledger: Path, count: int) -> None:
    """Let so many letters be given up now, of which a damaged row does not say since when."""
    made, now = Ledger(f"sqlite:///{ledger}"), SystemClock().now()
    with made.write() as connection:
        values = {
            "plan_id": 1,
            "kind": "reminder",
            "addressee": "section",
            "name": "财务科",
            "state": "failed",
            "created_at": now,
            "attempts": 1,
            "address": "caiwu@edu.example",
            "reason": "550 no such user",
        }
        rows = [values | {"message_id": f"<{number}@edu.example>"} for number in range(count)]
        connection.execute(insert(letter), rows)
        connection.exec_driver_sql("UPDATE letter SET created_at = 'x' WHERE state = 'failed'")
    made.close()


def test_status_lists_twenty_letters_that_were_given_up_and_counts_the_others(
    capsys: pytest.CaptureFixture[str], ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _give_up(ledger, 23)
    (plan,) = call(capsys, "status", "--json").json["plans"]
    assert (len(plan["failed"]), plan["failed_count"], plan["retried_count"]) == (20, 23, 0)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    lines = call(capsys, "status").out.splitlines()
    refused = "  被拒收：财务科 <caiwu@edu.example>：服务器答复“550 no such user”"
    assert lines.count(refused) == 20
    assert "    另有 3 封" in lines


def test_status_dates_a_refused_letter_by_its_refusal(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    _give_up(ledger, 1)
    refused = SystemClock().now() - timedelta(days=1)
    made = Ledger(f"sqlite:///{ledger}")
    with made.write() as connection:
        events.record(connection, refused, "letter.failed", letter=1)
        values = {"created_at": refused - timedelta(hours=3)}
        connection.execute(update(letter).values(**values))
    made.close()
    local = refused.astimezone(ZoneInfo("Asia/Shanghai"))
    said = f"  refused: 财务科 <caiwu@edu.example> on {moment(local)}: 550 no such user"
    assert said in call(capsys, "status").out.splitlines()
    (one,) = call(capsys, "status", "--json").json["plans"][0]["failed"]
    assert one["given_up_at"] == refused.isoformat(timespec="seconds")
    assert one["since"] < one["given_up_at"]


def test_f18_status_says_that_a_ledger_is_held(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    worked_on = {"ledger": "another", "event": 9, "at": "2023-03-06T03:00:00+00:00"}
    ledger.with_name(f"{ledger.name}.mark").write_text(json.dumps(worked_on), encoding="utf-8")
    answer = call(capsys, "status")
    assert answer.code == 1
    assert "or confirm this one ('duban db confirm')" in answer.out


@pytest.mark.parametrize(
    "command",
    [
        "status",
        f"explain {KEY}",
        f"submit {KEY}",
        "inbox list",
        "extensions list",
        "user list",
        "db check",
        "db upgrade",
        "db backup copy",
    ],
)
def test_f17_a_ledger_that_was_taken_away_is_not_said_to_be_missing_yet(
    capsys: pytest.CaptureFixture[str], ledger: Path, command: str
) -> None:
    ledger.with_name(f"{ledger.name}.mark").write_text("{}", encoding="utf-8")
    ledger.rename(ledger.with_name("away"))
    answer = call(capsys, *command.split())
    assert (answer.code, answer.out) == (1, "")
    assert "is not in its place" in answer.err
    assert f"removes {ledger}.mark" in answer.err
    assert not ledger.exists()


def test_status_shows_the_mistakes_for_which_a_plans_files_do_not_count(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    said = ["plan.yaml:25:13: no post is called 无此人"]
    refused = {"since": "2023-03-06T03:00:00+00:00", "count": 7, "problems": said}
    _set_marks(ledger, SystemClock().now(), {"plan refused: demo-2023": refused})
    answer = call(capsys, "status")
    assert "  the plan's files have 7 mistake(s) since 2023-03-06" in answer.out
    assert "    plan.yaml:25:13: no post is called 无此人" in answer.out
    (plan,) = call(capsys, "status", "--json").json["plans"]
    assert plan["refused_since"] == "2023-03-06T03:00:00+00:00"
    assert plan["refused_problems"] == said


def test_explain_without_a_ledger_tells_what_the_plan_promises(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    answer = call(capsys, "explain", KEY)
    assert answer.code == 0
    assert "每月25日报送，2023-02起，2023-12止" in answer.out
    assert "2023-06-25 周日，调休上班（端午节），工作日" in answer.out
    assert "2023-06-28 周三 09:00 【红】逾期3个工作日" in answer.out
    assert "没有台账" in answer.out


def test_explain_names_the_override_and_its_reason(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    small_plan.save(folder, overrides=small_plan.OVERRIDES)
    answer = call(capsys, "explain", "special/2023-03/财务科")
    assert "时限改为2023-03-28，理由：会议冲突（overrides.yaml:2）" in answer.out
    assert "时限    2023-03-28 周二 17:30" in answer.out


def test_explain_of_an_unknown_period_ends_with_1(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert call(capsys, "explain", "monthly/2024-01/财务科").code == 1


def test_db_upgrade_makes_a_ledger_and_db_check_finds_it_sound(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert call(capsys, "db", "upgrade").code == 0
    found = call(capsys, "db", "check", "--json")
    assert found.code == 0
    assert found.json["ok"] is True
    assert found.json["counts"]["obligation"] == 0


def test_db_check_finds_a_broken_reference(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    connection = sqlite3.connect(ledger)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("UPDATE obligation SET plan_id = 99 WHERE id = 1")
    connection.commit()
    connection.close()
    answer = call(capsys, "db", "check", "--json")
    assert answer.code == 1
    assert answer.json["faults"] == ["obligation row 1 points to a missing plan"]


def test_a_backup_is_whole_alone_and_private(
    capsys: pytest.CaptureFixture[str], ledger: Path, tmp_path: Path
) -> None:
    call(capsys, "submit", KEY)
    copy = tmp_path / "backups" / "copy.sqlite"
    copy.parent.mkdir()
    assert call(capsys, "db", "backup", copy).code == 0
    assert [p.name for p in copy.parent.iterdir()] == ["copy.sqlite"]
    assert copy.stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(copy)
    counted = connection.execute("SELECT count(*) FROM submission").fetchone()
    connection.close()
    assert counted == (1,)


def test_a_backup_never_replaces_the_ledger_itself(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    before = ledger.read_bytes()
    assert call(capsys, "db", "backup", ledger).code == 1
    assert ledger.read_bytes() == before


def test_a_damaged_ledger_is_refused_in_one_sentence(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    ledger.write_bytes(b"not a database, not at all" * 100)
    answer = call(capsys, "status")
    assert answer.code == 1
    assert "is not a ledger" in answer.err


def test_what_was_done_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], ledger: Path, tmp_path: Path
) -> None:
    said = [
        call(capsys, *arguments).out
        for arguments in (
            ("submit", KEY),
            ("return", KEY, "--reason", "缺项"),
            ("accept", KEY),
            ("db", "upgrade"),
            ("db", "backup", tmp_path / "copy.sqlite"),
        )
    ]
    assert [out.count("\n") for out in said] == [1] * 5
    assert said[0].startswith(f"{KEY} is handed in: demo-2023-0001, ")
    assert said[1:3] == [f"{KEY} is returned; the section will be told\n", f"{KEY} is accepted\n"]


def test_db_check_prints_counts_and_a_verdict(
    capsys: pytest.CaptureFixture[str], ledger: Path
) -> None:
    lines = call(capsys, "db", "check").out.splitlines()
    assert ["obligation", "25"] in [line.split() for line in lines]
    assert lines[-1] == "the ledger is sound"


def test_a_backup_into_a_missing_folder_is_refused(
    capsys: pytest.CaptureFixture[str], ledger: Path, tmp_path: Path
) -> None:
    answer = call(capsys, "db", "backup", tmp_path / "nowhere" / "copy.sqlite", "--json")
    assert answer.code == 1
    assert "no copy was made" in answer.json["error"]


def test_status_of_an_empty_ledger_says_so(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    call(capsys, "db", "upgrade")
    assert "the ledger has no plan yet" in call(capsys, "status").out


def test_a_plan_with_errors_is_not_acted_on(
    capsys: pytest.CaptureFixture[str], ledger: Path, folder: Path
) -> None:
    small_plan.save(folder, small_plan.changed("sections: [财务科]", "sections: [财务课]"))
    answer = call(capsys, "submit", KEY)
    assert answer.code == 1
    assert "plan.yaml:38:16" in answer.err


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ("exempt: true", "免报，理由：会议冲突（overrides.yaml:2）"),
        ("reassign: 初幼教科", "改由初幼教科承办，理由：会议冲突（overrides.yaml:2）"),
        ("deadline: 2023-03-28 12:00", "时限改为2023-03-28 12:00，理由：会议冲突"),
    ],
)
def test_explain_tells_each_kind_of_decision(
    capsys: pytest.CaptureFixture[str], folder: Path, decision: str, said: str
) -> None:
    text = small_plan.OVERRIDES.replace("deadline: 2023-03-28", decision)
    small_plan.save(folder, overrides=text)
    assert said in call(capsys, "explain", "special/2023-03/财务科").out


def test_explain_says_how_a_milestone_and_a_move_came_about(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    milestone = call(capsys, "explain", "m02-01/2023-02/办公室").out
    assert "月度任务：2023-02，以月末为期" in milestone
    moved = call(capsys, "explain", "special/2023-03/财务科").out
    assert "每年3月25日、9月25日报送" in moved
    assert "逢休息日，提前到前一个工作日：2023-03-24" in moved
