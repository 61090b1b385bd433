"""Every page before axe-core: contrast, labels, headings, in the light and in the dark."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from starlette.routing import Route
from starlette.types import ASGIApp

from board.app import app_of
from config.edit import EDITABLE
from config.loader import load_plan
from duban.facts import LetterKind
from duban.letters import Recipient
from jobs.extensions import request
from jobs.links import Feed, Links
from ledger.mails import MailState
from scheduler.demo import Demo, plan_folder
from scheduler.demopages import House
from tests.support import small_plan
from tests.support.chromium import press_and_wait, resize, tab_to
from tests.support.inboxes import Inbox, answer, back
from tests.support.ledgers import everybodys_report
from tests.support.pages import KEYS, PUBLIC, MakePages, Pages

LINKS = Links(PUBLIC, KEYS)
_JUDGE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
   .then(found => done(found.violations.map(
      v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 120)).join(" | "))));
"""
_STATUS = "return performance.getEntriesByType('navigation')[0].responseStatus"
_NO_PAGE = re.compile(r"^/(?:healthz|readyz|metrics|assets|cal|desk/files|logout)|/original$")


@pytest.fixture
def house(make_pages: MakePages, tmp_path: Path) -> Pages:
    """In mid-ladder: one has handed in late, one asks for more time, others are overdue, and a
    stranger has written.
    """
    pages = make_pages(everybodys_report(), public_url=None)
    desk = pages.desk
    folder = small_plan.save(tmp_path, small_plan.changed("id: demo-2023", "id: demo"))
    pages.context = replace(pages.context, folders=lambda: {desk.plan_id: folder})
    for hour in ("03-17 09:00", "03-22 09:00", "03-24 09:00", "03-27 09:00"):
        desk.go(hour)
        desk.reconcile()
        desk.remind()
        desk.circulate()
        desk.deliver(links=LINKS)
    desk.go("03-27 10:00").submit()
    inbox = Inbox(desk, pages.context.archive)
    letters = [sent for sent in desk.sent if sent.ready.facts.kind is LetterKind.REMINDER]
    raw = answer(letters[0], "月报见附件。", "月报.pdf", sender="From: clerk@home.example")
    assert inbox.take(raw) is MailState.OPEN
    inbox.take(back(desk.now, letters[-2]))
    key = next(key for key, row in desk.rows().items() if row.state == "open")
    more_time = desk.act(key, who=key.split("/")[2], via="link", reason="数据未出")
    request(desk.ledger, desk.bureau, more_time, date(2023, 4, 3))
    return pages


def _wanted(house: Pages) -> dict[str, list[str]]:
    """The routes with parameters, with what to put into them."""
    desk = house.desk
    letters = [desk.letters(kind)[-1].id for kind in ("reminder", "escalation")]
    owed = [row.id for row in desk.rows().values() if row.state == "open"]
    return {
        "/r/{token}": ["/r/forged", *(f"/r/{LINKS.letter_token(letter)}" for letter in letters)],
        "/own/{token}": [
            LINKS.own(Feed(desk.plan_id, Recipient("财务科"))).removeprefix(PUBLIC),
        ],
        "/section": ["/section?name=财务科"],
        "/official": ["/official?name=局长"],
        "/wall/cell": ["/wall/cell?year=2023&month=3&section=财务科"],
        "/desk/obligations/{number:int}": [
            f"/desk/obligations/{number}" for number in (desk.row().id, *owed)
        ],
        "/desk/mails/{number:int}": ["/desk/mails/1"],
        "/desk/plans/{plan}/{file}": [
            f"/desk/plans/{desk.bureau.plan.id}/{name}" for name in EDITABLE
        ],
    }


def _paths(house: Pages) -> Iterator[str]:
    """Every page of the house, those to come included, with what its parameters want."""
    wanted = _wanted(house)
    for route in app_of(house.context).routes:
        assert isinstance(route, Route)
        if "GET" in (route.methods or ()) and not _NO_PAGE.search(route.path):
            yield from wanted.get(route.path, [route.path])


SCREENS = pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])


