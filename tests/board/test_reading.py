"""The pages to read: a month, what will be mailed, projects, a section, an official."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from duban.letters import Recipient
from jobs.links import Feed, Links
from tests.support.ledgers import CAIWU, everybodys_report, told
from tests.support.pages import ELSEWHERE, KEYS, PUBLIC, MakePages, Pages
from tests.support.plans import real_plan

LINKS = Links(PUBLIC, KEYS)
_TAG = re.compile(r"<[^>]+>")


def words(browser: TestClient, path: str) -> str:
    """A page as plain words, without spaces."""
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", "", unescape(_TAG.sub("", answer.text)))


@pytest.fixture
def house(make_pages: MakePages) -> Pages:
    """Three sections that owe a report on 24 March; one has handed in late, two are overdue."""
    pages = make_pages(everybodys_report())
    pages.desk.beats("03-17 09:00", "03-22 09:00", "03-24 09:00", "03-27 09:00")
    pages.desk.go("03-27 10:00").submit()
    return pages


def test_a_month_lists_its_days_with_how_each_obligation_stands(house: Pages) -> None:
    page = words(house.insider(), "/month")
    assert "2023年3月到期事项" in page
    assert "3月24日（周五）" in page
    assert page.count("逾期，时限3月24日") == 2
    assert "迟报，待核，时限3月24日（周五）17:30，3月27日（周一）10:00报送" in page


def test_a_month_is_shown_as_a_calendar_with_its_holidays(house: Pages) -> None:
    page = house.insider().get("/month").text
    cells = re.findall(r"<td.*?</td>", page, re.DOTALL)
    assert len(cells) == 35
    assert [re.sub(r"\s+", "", _TAG.sub("", cell)) for cell in cells[:3]] == ["", "", "1"]
    assert [cell for cell in cells if "逾2" in _TAG.sub("", cell)] == [cells[25]]
    assert 'title="3月24日，逾期2项，迟报，待核1项"' in cells[25]
    assert [c for c in cells if 'aria-current="date"' in c] == [cells[28]]
    october = house.insider("乙").get("/month?month=2023-10").text
    assert re.search(r'<td class="off">2<small>国庆节</small></td>', october)
    assert re.search(r'<td class="working">7<small>班</small></td>', october)


def test_each_day_of_the_calendar_leads_to_what_is_due_on_it(house: Pages) -> None:
    page = house.insider().get("/month").text
    led = re.findall(r'href="#(d\d+)"', page)
    assert led == ["d24"]
    assert f'id="{led[0]}"' in page


def test_another_month_is_asked_for_by_its_address(house: Pages) -> None:
    browser = house.insider()
    assert "这个月没有到期事项" in words(browser, "/month?month=2023-04")
    assert browser.get("/month?month=2023-13").status_code == 404
    assert browser.get("/month?plan=other").status_code == 404


def test_what_will_be_sent_is_what_is_sent_then(make_pages: MakePages) -> None:
    pages = make_pages(real_plan(), "2023-02-01 08:00", public_url=None)
    desk = pages.desk.go("03-16 10:00")
    page = pages.insider().get("/coming").text
    at = {
        moment: unescape(part)
        for moment, part in re.findall(r"<h2>([^<]+)</h2>(.*?)</section>", page, re.DOTALL)
    }
    first = _TAG.sub("", at["3月17日（周五）09:00"])
    sent = told(desk.beat("03-17 09:00"))
    assert {one.ready.facts.recipient for one in desk.sent} == set(re.findall("致(.+?)：", first))
    assert len(sent) == first.count("致") > 15


def test_what_was_handed_in_is_not_announced(house: Pages) -> None:
    browser = house.insider()
    assert "待发2封致财务科" in words(browser, "/coming")  # the receipt
    house.desk.deliver()
    page = words(browser, "/coming")
    assert "财务科" not in page
    assert "致组织科：3月工作专报" in page
    assert "致刘殊芳：" in page


def test_the_twenty_projects_stand_with_their_leaders_and_sections(make_pages: MakePages) -> None:
    pages = make_pages(real_plan(), "2023-02-01 08:00")
    page = words(pages.insider(), "/projects")
    assert "重点专项20项" in page
    for number, project in enumerate(pages.desk.bureau.plan.file.projects, 1):
        assert f"{number}.{project.title}" in page
    assert page.count("牵头") >= 20


def test_a_section_s_page_has_its_obligations_and_letters_and_no_other_s(house: Pages) -> None:
    page = words(house.insider(), f"/section?name={quote('财务科')}")
    assert "已报送1项" in page
    assert "3月工作专报迟报，待核" in page
    assert page.count("【") >= 4
    assert "组织科" not in page


def test_an_official_s_page_has_what_was_reported_to_him(house: Pages) -> None:
    page = words(house.insider(), f"/official?name={quote('局长')}")
    assert "刘殊芳局长" in page
    assert "报告给这位领导的函件" in page
    assert "逾期" in page


@pytest.mark.parametrize("path", ["/section", "/official", "/section?name=x", "/official?name=x"])
def test_a_name_that_the_plan_does_not_have_has_no_page(house: Pages, path: str) -> None:
    assert house.insider().get(path).status_code == 404


def test_f49_a_section_reads_its_own_page_by_a_link_and_can_do_nothing_there(
    house: Pages,
) -> None:
    stranger = house.browser(ELSEWHERE)
    own = LINKS.own(Feed(house.desk.plan_id, Recipient("财务科"))).removeprefix(PUBLIC)
    page = stranger.get(own).text
    assert "工作专报" in page
    assert "<form" not in page
    assert "/desk" not in page
    assert "组织科" not in page
    assert stranger.post(own).status_code == 405


def test_f48_a_calendar_s_token_opens_no_page(house: Pages) -> None:
    feed = LINKS.feed(Feed(house.desk.plan_id, Recipient("财务科")))
    token = feed.rpartition("/")[2].removesuffix(".ics")
    stranger = house.browser(ELSEWHERE)
    assert stranger.get(f"/own/{token}").status_code == 403
    assert stranger.get("/own/x").status_code == 403
    gone = LINKS.own(Feed(house.desk.plan_id, Recipient("已撤科"))).removeprefix(PUBLIC)
    assert stranger.get(gone).status_code == 403
    other = LINKS.own(Feed(99, Recipient("财务科"))).removeprefix(PUBLIC)
    assert stranger.get(other).status_code == 403


def test_a_letter_s_page_leads_to_the_section_s_own(house: Pages) -> None:
    letter = house.desk.letters("reminder")[0]
    stranger = house.browser(ELSEWHERE)
    page = stranger.get(LINKS.letter(letter.id).removeprefix(PUBLIC)).text
    own = re.search(r'href="([^"]+/own/[^"]+)"', page)
    assert own
    assert letter.name in stranger.get(own[1].removeprefix(PUBLIC)).text
    assert house.desk.row(CAIWU).late
