"""`duban check`: what it prints, and what it does not import."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import small_plan
from tests.support.commands import QUANZHOU, call, spawn

HEAVY = (
    "sqlalchemy",
    "alembic",
    "jinja2",
    "aiosmtplib",
    "apscheduler",
    "pydantic_settings",
    "rich",
    "asyncio",
)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def test_a_good_plan_ends_with_0_and_its_numbers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer = call(capsys, "check", small_plan.save(tmp_path))
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == (
        "demo-2023 is fine: 3 sections, 2 officials, 2 rules, 1 milestones, 1 projects, 0 overrides"
    )


def test_every_error_is_printed_at_its_line_and_column(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = small_plan.changed("sections: [财务科]", "sections: [财务课]")
    answer = call(capsys, "check", small_plan.save(tmp_path, text))
    assert answer.code == 1
    assert "plan.yaml:38:16: unknown section '财务课' (did you mean '财务科'?)" in answer.out
    assert "refused: 1 error(s)" in answer.out


def test_json_has_the_errors_as_values(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = small_plan.changed("sections: [财务科]", "sections: [财务课]")
    answer = call(capsys, "check", small_plan.save(tmp_path, text), "--json")
    assert answer.code == 1
    assert answer.json["ok"] is False
    assert answer.json["plan"] is None
    (error,) = answer.json["errors"]
    assert (error["file"], error["line"], error["column"]) == ("plan.yaml", 38, 16)


def test_the_real_plan_is_fine_and_lists_what_to_confirm(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = call(capsys, "check", QUANZHOU, "--json").json
    assert found["ok"] is True
    assert found["errors"] == []
    assert found["counts"]["milestones"] == 40
    assert found["counts"]["projects"] == 20
    assert any("(L40)" in note["message"] for note in found["to_confirm"])


def test_the_year_that_nobody_announced_is_warned_of(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = small_plan.PLAN.replace("starts: 2023-02-01", "starts: 2090-02-01")
    text = text.replace("ends: 2023-12-31", "ends: 2090-12-31").replace("2023-", "2090-")
    answer = call(capsys, "check", small_plan.save(tmp_path, text))
    assert answer.code == 0
    assert "holidays/2090.txt:1:1:" in answer.out


def test_check_imports_no_heavy_layer() -> None:
    code = (
        "import sys\n"
        "from scheduler.cli import run\n"
        "run(sys.argv[1:])\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    answer = spawn("check", QUANZHOU, code=code)
    assert answer.code == 0
    assert answer.err == "[]\n"
