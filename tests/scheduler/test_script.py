"""The simulator's script: JSON lines, every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.script import ScriptError, Timed, read_script
from tests.support.ledgers import ZONE, at


def _read(folder: Path, *lines: str) -> list[Timed]:
    path = folder / "script.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_script(path, ZONE)


def _mistakes(folder: Path, *lines: str) -> list[str]:
    with pytest.raises(ScriptError) as caught:
        _read(folder, *lines)
    found = [str(problem) for problem in caught.value.problems]
    assert str(caught.value) == "\n".join(found)
    return found


def test_actions_come_in_the_order_of_time_whatever_the_order_of_lines(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        '{"at": "2023-03-02T09:00:00+08:00", "do": "daemon", "state": "up"}',
        '{"at": "2023-03-01T09:00:00+08:00", "do": "daemon", "state": "down"}',
    )
    assert [timed.action.state for timed in found] == ["down", "up"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2023-03-01", "2023-03-01 00:00"),
        ("2023-03-01 09:30", "2023-03-01 09:30"),
        ("2023-03-01T09:30:00", "2023-03-01 09:30"),
        ("2023-03-01T01:30:00Z", "2023-03-01 09:30"),
        ("2023-03-01T09:30:00+08:00", "2023-03-01 09:30"),
    ],
)
def test_an_hour_without_an_offset_is_of_the_plans_zone_and_a_day_begins_at_midnight(
    tmp_path: Path, written: str, meant: str
) -> None:
    (one,) = _read(tmp_path, f'{{"at": "{written}", "do": "smtp", "state": "up"}}')
    assert one.at == at(meant)
    assert one.at.tzinfo is not None


def test_empty_lines_comments_and_a_byte_order_mark_say_nothing(tmp_path: Path) -> None:
    assert _read(tmp_path, "\ufeff", "", "  # 演练", "   ") == []


def test_an_obligation_is_named_by_its_key_or_by_item_and_period(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        '{"at": "2023-03-01", "do": "submit", "key": "monthly/2023-03/财务科"}',
        '{"at": "2023-03-02", "do": "submit", "item": "monthly", "period": "2023-03"}',
        '{"at": "2023-03-03", "do": "accept", "item": "m", "period": "2023", "section": "财务科"}',
        '{"at": "2023-03-04", "do": "accept", "key": "monthly/2023-03"}',
    )
    assert [timed.action.named() for timed in found] == [
        ("monthly", "2023-03", "财务科"),
        ("monthly", "2023-03", None),
        ("m", "2023", "财务科"),
        ("monthly", "2023-03", None),
    ]


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    found = _mistakes(
        tmp_path,
        '{"at": "2023-03-01", "do": "smtp", "state": "up"}',
        "not json",
        '{"at": "2023-03-01", "do": "dance"}',
        '{"at": "2023-03-01", "do": "smtp"}',
        '{"at": "2023-03-01", "do": "submit", "item": "monthly"}',
        '{"at": "tomorrow", "do": "smtp", "state": "up"}',
        '{"at": "2023-03-01", "do": "smtp", "state": "up", "oops": 1}',
        '["a list"]',
    )
    assert [problem.split(":")[1] for problem in found] == ["2", "3", "4", "5", "6", "7", "8"]
    assert found[0].startswith("script.jsonl:2:1: not JSON: ")
    assert "'do'" in found[1]
    assert found[2] == "script.jsonl:4:1: 'smtp' needs 'state'"
    assert found[3] == "script.jsonl:5:1: 'submit' needs 'key', or 'item' and 'period'"
    assert "'at'" in found[4]
    assert "'oops'" in found[5]


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ('"do": "holder", "name": "毛伟雄"', "'post', 'email'"),
        ('"do": "daemon"', "'state'"),
        ('"do": "override", "key": "m/2023/财务科"', "'deadline'"),
    ],
)
def test_an_action_without_its_parts_is_refused(tmp_path: Path, line: str, needs: str) -> None:
    (found,) = _mistakes(tmp_path, f'{{"at": "2023-03-01", {line}}}')
    assert found.endswith(f"needs {needs}")


def test_an_override_may_reassign_instead_of_moving_the_deadline(tmp_path: Path) -> None:
    line = '{"at": "2023-03-01", "do": "override", "key": "m/2023/财务科", "reassign": "组织科"}'
    assert _read(tmp_path, line)[0].action.reassign == "组织科"


def test_a_bad_address_of_a_holder_is_refused_at_its_line(tmp_path: Path) -> None:
    line = '"do": "holder", "post": "局长", "name": "毛伟雄", "email": "a@b.example, c@d.example"'
    (found,) = _mistakes(tmp_path, "# 首行", f'{{"at": "2023-03-01", {line}}}')
    assert found.startswith("script.jsonl:2:1: 'email'")
