"""The command line's manners: help in two languages, mistakes, exit codes, pipes."""

from __future__ import annotations

import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from mailroom.lines import columns
from scheduler.cli.root import COMMANDS, duban
from scheduler.cli.texts import TEXTS
from tests.support.commands import QUANZHOU, ROOT, call, environment, spawn


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def commands() -> Iterator[click.Command]:
    context = click.Context(duban)
    for name in COMMANDS:
        command = duban.get_command(context, name)
        assert command is not None, name
        yield command
        yield from getattr(command, "commands", {}).values()


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_exists_in_both_languages_with_the_same_values(name: str) -> None:
    english, chinese = TEXTS[name]
    fields = [{f for _, f, _, _ in string.Formatter().parse(t) if f} for t in (english, chinese)]
    assert english.strip()
    assert chinese.strip()
    assert english.isascii() or "–" in english or "财务科" in english or "退回" in english
    assert fields[0] == fields[1]


def test_every_help_text_comes_from_the_catalogue() -> None:
    known = {text for pair in TEXTS.values() for text in pair}
    for command in commands():
        assert command.help in known, command.name
        assert command.short_help in known, command.name
        options = [p for p in command.params if isinstance(p, click.Option)]
        assert {o.help for o in options} <= known, command.name


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_chinese_help_is_chinese_and_fits_80_columns(name: str) -> None:
    answer = spawn(*filter(None, [name]), "--help", variables={"LC_ALL": "zh_CN.UTF-8"})
    assert answer.code == 0
    assert answer.out.startswith("用法:")
    assert "Options" not in answer.out
    wide = [line for line in answer.out.splitlines() if columns(line) > 80]
    assert wide == []


@pytest.mark.parametrize(
    ("variables", "greeting"),
    [
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}, "用法:"),
        ({"LC_ALL": "", "LC_MESSAGES": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "Usage:"),
        ({"LC_ALL": "zh_TW.UTF-8", "LC_MESSAGES": "C", "LANG": "C"}, "用法:"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": ""}, "Usage:"),
    ],
)
def test_the_first_locale_variable_that_is_set_decides(
    variables: dict[str, str], greeting: str
) -> None:
    assert spawn("--help", variables=variables).out.startswith(greeting)


def test_an_unknown_command_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = call(capsys, "chekc")
    assert answer.code == 2
    assert answer.out == ""
    assert "there is no command 'chekc' (did you mean 'check'?)" in answer.err


def test_a_wrong_call_with_json_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "agenda", QUANZHOU, "--from", "2023-3-1", "--json")
    assert answer.code == 2
    assert "'2023-3-1' is not a date like 2023-03-25" in answer.json["error"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "错误：缺少 'PLAN'"),
        (["check", "--jsn", QUANZHOU], "错误：没有 --jsn 这个选项（是否为“--json”？）"),
        (["check", "nowhere"], "错误：'PLAN'：没有“nowhere”这个文件夹"),
    ],
)
def test_mistakes_are_told_in_the_users_language(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[object],
    said: str,
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    answer = call(capsys, *arguments)
    assert answer.code == 2
    assert answer.err.splitlines()[-1] == said


def test_an_unknown_folder_is_answered_with_the_plan_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = call(capsys, "check", QUANZHOU.parent / "quanzhou")
    assert answer.code == 2
    assert "did you mean 'quanzhou-2023'?" in answer.err


def test_a_pipe_that_is_closed_early_is_no_news() -> None:
    command = [sys.executable, "-c", "from scheduler.cli import main; main()"]
    options = ["agenda", str(QUANZHOU), "--from", "2023-01-01", "--to", "2023-12-31", "--json"]
    with subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_an_interrupt_ends_with_130_and_without_a_traceback() -> None:
    code = (
        "import config.loader\n"
        "def interrupted(*a, **k): raise KeyboardInterrupt\n"
        "config.loader.load_plan = interrupted\n"
        "from scheduler.cli import main; main()"
    )
    answer = spawn("check", QUANZHOU, code=code)
    assert answer.code == 130
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(
    capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    answer = call(capsys, "completion", shell)
    assert answer.code == 0
    assert "_DUBAN_COMPLETE" in answer.out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("mon", ["monthly/"]),
        ("monthly/2023-0", [f"monthly/2023-0{month}/" for month in range(2, 10)]),
        ("monthly/2023-06/财", ["monthly/2023-06/财务科"]),
        ("nothing/", []),
    ],
)
def test_a_key_is_completed_part_by_part(typed: str, offered: list[str]) -> None:
    completion = ShellComplete(duban, {}, "duban", "_DUBAN_COMPLETE")
    found = completion.get_completions(["explain", "--plan", str(QUANZHOU)], typed)
    assert [item.value for item in found] == offered


def test_without_a_plan_no_key_is_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    completion = ShellComplete(duban, {}, "duban", "_DUBAN_COMPLETE")
    assert completion.get_completions(["explain"], "mon") == []


def test_the_shell_completes_the_folders_of_plans_itself() -> None:
    completion = ShellComplete(duban, {}, "duban", "_DUBAN_COMPLETE")
    (item,) = completion.get_completions(["check"], "conf")
    assert item.type == "dir"


def test_a_plan_file_is_taken_for_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "check", QUANZHOU / "plan.yaml").code == 0


def test_a_folder_without_a_plan_is_answered_with_the_way_to_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer = call(capsys, "check", tmp_path)
    assert answer.code == 2
    assert "'duban init DIR' makes a first plan" in answer.err
