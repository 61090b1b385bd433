"""Every page before axe-core: contrast, labels, headings, in the light and in the dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from selenium import webdriver
from starlette.routing import Route
from starlette.types import ASGIApp

from board.app import app_of
from duban.letters import Recipient
from jobs.links import Feed, Links
from tests.support.chromium import resize
from tests.support.ledgers import everybodys_report
from tests.support.pages import KEYS, PUBLIC, MakePages, Pages

LINKS = Links(PUBLIC, KEYS)
_JUDGE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
   .then(found => done(found.violations.map(
      v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 120)).join(" | "))));
"""
_NO_PAGE = re.compile(r"^/(?:healthz|readyz|metrics|assets|cal|desk/files|logout)")


@pytest.fixture
def house(make_pages: MakePages) -> Pages:
    """In mid-ladder: one has handed in late, one asks for more time, others are overdue."""
    pages = make_pages(everybodys_report(), public_url=None)
    desk = pages.desk
    for hour in ("03-17 09:00", "03-22 09:00", "03-24 09:00", "03-27 09:00"):
        desk.go(hour)
        desk.reconcile()
        desk.remind()
        desk.circulate()
        desk.deliver(links=LINKS)
    desk.go("03-27 10:00").submit()
    return pages


def _paths(house: Pages) -> Iterator[str]:
    """Every page of the house, those to come included, with what its parameters want."""
    desk = house.desk
    letter = desk.letters("reminder")[-1].id
    escalation = desk.letters("escalation")[-1].id
    owed = next(row.id for row in desk.rows().values() if row.state == "open")
    for route in app_of(house.context).routes:
        assert isinstance(route, Route)
        if "GET" not in (route.methods or ()) or _NO_PAGE.match(route.path):
            continue
        match route.path:
            case "/r/{token}":
                yield f"/r/{LINKS.letter_token(letter)}"
                yield f"/r/{LINKS.letter_token(escalation)}"
                yield "/r/forged"
            case "/own/{token}":
                whose = Feed(desk.plan_id, Recipient("财务科"))
                yield LINKS.own(whose).removeprefix(PUBLIC)
            case "/section" | "/official":
                yield route.path + ("?name=财务科" if route.path == "/section" else "?name=局长")
            case "/wall/cell":
                yield "/wall/cell?year=2023&month=3&section=财务科"
            case path if "{" in path:
                yield re.sub(r"{\w+(:\w+)?}", str(owed), path)
            case path:
                yield path
    yield f"/desk/obligations/{desk.row().id}"


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_no_page_shuts_anybody_out(
    browser: webdriver.Chrome,
    axe: str,
    house: Pages,
    serve: Callable[[ASGIApp], str],
    width: int,
    scheme: str,
) -> None:
    resize(browser, width)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    cookie = house.insider().cookies["duban"]
    address = serve(app_of(house.context))
    browser.get(f"{address}/login")
    found = {"/login": _judged(browser, axe)}
    browser.add_cookie({"name": "duban", "value": cookie})
    for path in _paths(house):
        browser.get(address + path)
        found[path] = _judged(browser, axe)
        if browser.execute_script("return document.documentElement.scrollWidth") > width:
            found[path].append("it is wider than the screen")
    assert len(found) > 12
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def _judged(browser: webdriver.Chrome, axe: str) -> list[str]:
    browser.execute_script(axe)
    wrong: list[str] = browser.execute_async_script(_JUDGE)
    return wrong
