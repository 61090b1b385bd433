"""`duban simulate`: what it writes, and that it writes the same twice."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.support import small_plan
from tests.support.commands import Answer, call

SPAN = ("--from", "2023-02-01", "--to", "2023-02-28")
FIELDS = [
    "at",
    "to",
    "recipient",
    "light",
    "kind",
    "subject",
    "message_id",
    "obligations",
    "file",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    folder = tmp_path / "plan"
    folder.mkdir()
    return small_plan.save(folder)


def simulate(capsys: pytest.CaptureFixture[str], folder: Path, *more: object) -> Answer:
    return call(capsys, "simulate", folder, *SPAN, *more)


def letters(out: Path) -> list[dict[str, Any]]:
    text = (out / "letters.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def script(folder: Path, *actions: dict[str, str]) -> Path:
    path = folder / "script.jsonl"
    lines = (json.dumps(action, ensure_ascii=False) for action in actions)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_each_letter_is_a_line_and_a_mail(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert simulate(capsys, folder, "--out", out).code == 0
    found = letters(out)
    assert found
    assert [list(one) for one in found] == [FIELDS] * len(found)
    assert {p.name for p in (out / "mail").iterdir()} == {one["file"][5:] for one in found}
    first = next(one for one in found if one["recipient"] == "初幼教科")
    assert first["at"] == "2023-02-17T09:00:00+08:00"
    assert first["to"] == "chuyou@edu.example"
    assert (first["kind"], first["light"]) == ("reminder", "blue")
    assert first["obligations"] == ["monthly/2023-02/初幼教科"]
    mail = message_from_bytes(
        (out / first["file"]).read_bytes(), EmailMessage, policy=policy.default
    )
    assert mail["Subject"] == first["subject"]
    assert mail["Message-ID"] == first["message_id"]


def test_the_same_history_is_the_same_bytes(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        assert simulate(capsys, folder, "--out", tmp_path / name).code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_ledger_ends_as_a_single_file(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    simulate(capsys, folder, "--out", tmp_path / "out")
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {".duban", "letters.jsonl", "ledger.sqlite", "mail"}


def test_an_earlier_simulation_is_replaced(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call(capsys, "simulate", folder, "--from", "2023-02-01", "--to", "2023-04-30", "--out", out)
    simulate(capsys, folder, "--out", out)
    fresh = tmp_path / "fresh"
    simulate(capsys, folder, "--out", fresh)
    assert contents(out) == contents(fresh)


def test_a_folder_with_other_files_is_left_alone(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letters.jsonl").write_text("mine")
    answer = simulate(capsys, folder, "--out", out)
    assert answer.code == 1
    assert contents(out) == {"letters.jsonl": b"mine"}


def test_json_is_a_summary_of_the_history(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    found = simulate(capsys, folder, "--json").json
    assert found["plan"] == "demo-2023"
    assert found["letters"] == sum(found["kinds"].values())
    assert found["standings"]["overdue"] == 3
    assert found["out"] is None


def test_the_script_is_lived_through_and_its_refusals_are_told(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    key = "monthly/2023-02/初幼教科"
    acts = script(
        tmp_path,
        {"at": "2023-02-20 10:00", "do": "submit", "key": key},
        {"at": "2023-02-21 10:00", "do": "submit", "key": key},
    )
    answer = simulate(capsys, folder, "--script", acts, "--json")
    assert answer.code == 0
    assert answer.json["standings"]["submitted"] == 1
    assert len(answer.json["refusals"]) == 1
    assert "already" in answer.err


def test_a_bad_script_is_refused_with_its_lines(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    acts = script(tmp_path, {"at": "2023-02-20", "do": "smtp"}, {"at": "x", "do": "submit"})
    answer = simulate(capsys, folder, "--script", acts)
    assert answer.code == 1
    assert "script.jsonl:1:1: 'smtp' needs 'state'" in answer.err
    assert "script.jsonl:2:1: 'at'" in answer.err


def test_explain_reads_a_simulation_as_an_answer(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    key = "monthly/2023-02/初幼教科"
    acts = script(
        tmp_path,
        {"at": "2023-02-22 08:30", "do": "smtp", "state": "down"},
        {"at": "2023-02-22 10:00", "do": "smtp", "state": "up"},
        {"at": "2023-02-27 10:00", "do": "submit", "key": key, "by": "初幼教科"},
        {"at": "2023-02-27 11:00", "do": "accept", "key": key, "by": "局办公室"},
    )
    simulate(capsys, folder, "--script", acts, "--out", out)
    ledger = ("--ledger", out / "ledger.sqlite")
    answer = call(capsys, "explain", key, "--plan", folder, *ledger)
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert "  2023-02-17 周五 09:00 【蓝】提前5个工作日" in lines
    sent = "      科室      09:00发给初幼教科 <chuyou@edu.example>，服务器答复“250 2.0.0 accepted”"
    assert sent in lines
    assert any("次才成" in line for line in lines)
    assert "      分管领导  09:00发给陈军宣 <deputy@edu.example>" in answer.out
    assert any("回执，致初幼教科 <chuyou@edu.example>，已发" in line for line in lines)
    assert any("办结函，致陈军宣" in line for line in lines)
    assert any("初幼教科（演练脚本），demo-2023-0001，迟报" in line for line in lines)
    assert "  现状    迟报" in lines


def test_explain_tells_when_a_deadline_was_changed_and_why(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    key = "monthly/2023-02/初幼教科"
    change = {"do": "override", "key": key, "deadline": "2023-02-27", "reason": "集中检查"}
    acts = script(tmp_path, {"at": "2023-02-20 10:00", **change})
    simulate(capsys, folder, "--script", acts, "--out", tmp_path / "out")
    ledger = ("--ledger", tmp_path / "out" / "ledger.sqlite")
    answer = call(capsys, "explain", key, "--plan", folder, *ledger)
    changed = "由2023-02-24 周五 17:30改为2023-02-27 周一 17:30，理由：集中检查"
    assert f"变更    2023-02-20 周一 10:00 台账记录：{changed}" in answer.out
    assert "  改期或退回之前：" in answer.out
    assert "时限    2023-02-27 周一 17:30" in answer.out


def test_explain_tells_of_letters_that_did_not_get_through(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    acts = script(
        tmp_path,
        {"at": "2023-02-01", "do": "smtp", "state": "reject:chuyou@edu.example"},
        {"at": "2023-02-24 08:30", "do": "smtp", "state": "down"},
    )
    simulate(capsys, folder, "--script", acts, "--out", tmp_path / "out")
    ledger = tmp_path / "out" / "ledger.sqlite"
    options = ("--plan", folder, "--ledger", ledger)
    refused = call(capsys, "explain", "monthly/2023-02/初幼教科", *options).out
    assert "未发给初幼教科：550 5.1.1 no such user" in refused
    waiting = call(capsys, "explain", "monthly/2023-02/财务科", *options).out
    assert "致财务科，待发，服务器答复“connection refused”" in waiting
    status = call(capsys, "status", "--plan", folder, "--ledger", ledger).out
    assert "refused: 初幼教科 <chuyou@edu.example>" in status
    assert "not through yet:" in status
    assert "the relay is in trouble since 2023-02-2" in status


def test_explain_tells_what_became_of_rungs_after_a_report(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    key = "monthly/2023-02/初幼教科"
    acts = script(
        tmp_path,
        {"at": "2023-02-20 10:00", "do": "submit", "key": key},
        {
            "at": "2023-02-21 10:00",
            "do": "return",
            "key": key,
            "reason": "缺项",
            "deadline": "2023-02-27",
        },
        {"at": "2023-02-22 10:00", "do": "submit", "key": key},
    )
    simulate(capsys, folder, "--script", acts, "--out", tmp_path / "out")
    ledger = tmp_path / "out" / "ledger.sqlite"
    told = call(capsys, "explain", key, "--plan", folder, "--ledger", ledger).out
    assert "退回时另定时限，原为2023-02-24 周五 17:30" in told
    assert "已退回，缺项" in told
    assert "  现行时限：" in told


def test_a_summary_is_said_in_words(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    lines = simulate(capsys, folder).out.splitlines()
    assert lines[0].endswith("letters from 2023-02-01 to 2023-02-28")
    assert lines[3] == "  obligations  pending 22，overdue 3"


def test_mistakes_in_the_offices_templates_are_told(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    templates = tmp_path / "templates" / "letters"
    templates.mkdir(parents=True)
    (templates / "reminder.txt").write_text("{{ nobody }}", encoding="utf-8")
    answer = simulate(capsys, folder, "--templates", tmp_path / "templates")
    assert answer.code == 1
    assert "reminder.txt" in answer.err
