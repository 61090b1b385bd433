"""Decisions written into overrides.yaml: all else stays as the office wrote it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import load_plan
from config.splice import Entry, OverrideRefusedError, add_override, write_override
from config.yamltext import read_text
from tests.support.small_plan import OVERRIDES, PLAN, save

ENTRY: Entry = {
    "item": "monthly",
    "period": "2023-05",
    "section": "财务科",
    "exempt": True,
    "reason": "撤并",
}
WRITTEN = """\
  - item: monthly
    period: 2023-05
    section: 财务科
    exempt: true
    reason: 撤并
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "overrides:\n" + WRITTEN),
        ("# 说明\n", "# 说明\noverrides:\n" + WRITTEN),
        ("# 说明", "# 说明\noverrides:\n" + WRITTEN),
        ("overrides:\n", "overrides:\n" + WRITTEN),
        ("overrides:", "overrides:\n" + WRITTEN),
        ("overrides: ~\n# 末\n", "overrides:\n" + WRITTEN + "# 末\n"),
        ("overrides: []\n# 末\n", "overrides:\n" + WRITTEN + "# 末\n"),
        ("overrides: [] # 空\n", "overrides:  # 空\n" + WRITTEN),
    ],
)
def test_the_first_decision_goes_into_any_empty_file(text: str, expected: str) -> None:
    assert add_override(text, ENTRY) == expected


def test_a_decision_is_added_behind_the_last_with_its_indentation() -> None:
    text = (
        "# 头\noverrides:\n- item: a # 甲\n  period: 2023\n  exempt: yes\n  reason: x # 乙\n# 尾\n"
    )
    dedented = "".join(line[2:] for line in WRITTEN.splitlines(keepends=True))
    assert add_override(text, ENTRY) == text.replace("# 尾\n", dedented + "# 尾\n")


def test_windows_line_ends_stay() -> None:
    text = OVERRIDES.replace("\n", "\r\n")
    assert add_override(text, ENTRY) == text + WRITTEN.replace("\n", "\r\n")


def test_a_list_in_brackets_gets_its_entry_within_them() -> None:
    text = "overrides: [{item: a, period: 2023, exempt: true, reason: x}] # 注\n"
    added = ", {item: monthly, period: 2023-05, section: 财务科, exempt: true, reason: 撤并}]"
    assert add_override(text, ENTRY) == text.replace("]", added)


def test_an_entry_behind_a_text_of_several_lines_stands_on_its_own() -> None:
    text = "overrides:\n  - item: a\n    period: 2023\n    exempt: true\n    reason: |\n      x\n"
    assert add_override(text, ENTRY) == text + WRITTEN


OLD = """\
overrides:
  # 一
  - item: special
    period: 2023-03   # 三月
    section: 财务科
    deadline: 2023-03-27   # 原定
    reason: 会议
    by: 刘
  # 二
  - {item: a, period: 2023, exempt: true, reason: x}
"""
NEW: Entry = {
    "item": "special",
    "period": "2023-03",
    "section": "财务科",
    "deadline": "2023-03-29 12:00",
    "reason": "再延",
    "by": "刘",
}


def test_a_repeated_decision_replaces_only_what_changes() -> None:
    expected = OLD.replace("2023-03-27 ", "2023-03-29 12:00 ").replace("会议", "再延")
    assert add_override(OLD, NEW) == expected


def test_a_key_that_is_no_longer_given_goes_with_its_line() -> None:
    new = {k: v for k, v in NEW.items() if k != "by"}
    expected = OLD.replace("2023-03-27 ", "2023-03-29 12:00 ").replace("会议", "再延")
    assert add_override(OLD, new) == expected.replace("    by: 刘\n", "")


def test_a_key_that_is_new_is_added() -> None:
    text = OLD.replace("    by: 刘\n", "")
    assert "    reason: 再延\n    by: 刘\n  # 二\n" in add_override(text, NEW)


@pytest.mark.parametrize("by", [True, False])
def test_an_entry_in_braces_is_changed_within_them(by: bool) -> None:
    text = (
        "overrides:\n  - {by: 甲, item: special, period: 2023-03, section: 财务科, "
        "deadline: 2023-03-27, reason: 会议} # 注\n"
    )
    new = NEW if by else {k: v for k, v in NEW.items() if k != "by"}
    result = add_override(text, new)
    assert result.endswith("reason: 再延} # 注\n")
    assert ("by: 刘" in result) is by


def test_another_kind_of_decision_is_added_not_replaced() -> None:
    new = {"exempt": True, **{k: v for k, v in NEW.items() if k != "deadline"}}
    assert add_override(OLD, new).startswith(OLD)


@pytest.mark.parametrize(
    ("reason", "written"),
    [
        ("冲突：改期", "冲突：改期"),
        ("冲突: 改期", "'冲突: 改期'"),
        ("第1 #2", "'第1 #2'"),
        ("“引”", "“引”"),
        ("'引'", "'''引'''"),
        ("- 甲", "'- 甲'"),
        ("~", "'~'"),
        ("@办公室", "'@办公室'"),
        ("甲, 乙", "甲, 乙"),
    ],
)
def test_a_text_is_quoted_only_where_yaml_needs_it(reason: str, written: str) -> None:
    assert f"    reason: {written}\n" in add_override(OVERRIDES, {**ENTRY, "reason": reason})


