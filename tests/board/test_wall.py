"""The wall: a year of all sections, each state with its colour and its sign."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import event as listening
from starlette.testclient import TestClient

from tests.support.ledgers import everybodys_report
from tests.support.pages import MakePages, Pages
from tests.support.plans import plan_of, real_plan, rule

_CELL = re.compile(r'<a href="([^"]+)" aria-label="(\w+?)3月：([^"]+)"[^>]*>(.*?)</a>')
_MARK = re.compile(r'class="mark (\w+)">([^<]+)<')


def march(browser: TestClient) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """What each section's cell of March 2023 says aloud, and its coloured signs."""
    answer = browser.get("/wall?year=2023")
    assert answer.status_code == 200
    found = _CELL.findall(answer.text)
    return {section: (said, _MARK.findall(inside)) for _, section, said, inside in found}


def cell(browser: TestClient, section: str, month: int = 3) -> Any:
    """The page of a cell."""
    return browser.get(f"/wall/cell?plan=demo&year=2023&section={quote(section)}&month={month}")


@pytest.mark.parametrize(
    ("when", "said", "colour", "sign"),
    [
        ("03-17 08:59", "未到期1项", "plain", "未"),
        ("03-17 09:00", "临近1项", "blue", "近"),
        ("03-22 09:00", "即将到期1项", "yellow", "急"),
        ("03-24 17:30", "即将到期1项", "yellow", "急"),
        ("03-24 17:31", "逾期1项", "red", "逾"),
    ],
)
def test_what_is_owed_turns_blue_yellow_and_red(
    pages: Pages, when: str, said: str, colour: str, sign: str
) -> None:
    pages.desk.go(when)
    assert march(pages.insider()) == {"财务科": (said, [(colour, sign)])}


def test_what_was_made_good_late_is_green_and_stays_marked_late(make_pages: MakePages) -> None:
    pages = make_pages(everybodys_report())
    desk = pages.desk.go("03-20 10:00")
    for section in ("财务科", "组织科"):
        desk.submit(f"r/2023-03/{section}")
    desk.accept("r/2023-03/财务科")
    desk.go("03-28 10:00").submit("r/2023-03/初幼教科")
    browser = pages.insider()
    assert march(browser) == {
        "财务科": ("按时1项", [("green", "按")]),
        "组织科": ("待核1项", [("green", "核")]),
        "初幼教科": ("迟报，待核1项", [("green", "迟")]),
    }
    desk.accept("r/2023-03/初幼教科")
    assert march(browser)["初幼教科"] == ("迟报，已核收1项", [("green", "迟")])


def test_what_is_returned_exempt_or_older_than_the_ledger_says_so(make_pages: MakePages) -> None:
    pages = make_pages(everybodys_report())
    desk = pages.desk.go("03-20 10:00")
    desk.submit("r/2023-03/财务科")
    desk.give_back("r/2023-03/财务科", "03-23 17:30")
    desk.override("r/2023-03/组织科", exempt=True)
    browser = pages.insider()
    assert march(browser) | {"初幼教科": ""} == {
        "财务科": ("退回1项", [("yellow", "退")]),
        "组织科": ("免报1项", [("plain", "免")]),
        "初幼教科": "",
    }
    assert march(make_pages(None, "03-27 08:00").insider()) == {
        "财务科": ("此前1项", [("plain", "前")])
    }


