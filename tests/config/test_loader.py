"""A folder becomes a plan, or a list of everything that is wrong with it, each at its place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.loader import load_plan
from config.problems import Problem
from tests.support.small_plan import OVERRIDES, PLAN, changed, errors, load, others, save

ROOT = Path(__file__).parents[2]


def test_a_sound_plan_loads_without_a_problem(tmp_path: Path) -> None:
    loaded = load(tmp_path, PLAN, OVERRIDES)
    assert loaded.problems == ()
    assert loaded.plan is not None
    assert loaded.plan.id == "demo-2023"


def test_each_entry_knows_where_it_is_stated(tmp_path: Path) -> None:
    plan = load(tmp_path, PLAN, OVERRIDES).plan
    assert plan is not None
    entries = (plan.about, plan.file.officials[1], plan.section("财务科"), *plan.items.values())
    assert [e.origin for e in (*entries, *plan.overrides)] == [
        "plan.yaml:2",
        "plan.yaml:13",
        "plan.yaml:26",
        "plan.yaml:30",
        "plan.yaml:35",
        "plan.yaml:40",
        "plan.yaml:46",
        "overrides.yaml:2",
    ]


def test_quoted_values_mean_the_same_as_plain_ones(tmp_path: Path) -> None:
    text = changed("{monthly: 25}", "{monthly: '25'}", changed("2023-02-01", '"2023-02-01"'))
    quoted = load(tmp_path, text).plan
    plain = load(tmp_path).plan
    assert quoted is not None
    assert plain is not None
    assert quoted.file == plain.file


def test_the_digest_follows_every_byte_of_every_file(tmp_path: Path) -> None:
    first = load(tmp_path, PLAN, OVERRIDES).plan
    again = load(tmp_path, PLAN, OVERRIDES).plan
    noted = load(tmp_path, PLAN, OVERRIDES + "# note\n").plan
    assert first is not None
    assert again is not None
    assert noted is not None
    assert first.digest == again.digest != noted.digest


def test_lists_that_are_left_empty_are_empty(tmp_path: Path) -> None:
    assert load(tmp_path, PLAN + "ladders:\n", "overrides:\n  # none yet\n").plan is not None


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("", ["plan.yaml:1:1: the file is empty"]),
        ("# none\n", ["plan.yaml:1:1: the file is empty"]),
        ("甲\n", ["plan.yaml:1:1: plan.yaml must hold keys with their values, such as 'plan:'"]),
        ("\n- a\n", ["plan.yaml:2:1: plan.yaml must hold keys with their values, such as 'plan:'"]),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, plan: str, expected: list[str]) -> None:
    assert errors(load(tmp_path, plan)) == expected


def test_a_folder_without_a_plan_is_refused(tmp_path: Path) -> None:
    assert errors(load_plan(tmp_path)) == [
        f"plan.yaml:1:1: there is no plan.yaml in {str(tmp_path)!r}"
    ]


def test_a_plan_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").mkdir()
    assert errors(load_plan(tmp_path)) == ["plan.yaml:1:1: the file cannot be read: Is a directory"]


@pytest.mark.parametrize("name", ["plan.yaml", "overrides.yaml", "holidays/2023.txt"])
def test_f27_a_pipe_is_refused_and_nobody_waits_for_its_writer(tmp_path: Path, name: str) -> None:
    """A daemon that opens a pipe would stand still until somebody writes into it."""
    save(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    said = f"{name}:1:1: the file cannot be read: it is no file, but a pipe or a device"
    # whoever waits all the same is let go in the end
    writer = threading.Timer(5, lambda: (tmp_path / name).write_bytes(b""))
    writer.start()
    assert said in errors(load_plan(tmp_path))
    assert writer.is_alive()
    writer.cancel()


def test_f27_a_device_without_an_end_is_refused(tmp_path: Path) -> None:
    """It would fill the memory."""
    (tmp_path / "plan.yaml").symlink_to("/dev/zero")
    said = "plan.yaml:1:1: the file cannot be read: it is no file, but a pipe or a device"
    assert errors(load_plan(tmp_path)) == [said]


def test_f27_of_a_file_without_measure_no_more_is_read_than_shows_it(tmp_path: Path) -> None:
    """A file of a gigabyte, most of it a hole, is refused for its size without being read."""
    with (tmp_path / "plan.yaml").open("wb") as file:
        file.truncate(2**30)
    tracemalloc.start()
    said = errors(load_plan(tmp_path))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said == ["plan.yaml:1:1: the file is too big: at most 5 MB are read"]
    assert most < 20_000_000


def test_a_file_beside_the_notices_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays" / "说明.txt").write_text("x", encoding="utf-8")
    loaded = load(tmp_path)
    assert loaded.plan is not None
    assert others(loaded, "warning") == [
        "holidays/说明.txt:1:1: not read: the file of a year's notice is named like 2024.txt"
    ]


def test_a_bad_notice_refuses_the_plan(tmp_path: Path) -> None:
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays" / "2024.txt").write_text("一、元旦：1月1日（周二）放假。\n", "utf-8")
    loaded = load(tmp_path)
    assert loaded.plan is None
    assert {p.file for p in loaded.problems} == {"holidays/2024.txt"}


def test_a_notice_is_read(tmp_path: Path) -> None:
    (tmp_path / "holidays").mkdir()
    source = ROOT / "config" / "quanzhou-2023" / "holidays" / "2023.txt"
    (tmp_path / "holidays" / "2023.txt").write_bytes(source.read_bytes())
    loaded = load(tmp_path)
    assert loaded.problems == ()
    assert loaded.plan is not None
    assert set(loaded.plan.notices) == {2023}


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    text = changed("title: 年度重点工作", "titel: 年度重点工作")
    text = changed("{monthly: 25}", "{monthly: 40}", text)
    text = changed("leader: 陈军宣", "leader: 陈军轩", text)
    text = changed("project: p01", "project: p09", text)
    text = changed("section: 财务科}", "section: 财物科}", text)
    overrides = changed("item: special", "item: specal", OVERRIDES)
    assert errors(load(tmp_path, text, overrides)) == [
        "overrides.yaml:2:11: unknown item 'specal' (did you mean 'special'?)",
        "plan.yaml:3:3: unknown key 'titel' (did you mean 'title'?)",
        "plan.yaml:25:13: unknown official '陈军轩' (did you mean '陈军宣'?)",
        "plan.yaml:32:20: 'monthly' is a day from 1 to 31, or 'last'",
        "plan.yaml:44:14: unknown project 'p09' (did you mean 'p01'?)",
        "plan.yaml:49:34: unknown section '财物科' (did you mean '财务科'?)",
    ]


def test_mistakes_of_form_and_of_meaning_are_reported_together(tmp_path: Path) -> None:
    text = changed("title: 年度重点工作", "title：年度重点工作")
    text = changed("leader: 陈军宣", "leader: 陈军轩", text)
    assert errors(load(tmp_path, text)) == [
        "plan.yaml:3:8: a full-width colon '：' after 'title'; type ':' and a space",
        "plan.yaml:25:13: unknown official '陈军轩' (did you mean '陈军宣'?)",
    ]


def test_an_entry_with_a_mistake_is_still_known_by_its_name(tmp_path: Path) -> None:
    text = changed("email: chuyou@edu.example", "emial: chuyou@edu.example")
    text = changed("sections: [财务科]", "sections: [初教科室]", text)
    assert errors(load(tmp_path, text)) == [
        "plan.yaml:24:5: unknown key 'emial' (did you mean 'email'?)"
    ]


def test_a_bad_overrides_file_refuses_the_plan(tmp_path: Path) -> None:
    assert errors(load(tmp_path, PLAN, "overrides: [\n")) == [
        "overrides.yaml:1:12: the '[' is never closed with ']'"
    ]


def test_f33_a_plan_in_gb18030_loads_with_a_warning(tmp_path: Path) -> None:
    loaded = load(tmp_path, PLAN.encode("gb18030"))
    assert loaded.plan is not None
    assert loaded.plan.about.organization == "某市教育局"
    assert others(loaded, "warning") == [
        "plan.yaml:1:1: the file is in GB18030 (GBK); it was read, but save it as UTF-8"
    ]


def test_f33_a_plan_in_utf16_is_named(tmp_path: Path) -> None:
    assert errors(load(tmp_path, PLAN.encode("utf-16"))) == [
        "plan.yaml:1:1: the file is in UTF-16; save it as UTF-8"
    ]


def test_the_real_plan_has_no_errors_and_notes_to_confirm() -> None:
    loaded = load_plan(ROOT / "config" / "quanzhou-2023")
    assert errors(loaded) == []
    assert loaded.plan is not None
    assert len(loaded.plan.items) == 64
    assert {p.severity for p in loaded.problems} == {"confirm"}


def test_loading_imports_none_of_the_heavy_layers() -> None:
    heavy = "{'sqlalchemy', 'jinja2', 'aiosmtplib', 'chinese_calendar', 'difflib', 'duban'}"
    code = f"import sys, config.loader; sys.exit(bool(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0


REAL = (ROOT / "config" / "quanzhou-2023" / "plan.yaml").read_text(encoding="utf-8")
CHARACTERS = " \t:：,，-[]{}'\"#&*!|>%@~\n\r\\x0中\u3000\u2028\ufeff\x00"


def _inside(problem: Problem, text: str) -> bool:
    lines = re.split(r"\r\n|\r|\n", text)
    return 1 <= problem.line <= len(lines) and (
        1 <= problem.column <= len(lines[problem.line - 1]) + 1
    )


def _check(folder: Path, text: str) -> None:
    loaded = load(folder, text)
    errors(loaded)
    assert all(_inside(p, text) for p in loaded.problems if p.file == "plan.yaml")


MUTATED = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MUTATED
@given(st.data())
def test_f27_no_lost_lines_half_load_a_plan(tmp_path: Path, data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([PLAN, REAL])).splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        del lines[data.draw(st.integers(0, len(lines) - 1))]
    _check(tmp_path, "".join(lines))


@MUTATED
@given(st.data())
def test_f27_no_mistyped_characters_half_load_a_plan(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([PLAN, REAL]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        typed = data.draw(st.text(CHARACTERS, max_size=2))
        text = text[:at] + typed + text[at + data.draw(st.integers(0, 2)) :]
    _check(tmp_path, text)


@MUTATED
@given(st.data())
def test_f27_no_changed_indentation_half_loads_a_plan(tmp_path: Path, data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([PLAN, REAL])).splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        indent = data.draw(st.sampled_from(["", " ", "   ", "\t", "        ", "　", "- "]))
        lines[at] = indent + lines[at].lstrip(" ")
    _check(tmp_path, "".join(lines))


@MUTATED
@given(st.data())
def test_f27_no_odd_value_half_loads_a_plan(tmp_path: Path, data: st.DataObject) -> None:
    values = list(re.finditer(r"(?<=: )[^\n\[{]+(?=\n)", PLAN))
    text = PLAN
    for match in sorted(
        data.draw(st.lists(st.sampled_from(values), max_size=3, unique=True)),
        key=lambda m: -m.start(),
    ):
        odd = data.draw(
            st.sampled_from(["", "~", "[]", "{}", "[[]]", "{a: b}", "-1", "9" * 50, "x", "2023-02"])
            | st.text(st.characters(categories=("L", "N")), max_size=9)
        )
        text = text[: match.start()] + odd + text[match.end() :]
    save(tmp_path, text)
    _check(tmp_path, text)


@MUTATED
@given(st.data())
def test_f27_no_broken_overrides_half_load_a_plan(tmp_path: Path, data: st.DataObject) -> None:
    text = OVERRIDES
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text) - 1))
        typed = data.draw(st.text(CHARACTERS, max_size=2))
        text = text[:at] + typed + text[at + data.draw(st.integers(0, 2)) :]
    loaded = load(tmp_path, PLAN, text)
    errors(loaded)
    assert all(_inside(p, text) for p in loaded.problems)