@SCREENS
def test_no_page_shuts_anybody_out(
    browser: webdriver.Chrome,
    axe: str,
    house: Pages,
    serve: Callable[[ASGIApp], str],
    width: int,
    scheme: str,
) -> None:
    _look(browser, width, scheme)
    cookie = house.insider().cookies["duban"]
    address = serve(app_of(house.context))
    browser.get(f"{address}/login")
    found = {"/login": _judged(browser, axe)}
    browser.add_cookie({"name": "duban", "value": cookie})
    for path in _paths(house):
        browser.get(address + path)
        found[path] = _judged(browser, axe)
        if browser.execute_script(_STATUS) != (403 if path == "/r/forged" else 200):
            found[path].append("it is not the page that was meant")
        if browser.execute_script("return document.documentElement.scrollWidth") > width:
            found[path].append("it is wider than the screen")
    assert len(found) > 12
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@SCREENS
def test_no_answer_to_a_form_shuts_anybody_out(
    browser: webdriver.Chrome,
    axe: str,
    house: Pages,
    serve: Callable[[ASGIApp], str],
    tmp_path: Path,
    width: int,
    scheme: str,
) -> None:
    _look(browser, width, scheme)
    cookie = house.insider().cookies["duban"]
    address = serve(app_of(house.context))
    found = {}

    def press(button: str, shown: str) -> None:
        tab_to(browser, button)
        press_and_wait(browser, shown)
        found[browser.current_url + shown] = _judged(browser, axe)

    browser.delete_all_cookies()
    browser.get(f"{address}/login")
    tab_to(browser, "#name")
    browser.switch_to.active_element.send_keys("nobody", Keys.TAB, "wrong password")
    press("main button", "[role=alert]")

    report = tmp_path / "月报.pdf"
    report.write_bytes(b"a report")
    browser.get(f"{address}/r/{LINKS.letter_token(house.desk.letters('reminder')[-1].id)}")
    browser.find_element("css selector", ".main input[type=file]").send_keys(str(report))
    press(".main button", ".said")

    browser.add_cookie({"name": "duban", "value": cookie})
    browser.get(f"{address}/desk/plans/{house.desk.bureau.plan.id}/plan.yaml")
    for typed, shown in ((" ", "[name=act][value=apply]"), ("nonsense", ".said")):
        browser.find_element("css selector", "textarea[name=text]").send_keys(typed)
        press("[name=act][value=preview]", shown)
    assert {page: wrong for page, wrong in found.items() if wrong} == {}


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[str]:
    """The demo's house, open, with letters in its outbox; gives the address that lets in."""
    plan = load_plan(plan_folder()).plan
    assert plan is not None
    full, doors, shown = threading.Event(), list[House](), set[str]()

    def clock(_at: datetime) -> None:
        if "escalation" in shown:  # and the page that lists it is written
            full.set()

    demo = Demo(
        plan,
        tmp_path / "demo",
        lambda entry: shown.add(entry.kind),
        0.001,
        days=60,
        clock=clock,
        pages=True,
        opened=doors.append,
        stay=True,
    )
    loop = asyncio.new_event_loop()
    running = loop.create_task(demo.run())

    def live() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(running)
        loop.close()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert full.wait(60)
        yield doors[0].entrance
    finally:
        loop.call_soon_threadsafe(running.cancel)
        thread.join()


@SCREENS
def test_the_demos_outbox_shuts_nobody_out(
    browser: webdriver.Chrome, axe: str, outbox: str, width: int, scheme: str
) -> None:
    _look(browser, width, scheme)
    browser.get(outbox)
    browser.get(outbox[: outbox.index("/enter/")] + "/outbox/")
    assert browser.find_elements("css selector", "li.red")
    assert _judged(browser, axe) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def _look(browser: webdriver.Chrome, width: int, scheme: str) -> None:
    resize(browser, width)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def _judged(browser: webdriver.Chrome, axe: str) -> list[str]:
    browser.execute_script(axe)
    wrong: list[str] = browser.execute_async_script(_JUDGE)
    return wrong