def test_a_cell_hides_none_of_its_obligations_and_leads_to_each(make_pages: MakePages) -> None:
    rules = [rule({"monthly": 25}), rule({"yearly": ["03-25"]}, id="s", title="季度专报")]
    pages = make_pages(plan_of(rules=rules))
    desk = pages.desk.go("03-28 10:00")
    desk.submit("r/2023-03/财务科")
    desk.accept("r/2023-03/财务科")
    browser = pages.insider()
    assert march(browser)["财务科"] == (
        "逾期1项、迟报，已核收1项",
        [("red", "逾"), ("green", "迟")],
    )
    link = next(a for a, *_ in _CELL.findall(browser.get("/wall?year=2023").text))
    page = browser.get(link.replace("&amp;", "&")).text
    assert re.findall(r"<dd>(\w/[^<]+)</dd>", page) == ["r/2023-03/财务科", "s/2023/财务科"]
    led = re.findall(r'<h2><a href="(/desk/obligations/\d+)">(.+)</a></h2>', page)
    assert [title for _, title in led] == ["工作专报", "季度专报"]
    assert [browser.get(path).status_code for path, _ in led] == [200, 200]
    assert page.count("3月24日（周五）17:30") == 2


def test_the_first_page_leads_to_the_wall_of_each_plan(pages: Pages) -> None:
    browser = pages.insider()
    assert "/wall?plan=demo" in browser.get("/").text
    assert "2023年晾晒" in browser.get("/wall?plan=demo").text


def test_another_year_is_a_wall_of_its_own(pages: Pages) -> None:
    browser = pages.insider()
    page = browser.get("/wall?year=2022").text
    assert "这一年没有应办事项。" in page
    assert "year=2021" in page
    assert "year=2023" in page


@pytest.mark.parametrize(
    "path",
    ["?year=x", "?year=0000", "?year=20233", "?plan=other", "/cell", "/cell?section=x&month=3"],
)
def test_a_wall_that_there_is_not_is_said_to_be_missing(pages: Pages, path: str) -> None:
    answer = pages.insider().get(f"/wall{path}")
    assert answer.status_code == 404
    assert "请从首页重新进入晾晒。" in answer.text


def test_a_cell_is_that_of_its_section_and_month_alone(make_pages: MakePages) -> None:
    browser = make_pages(everybodys_report()).insider()
    assert cell(browser, "财务科").text.count("<h2>") == 1
    assert cell(browser, "财务科", 4).status_code == 404
    assert cell(browser, "办公室").status_code == 404


def test_the_wall_of_the_real_year_asks_for_the_obligations_once(make_pages: MakePages) -> None:
    pages = make_pages(real_plan(), "2023-02-01 08:00")
    browser = pages.insider()
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Sequence[Any]) -> None:
        if "FROM obligation" in statement:
            asked.append(statement)

    engine = pages.desk.ledger.engine
    listening.listen(engine, "before_cursor_execute", note)
    page = browser.get("/wall?year=2023").text
    listening.remove(engine, "before_cursor_execute", note)
    assert page.count('<th scope="row">') == 20
    assert len(asked) == 1


def test_all_who_look_within_a_second_see_one_wall_and_later_ones_the_next(pages: Pages) -> None:
    pages.context = replace(pages.context, fresh=timedelta(seconds=1))
    desk = pages.desk.go("03-20 10:00")
    browser = pages.insider()
    first = browser.get("/wall").text
    desk.submit()
    assert browser.get("/wall").text == first
    desk.go("03-20 10:01")
    assert "待核1项" in browser.get("/wall").text


def test_a_wall_that_will_soon_be_too_old_is_renewed_behind_the_answer(pages: Pages) -> None:
    pages.context = replace(pages.context, fresh=timedelta(minutes=2))
    desk = pages.desk.go("03-20 10:00")
    browser = pages.insider()
    first = browser.get("/wall").text
    desk.submit()
    desk.go("03-20 10:01")
    assert browser.get("/wall").text == first
    assert "待核1项" in browser.get("/wall").text


def test_another_year_or_plan_is_never_taken_for_the_one_that_was_just_made(pages: Pages) -> None:
    pages.context = replace(pages.context, fresh=timedelta(seconds=1))
    browser = pages.insider()
    assert "2023年晾晒表" in browser.get("/wall").text
    assert "2024年晾晒表" in browser.get("/wall?year=2024").text
    pages.desk.override(exempt=True)
    assert "免报1项" in browser.get("/wall").text
