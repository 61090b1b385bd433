"""`duban agenda`: the contract's keys and the table."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from scheduler.cli.texts import TEXTS
from tests.support import small_plan
from tests.support.commands import QUANZHOU, ROOT, call

EXPECTED = ROOT / "tests" / "expected" / "quanzhou-2023.tsv"


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")


def agenda(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, Any]]:
    answer = call(capsys, "agenda", *arguments, "--json")
    assert answer.code == 0
    assert answer.err == ""
    found: list[dict[str, Any]] = answer.json
    return found


def test_the_real_year_is_the_one_worked_out_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    found = agenda(capsys, QUANZHOU, "--from", "2023-01-01", "--to", "2023-12-31")
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in found:
        groups[one["key"].rpartition("/")[0]].append(one)
    with EXPECTED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert set(groups) == {row["key"] for row in rows}
    for row in rows:
        mine = groups[row["key"]]
        assert len(mine) == int(row["sections"])
        assert {o["nominal"] for o in mine} == {row["nominal"]}
        assert {o["deadline"] for o in mine} == {row["deadline"]}
        days = [r["at"][:10] for r in mine[0]["rungs"]]
        fixed = ("blue", "yellow", "today", "red_leader", "red_head")
        assert days[:5] == [row[name] for name in fixed]


def test_an_obligation_has_the_keys_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--from", "2023-06-01", "--to", "2023-06-30", "--section", "财务科")
    found = agenda(capsys, QUANZHOU, *arguments)
    one = next(o for o in found if o["item"] == "monthly")
    assert set(one) == {
        "key",
        "kind",
        "item",
        "title",
        "period",
        "section",
        "leaders",
        "nominal",
        "deadline",
        "provisional",
        "exempt",
        "to_confirm",
        "rungs",
        "source",
    }
    assert one["key"] == "monthly/2023-06/财务科"
    assert one["leaders"] == ["郑建聪"]
    assert one["deadline"] == "2023-06-25T17:30:00+08:00"
    assert one["source"].startswith("plan.yaml:")
    assert one["rungs"][3] == {
        "at": "2023-06-26T09:00:00+08:00",
        "light": "red",
        "audience": ["section", "leader"],
    }


def test_repeated_rungs_go_on_to_the_end_of_the_last_day(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small_plan.save(tmp_path)
    ends = ("2023-03-07", "2023-03-08")
    rungs = [
        agenda(capsys, tmp_path, "--from", "2023-02-01", "--to", end, "--section", "财务科")[0][
            "rungs"
        ]
        for end in ends
    ]
    assert [len(r) for r in rungs] == [5, 6]
    assert rungs[1][-1]["at"] == "2023-03-08T09:00:00+08:00"


def test_what_is_exempt_has_no_rungs_and_its_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    exempt = small_plan.OVERRIDES.replace("deadline: 2023-03-28", "exempt: true")
    small_plan.save(tmp_path, overrides=exempt)
    found = agenda(capsys, tmp_path, "--from", "2023-03-01", "--to", "2023-03-31")
    one = next(o for o in found if o["item"] == "special")
    assert one["exempt"] == "会议冲突"
    assert one["rungs"] == []


def test_a_section_goes_by_its_alias_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small_plan.save(tmp_path)
    found = agenda(
        capsys, tmp_path, "--from", "2023-03-01", "--to", "2023-03-31", "--section", "初教科室"
    )
    assert [o["section"] for o in found] == ["初幼教科"]


def test_an_unknown_section_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = call(capsys, "agenda", QUANZHOU, "--section", "财务课", "--json")
    assert answer.code == 2
    assert answer.json == {"error": "没有名为“财务课”的科室（是否为“财务科”？）"}


def test_one_end_alone_means_its_month(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    small_plan.save(tmp_path)
    first = agenda(capsys, tmp_path, "--from", "2023-03-24")
    last = agenda(capsys, tmp_path, "--to", "2023-03-24")
    assert {o["item"] for o in first} == {"monthly", "special"}
    assert {o["key"] for o in last} == {o["key"] for o in first}


def test_days_in_the_wrong_order_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "agenda", QUANZHOU, "--from", "2023-03-02", "--to", "2023-03-01")
    assert answer.code == 2


def test_the_table_has_a_row_for_each_thing_not_for_each_section(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = call(capsys, "agenda", QUANZHOU, "--from", "2023-03-01", "--to", "2023-03-24")
    rows = answer.out.splitlines()
    assert rows[0].split() == [
        TEXTS[f"col.{n}"][1] for n in ("deadline", "id", "item", "sections", "rungs")
    ]
    assert " ".join(rows[1].split()) == "3-24 周五 17:30 monthly 月报 19个科室 3-17 22 24 27 29 …"
    assert rows[2].split()[3] == "special"
    assert len(rows) == 5


def test_the_columns_line_up_where_characters_are_wide(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("agenda", QUANZHOU, "--from", "2023-03-01", "--to", "2023-03-31")
    rows = call(capsys, *arguments).out.splitlines()
    starts = {cell_len(row[: row.index(" 3-17 ")]) for row in rows if " 3-17 " in row}
    assert len(starts) == 1
