"""The checker itself: it knows nothing of duban, and it finds what is gone."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.checker.__main__ import main
from tests.support import small_plan
from tests.support.commands import call

ROOMS = {"board", "config", "duban", "jobs", "ledger", "mailroom", "scheduler", "templates"}
SOURCES = [p for p in Path(__file__).parent.glob("*.py") if not p.name.startswith("test_")]
SPAN = ("--from", "2023-02-01", "--to", "2023-04-30")


@pytest.fixture
def lived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The journal of three months in which nobody reports."""
    plan = tmp_path / "plan"
    plan.mkdir()
    small_plan.save(plan)
    assert call(capsys, "simulate", plan, *SPAN, "--out", tmp_path / "out").code == 0
    return tmp_path / "out/letters.jsonl"


def check(journal: Path, *more: object) -> int:
    plan = journal.parents[1] / "plan"
    return main([str(a) for a in (journal, "--plan", plan, *SPAN, *more)])


def rewrite(journal: Path, change: object) -> None:
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert callable(change)
    kept = [json.dumps(new) for line in lines if (new := change(line)) is not None]
    journal.write_text("\n".join(kept), encoding="utf-8")


@pytest.mark.parametrize("path", sorted(SOURCES), ids=lambda p: p.name)
def test_the_checker_knows_nothing_of_dubans_inside(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    modules += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert not {name.partition(".")[0] for name in modules} & ROOMS
    assert all(m.startswith("tests.checker") for m in modules if m.startswith("tests"))


def test_three_months_in_which_nobody_reports_are_proved(lived: Path) -> None:
    assert check(lived) == 0


def test_a_letter_that_is_missing_in_the_journal_is_found(
    lived: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = "monthly/2023-02/初幼教科"
    rewrite(lived, lambda e: None if gone in e["obligations"] and e["light"] == "blue" else e)
    assert check(lived) == 1
    assert f"I1  {gone}: rung -5 for the section chuyou@edu.example" in capsys.readouterr().out


def test_a_letter_to_another_address_is_found(
    lived: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(lived, lambda e: e | {"to": e["to"].replace("deputy@", "former@")})
    assert check(lived, "--show", 500) == 1
    assert "is for deputy@edu.example or head@edu.example, yet:" in capsys.readouterr().out


def test_a_letter_after_its_submission_is_found(
    lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.jsonl"
    done = {"at": "2023-02-20", "do": "submit", "item": "monthly", "period": "2023-02"}
    script.write_text(json.dumps(done), encoding="utf-8")
    assert check(lived, "--history", script) == 1
    assert "I2  monthly/2023-02/初幼教科: is handed in, yet: 2023-02-22" in capsys.readouterr().out


def test_two_runs_of_one_history_are_compared_byte_by_byte(
    lived: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again/letters.jsonl"
    call(capsys, "simulate", tmp_path / "plan", *SPAN, "--out", again.parent)
    assert check(lived, "--again", again) == 0
    mail = next(again.parent.rglob("*.eml"))
    mail.write_bytes(mail.read_bytes().replace(b"auto-generated", b"auto-Generated"))
    assert check(lived, "--again", again) == 1
    assert "I6" in capsys.readouterr().out
