"""An office's folder of templates: what no letter uses is told, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailroom.render import Speaker
from tests.mailroom.letters import office, problems


def told(folder: Path) -> list[str]:
    """What is said of the folder's files, each by its name below the folder."""
    return [
        str(one).replace(f"{folder}/", "").replace(str(folder), ".") for one in problems(folder)
    ]


def test_f32_a_folder_without_any_template_is_refused(tmp_path: Path) -> None:
    assert told(office(tmp_path)) == [
        ".:1:1: no letter's template is in this folder: put them into letters/, named as ours are, "
        "such as letters/reminder.txt"
    ]


def test_f32_a_misspelt_template_is_named_with_the_right_one(tmp_path: Path) -> None:
    assert told(office(tmp_path, reminder_subject="催报", remindr_txt="{% if %}")) == [
        "letters/remindr.txt:1:1: no letter uses this template "
        "(did you mean 'letters/reminder.txt'?)"
    ]


def test_f32_a_template_beside_the_folder_letters_is_told_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "reminder.txt").write_text("{% if %}", "utf-8")
    assert told(tmp_path) == [
        "reminder.txt:1:1: no letter uses a template here: move it to letters/reminder.txt"
    ]


def test_f32_a_misspelt_template_is_told_together_with_a_broken_one(tmp_path: Path) -> None:
    found = problems(office(tmp_path, reminder_txt="{% if %}", xyz_css=""))
    assert [Path(one.file).name for one in found] == ["xyz.css", "reminder.txt"]


@pytest.mark.parametrize("source", ["{% include 'letters/mine.txt' %}", '{# "letters/mine.txt" #}'])
def test_a_template_that_another_one_names_is_used(tmp_path: Path, source: str) -> None:
    Speaker(office(tmp_path, reminder_txt=source, mine_txt="请报"))


@pytest.mark.parametrize(
    "name", ["README.txt", "notes.md", "reminder.txt~", ".remindr.txt", "LICENSE"]
)
def test_files_that_are_no_templates_are_nobodys_business(tmp_path: Path, name: str) -> None:
    office(tmp_path, reminder_txt="请报")
    (tmp_path / name).write_text("", "utf-8")
    (tmp_path / "letters" / name).write_text("", "utf-8")
    Speaker(tmp_path)
