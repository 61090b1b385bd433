"""The wall in a real browser: on a phone, on a desk's screen, and on one sheet of paper."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from starlette.types import ASGIApp

from board.app import app_of
from tests.support.pages import MakePages, Pages
from tests.support.plans import real_plan

_PAGE = re.compile(rb"/Type\s*/Page\b")
_SHEET = re.compile(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]")


@pytest.fixture
def year(make_pages: MakePages) -> Pages:
    """The real plan in its ninth month, with what was handed in on time, late and not at all."""
    pages = make_pages(real_plan(), "2023-02-01 08:00", public_url=None)
    desk = pages.desk
    for number, (key, row) in enumerate(desk.rows().items()):
        if number % 3 and row.nominal.month <= 8:
            desk.go("05-10 09:00").submit(key)
            desk.accept(key)
    desk.go("09-21 09:00")
    return pages


def visit(
    browser: webdriver.Chrome, year: Pages, serve: Callable[[ASGIApp], str], width: int
) -> None:
    """Open the wall as somebody who has signed in."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    address = serve(app_of(year.context))
    browser.get(f"{address}/login")
    cookie = year.insider().cookies["duban"]
    browser.add_cookie({"name": "duban", "value": cookie})
    browser.get(f"{address}/wall?year=2023")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_year_of_all_sections_is_no_wider_than_the_screen(
    browser: webdriver.Chrome, year: Pages, serve: Callable[[ASGIApp], str], width: int
) -> None:
    visit(browser, year, serve, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    table = browser.find_element(By.CSS_SELECTOR, "table.wall")
    assert len(table.find_elements(By.CSS_SELECTOR, "tbody tr")) == 20
    inside = browser.find_element(By.CSS_SELECTOR, ".scroll").size["width"]
    # a phone moves the table under its fixed first column; a desk's screen shows all months
    assert (table.size["width"] <= inside) == (width == 1280)
    colours = {
        mark.value_of_css_property("background-color")
        for mark in table.find_elements(By.CSS_SELECTOR, ".mark:not(.plain)")
    }
    assert len(colours) == 4


def test_a_year_is_printed_on_one_sheet_lying_on_its_side(
    browser: webdriver.Chrome, year: Pages, serve: Callable[[ASGIApp], str]
) -> None:
    visit(browser, year, serve, 1280)
    printed = browser.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": False}
    )
    paper = base64.b64decode(printed["data"])
    assert len(_PAGE.findall(paper)) == 1
    [(wide, high)] = set(_SHEET.findall(paper))
    assert (round(float(wide)), round(float(high))) == (842, 595)