@pytest.mark.parametrize("reason", ["甲\n乙", "甲\r乙", "甲\x00", "甲\u2028乙"])
def test_a_text_of_more_than_one_line_is_refused(reason: str) -> None:
    with pytest.raises(ValueError, match="must be one line"):
        add_override(OVERRIDES, {**ENTRY, "reason": reason})


def test_a_broken_file_is_refused_with_its_problems() -> None:
    with pytest.raises(OverrideRefusedError) as raised:
        add_override("overrides:\n  - item： x\n    period: 2023\n", ENTRY)
    assert [str(p)[:20] for p in raised.value.problems] == ["overrides.yaml:2:9: "]


@pytest.mark.parametrize("text", ["甲\n", "overrides: 甲\n", "overrides: [甲]\n"])
def test_a_file_that_holds_no_decisions_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="overrides"):
        add_override(text, ENTRY)


def test_a_comment_behind_a_key_that_goes_stays() -> None:
    new = {k: v for k, v in NEW.items() if k != "by"}
    result = add_override(OLD.replace("by: 刘", "by: 刘   # 签字"), new)
    assert "    reason: 再延\n       # 签字\n  # 二\n" in result


def test_a_text_of_several_lines_is_replaced_whole() -> None:
    text = OLD.replace("reason: 会议", "reason: >-\n      甲\n      乙")
    expected = OLD.replace("2023-03-27 ", "2023-03-29 12:00 ").replace("会议", "再延")
    assert add_override(text, NEW) == expected


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match="an override has no key 'resaon'"):
        add_override("", {**ENTRY, "resaon": "x"})


printable = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)


@given(st.lists(printable.filter(str.isprintable), min_size=1, max_size=4, unique=True))
def test_any_text_of_one_line_comes_back_as_it_is(reasons: list[str]) -> None:
    text = OVERRIDES
    for number, reason in enumerate(reasons):
        text = add_override(text, {**ENTRY, "period": f"2023-{number + 1:02}", "reason": reason})
    document, problems = read_text(text, "f")
    assert problems == []
    assert document is not None
    assert [e["reason"] for e in document.value["overrides"][1:]] == reasons


def test_a_decision_is_written_and_loads(tmp_path: Path) -> None:
    save(tmp_path, PLAN, OVERRIDES)
    write_override(tmp_path, ENTRY)
    plan = load_plan(tmp_path).plan
    assert plan is not None
    assert [(o.item, o.exempt) for o in plan.overrides] == [("special", False), ("monthly", True)]


def test_the_first_decision_makes_the_file(tmp_path: Path) -> None:
    write_override(save(tmp_path), ENTRY)
    assert (tmp_path / "overrides.yaml").read_text("utf-8") == "overrides:\n" + WRITTEN


def test_f27_a_decision_that_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    save(tmp_path, PLAN, OVERRIDES)
    with pytest.raises(OverrideRefusedError) as raised:
        write_override(tmp_path, {**ENTRY, "section": "财物科"})
    assert [str(p) for p in raised.value.problems] == [
        "overrides.yaml:9:14: unknown section '财物科' (did you mean '财务科'?)"
    ]
    assert (tmp_path / "overrides.yaml").read_text("utf-8") == OVERRIDES
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".overrides.lock",
        "overrides.yaml",
        "plan.yaml",
    ]


def test_the_file_keeps_its_mode_and_its_byte_order_mark(tmp_path: Path) -> None:
    file = save(tmp_path, PLAN, b"\xef\xbb\xbf" + OVERRIDES.encode()) / "overrides.yaml"
    file.chmod(0o640)
    write_override(tmp_path, ENTRY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.read_bytes() == b"\xef\xbb\xbf" + (OVERRIDES + WRITTEN).encode()


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(OVERRIDES, "utf-8")
    save(tmp_path)
    (tmp_path / "overrides.yaml").symlink_to(elsewhere)
    write_override(tmp_path, ENTRY)
    assert (tmp_path / "overrides.yaml").is_symlink()
    assert elsewhere.read_text("utf-8") == OVERRIDES + WRITTEN


def test_a_crash_before_the_replacement_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, PLAN, OVERRIDES)

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_override(tmp_path, ENTRY)
    assert (tmp_path / "overrides.yaml").read_text("utf-8") == OVERRIDES
    assert not list(tmp_path.glob("*.tmp"))


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    save(tmp_path, PLAN)
    months = [f"2023-{n:02}" for n in range(2, 13)]
    threads = [
        threading.Thread(target=write_override, args=(tmp_path, {**ENTRY, "period": month}))
        for month in months
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plan = load_plan(tmp_path).plan
    assert plan is not None
    assert sorted(o.period for o in plan.overrides) == months
