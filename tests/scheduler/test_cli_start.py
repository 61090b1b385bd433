"""The commands of the first minutes: init, demo, send-test, run."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import small_plan
from tests.support.commands import ROOT, call, environment


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)


def test_init_writes_a_plan_that_is_valid_as_it_stands(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(capsys, "init", tmp_path / "first").code == 0
    found = call(capsys, "check", tmp_path / "first", "--json").json
    assert found["ok"] is True
    assert found["counts"] == {
        "sections": 3,
        "officials": 2,
        "rules": 3,
        "milestones": 2,
        "projects": 1,
        "overrides": 0,
    }


def test_the_first_plan_names_schemas_that_lie_beside_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "first"
    call(capsys, "init", folder)
    for name in ("plan", "overrides"):
        head = (folder / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
        assert head == f"# yaml-language-server: $schema={name}.schema.json"
        assert (folder / f"{name}.schema.json").is_file()


def test_the_first_plan_can_be_simulated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call(capsys, "init", tmp_path / "first")
    year = (
        (tmp_path / "first" / "plan.yaml").read_text(encoding="utf-8").partition("starts: ")[2][:4]
    )
    span = ("--from", f"{year}-01-01", "--to", f"{year}-02-28")
    assert call(capsys, "simulate", tmp_path / "first", *span, "--json").json["letters"] > 0


def test_init_overwrites_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    answer = call(capsys, "init", tmp_path)
    assert answer.code == 1
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_the_demo_shows_each_letter_in_a_line_and_keeps_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer = call(capsys, "demo", "--speed", "max", "--days", "24", "--out", tmp_path / "demo")
    assert answer.code == 0
    outbox = tmp_path / "demo" / "outbox"
    mails = sorted(outbox.glob("*.eml"))
    assert len(mails) > 20
    assert len(list(outbox.glob("*.html"))) == len(mails) + 1
    assert str(outbox / "index.html") in answer.out
    assert "02-17 09:00 【蓝】  财务科            2月月报" in answer.out


def test_the_demos_page_lists_the_newest_first_with_links_that_hold(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import re

    call(capsys, "demo", "--speed", "max", "--days", "24", "--out", tmp_path / "demo")
    outbox = tmp_path / "demo" / "outbox"
    links = re.findall(r'href="([^"]+)"', (outbox / "index.html").read_text(encoding="utf-8"))
    assert all((outbox / link).is_file() for link in links)
    assert links == sorted(links, key=lambda name: (name[:5], name.endswith("html")), reverse=True)


def test_once_ends_after_the_first_day_with_letters(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer = call(capsys, "demo", "--once", "--out", tmp_path / "demo")
    days = {line[:5] for line in answer.out.splitlines() if "【" in line}
    assert days == {"02-14"}


def test_an_interrupted_demo_says_where_the_letters_are(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from scheduler.cli import main; main()"]
    with subprocess.Popen(
        [*command, "demo", "--speed", "3600", "--out", str(tmp_path / "demo")],
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        page = tmp_path / "demo" / "outbox" / "index.html"
        process.stdout.readline()
        while not page.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert str(page) in out


@pytest.mark.parametrize("lines", [0, 1, 5, 12])
def test_a_demo_that_nobody_reads_any_more_ends_quietly(tmp_path: Path, lines: int) -> None:
    command = [sys.executable, "-c", "from scheduler.cli import main; main()"]
    with subprocess.Popen(
        [*command, "demo", "--speed", "0.01", "--out", str(tmp_path / "demo")],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(lines):
            assert process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(60) == 141
    assert said == ""


def test_a_speed_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "demo", "--speed", "fast")
    assert answer.code == 2
    assert "'fast' is neither seconds for a day nor 'max'" in answer.err


def test_send_test_shows_the_relays_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DUBAN_OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setenv("DUBAN_MAIL_FROM", "duban@edu.example")
    answer = call(capsys, "send-test", "caiwu@edu.example", "--json")
    assert answer.code == 0
    assert answer.json["outcome"] == "accepted"
    assert (tmp_path / "outbox" / answer.json["reply"]).is_file()


def test_send_test_names_a_template_that_no_letter_uses(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "reminder.txt").write_text("请报", encoding="utf-8")
    monkeypatch.setenv("DUBAN_OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setenv("DUBAN_MAIL_FROM", "duban@edu.example")
    monkeypatch.setenv("DUBAN_TEMPLATES", str(tmp_path))
    answer = call(capsys, "send-test", "caiwu@edu.example")
    assert answer.code == 1
    assert "move it to letters/reminder.txt" in answer.err


def test_send_test_says_what_to_mend_where_nobody_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBAN_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("DUBAN_SMTP_PORT", "1")
    monkeypatch.setenv("DUBAN_MAIL_FROM", "duban@edu.example")
    answer = call(capsys, "send-test", "caiwu@edu.example")
    assert answer.code == 1
    assert "check smtp_host and smtp_port" in answer.out


def test_send_test_without_a_relay_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = call(capsys, "send-test", "caiwu@edu.example", "--json")
    assert answer.code == 2
    assert "smtp_host" in answer.json["error"]


def test_run_refuses_a_plan_that_never_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "plan"
    folder.mkdir()
    small_plan.save(folder, small_plan.changed("sections: [财务科]", "sections: [财务课]"))
    monkeypatch.setenv("DUBAN_OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setenv("DUBAN_MAIL_FROM", "duban@edu.example")
    answer = call(capsys, "run", folder)
    assert answer.code == 1
    assert "plan.yaml:38:16" in answer.err
