"""The real plan's year against the tables in `tests/expected`, worked out without duban."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, datetime, time
from functools import cache
from pathlib import Path

import pytest

from config.model import Audience, Light
from duban.bureau import Bureau
from duban.deadlines import Obligation, agenda
from tests.support.plans import real_plan

EXPECTED = Path(__file__).parents[1] / "expected"
SECTION = (Audience.SECTION,)
LED = (Audience.SECTION, Audience.LEADER)
HEADED = (Audience.SECTION, Audience.LEADER, Audience.HEAD)
COLUMNS = {
    "blue": (Light.BLUE, SECTION),
    "yellow": (Light.YELLOW, SECTION),
    "today": (Light.YELLOW, SECTION),
    "red_leader": (Light.RED, LED),
    "red_head": (Light.RED, HEADED),
    "red_again": (Light.RED, HEADED),
}


def table(name: str) -> list[dict[str, str]]:
    with (EXPECTED / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


YEAR = table("quanzhou-2023.tsv")
YEARLY = table("yearly-2024-2027.tsv")


@cache
def bureau() -> Bureau:
    return Bureau(real_plan())


@cache
def obligations() -> dict[str, list[Obligation]]:
    """The agenda of 2023 to 2027 by `ITEM/PERIOD`."""
    found: dict[str, list[Obligation]] = {}
    for one in agenda(bureau().plan, bureau().calendar, date(2023, 1, 1), date(2027, 12, 31)):
        found.setdefault(one.key.rpartition("/")[0], []).append(one)
    return found


def key(row: dict[str, str]) -> str:
    return row["key"]


def test_the_agenda_of_2023_is_the_table_and_nothing_else() -> None:
    found = agenda(bureau().plan, bureau().calendar, date(2023, 1, 1), date(2023, 12, 31))
    owed = Counter(one.key.rpartition("/")[0] for one in found)
    assert owed == {row["key"]: int(row["sections"]) for row in YEAR}


def test_the_agenda_of_2024_to_2027_is_the_table_and_nothing_else() -> None:
    found = agenda(bureau().plan, bureau().calendar, date(2024, 1, 1), date(2027, 12, 31))
    owed = Counter(one.key.rpartition("/")[0] for one in found)
    assert owed == {row["key"]: int(row["sections"]) for row in YEARLY}


@pytest.mark.parametrize("row", YEAR + YEARLY, ids=key)
def test_each_deadline_is_the_one_worked_out_by_hand(row: dict[str, str]) -> None:
    found = {(o.nominal.isoformat(), o.deadline.isoformat()) for o in obligations()[row["key"]]}
    assert found == {(row["nominal"], row["deadline"])}


@pytest.mark.parametrize("row", YEAR + YEARLY, ids=key)
def test_each_rung_comes_on_the_day_worked_out_by_hand(row: dict[str, str]) -> None:
    until = datetime.combine(date.fromisoformat(row["red_again"]), time(23), bureau().plan.zone)
    expected = [(f"{row[name]}T09:00:00+08:00", *what) for name, what in COLUMNS.items()]
    for one in obligations()[row["key"]]:
        steps = bureau().ladder(one.item.id, one.deadline, until)
        assert [(s.at.isoformat(), s.light, s.audience) for s in steps] == expected


@pytest.mark.parametrize("row", YEARLY, ids=key)
def test_only_a_year_without_a_notice_is_provisional(row: dict[str, str]) -> None:
    found = {o.provisional for o in obligations()[row["key"]]}
    assert found == {row["provisional"] == "yes"}


def test_nothing_of_2023_is_provisional() -> None:
    assert not any(one.provisional for row in YEAR for one in obligations()[row["key"]])


def test_the_first_reminder_of_an_obligation_is_its_blue_rung() -> None:
    for row in YEAR:
        one = obligations()[row["key"]][0]
        first = bureau().first_step(one.item, one.deadline)
        assert first.date().isoformat() == row["blue"]


def test_every_key_of_the_year_stands_only_once() -> None:
    keys = [one.key for found in obligations().values() for one in found]
    assert len(keys) == len(set(keys))


def test_the_two_leads_of_project_four_are_paired_with_their_sections() -> None:
    posts = {
        one.section: [bureau().plan.official(p).holders[0].name for p in one.posts]
        for one in obligations()["m04-07/2023-04"]
    }
    assert posts == {"督导科": ["徐昌裕"], "职成教科": ["毛伟雄"]}
