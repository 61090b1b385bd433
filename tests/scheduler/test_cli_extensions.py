"""The commands about requests for more time, withdrawals, files and the archive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from config.loader import load_plan
from duban.bureau import Bureau
from jobs.collect import Act
from jobs.extensions import request
from jobs.reconcile import reconcile
from ledger.engine import Ledger
from tests.support import small_plan
from tests.support.commands import call
from tests.support.ledgers import at

KEY = "monthly/2023-06/财务科"


@contextmanager
def at_work(folder: Path) -> Iterator[tuple[Ledger, Bureau]]:
    plan = load_plan(folder).plan
    assert plan is not None
    ledger = Ledger(os.environ["DUBAN_DATABASE"])
    yield ledger, Bureau(plan)
    ledger.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan and its ledger, in which 财务科 asks for ten days more for June's report."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("DUBAN_DATABASE", f"sqlite:///{tmp_path / 'duban.sqlite'}")
    folder = tmp_path / "plan"
    folder.mkdir()
    small_plan.save(folder)
    monkeypatch.chdir(folder)
    with at_work(folder) as (ledger, bureau):
        ledger.prepare()
        reconcile(ledger, bureau, at("2023-03-01 08:00"))
        act = Act(KEY, at("2023-06-20 10:00"), "财务科 经办", via="link", reason="数据未出")
        request(ledger, bureau, act, date(2023, 7, 5))
    return folder


def test_the_requests_that_wait_are_listed(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert call(capsys, "extensions", "list", "--json").json == [
        {
            "key": KEY,
            "deadline": "2023-06-25T17:30:00+08:00",
            "wished": "2023-07-05",
            "reason": "数据未出",
            "by": "财务科 经办",
            "at": "2023-06-20T10:00:00+08:00",
        }
    ]
    shown = call(capsys, "extensions", "list").out
    assert "asks for 2023-07-05: 数据未出" in shown


def test_a_granted_request_is_an_override_and_waits_no_more(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    answer = call(capsys, "extensions", "grant", KEY, "--by", "办公室", "--json")
    assert answer.json["deadline"] == "2023-07-05T17:30:00+08:00"
    with at_work(folder) as (_, bureau):
        (made,) = bureau.plan.overrides
    assert (made.item, made.period, made.section) == ("monthly", "2023-06", "财务科")
    assert (str(made.deadline), made.by) == ("2023-07-05", "办公室")
    assert call(capsys, "extensions", "list").out == "no request waits\n"
    again = call(capsys, "extensions", "grant", KEY)
    assert (again.code, "no request" in again.err) == (1, True)


def test_another_day_may_be_granted(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    answer = call(capsys, "extensions", "grant", KEY, "--deadline", "2023-06-28 12:00")
    assert "is due 2023-06-28 Wed 12:00 now" in answer.out


def test_a_refusal_needs_a_reason_and_is_recorded(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert call(capsys, "extensions", "refuse", KEY).code == 2
    answer = call(capsys, "extensions", "refuse", KEY, "--reason", "督导在即", "--json")
    assert answer.json == {"key": KEY, "reason": "督导在即"}
    assert call(capsys, "extensions", "list", "--json").json == []
    (asked,) = call(capsys, "explain", KEY, "--json").json["extensions"]
    assert (asked["outcome"], asked["answer"]) == ("refused", "督导在即")
    told = call(capsys, "explain", KEY).out
    assert "财务科 经办，延至2023-07-05：数据未出" in told
    assert "未同意，督导在即" in told


def test_a_broken_file_of_overrides_leaves_the_request_open(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    # such as an entry that the office is just writing
    (folder / "overrides.yaml").write_text("overrides:\n  - item: monthly\n", encoding="utf-8")
    assert call(capsys, "extensions", "grant", KEY).code == 1
    (folder / "overrides.yaml").unlink()
    assert len(call(capsys, "extensions", "list", "--json").json) == 1


def test_what_was_recorded_by_mistake_is_withdrawn(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    call(capsys, "submit", KEY)
    assert call(capsys, "withdraw", KEY, "--reason", "登记错了").out.startswith(KEY)
    found = call(capsys, "explain", KEY, "--json").json
    assert [s["outcome"] for s in found["submissions"]] == ["withdrawn"]
    assert found["standing"] == "overdue"
    assert "已撤回" in call(capsys, "explain", KEY).out
    assert call(capsys, "withdraw", KEY).code == 1


def test_files_that_were_recorded_by_hand_come_out_of_the_archive(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "6月总结.docx").write_bytes(b"report")
    assert call(capsys, "submit", KEY, "--file", tmp_path / "6月总结.docx").code == 0
    out = tmp_path / "out"
    answer = call(capsys, "archive", "export", folder, "--out", out, "--json")
    assert answer.json == {"out": str(out), "hand_ins": 1, "files": 1, "missing": []}
    assert (out / "2023-06/财务科/6月总结.docx").read_bytes() == b"report"


def test_a_file_that_is_missing_from_the_archive_ends_the_export_with_1(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.doc").write_bytes(b"report")
    call(capsys, "submit", KEY, "--file", tmp_path / "a.doc")
    (kept,) = [p for p in (tmp_path / "archive").rglob("*") if p.is_file()]
    kept.unlink()
    answer = call(capsys, "archive", "export", folder, "--out", tmp_path / "out")
    assert answer.code == 1
    assert f"missing or damaged: a.doc ({kept.name})" in answer.err


def test_a_file_that_is_too_large_is_refused_and_nothing_recorded(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUBAN_UPLOAD_MEGABYTES", "1")
    (tmp_path / "big.zip").write_bytes(b"x" * 1_000_001)
    answer = call(capsys, "submit", KEY, "--file", tmp_path / "big.zip")
    assert (answer.code, "more than 1000000 bytes" in answer.err) == (1, True)
    assert call(capsys, "explain", KEY, "--json").json["submissions"] == []


def test_an_occupied_folder_is_refused(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    answer = call(capsys, "archive", "export", folder, "--out", folder)
    assert (answer.code, "no export made" in answer.err) == (1, True)
