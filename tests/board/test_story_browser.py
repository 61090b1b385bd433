"""The whole story in a browser, with the keyboard alone: a reminder's link, a file, the receipt,
the office that returns it, the second hand-in, the acceptance, and the wall that stays late."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from starlette.types import ASGIApp, Receive, Scope, Send

from board.app import app_of
from jobs.links import Links
from jobs.passwords import hashed
from ledger import accounts
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.chromium import press, press_and_wait, resize, tab_to
from tests.support.ledgers import CAIWU
from tests.support.pages import KEYS, MakePages, Pages
from tests.support.smtp import FaultyServer

NAME, PASSWORD = "office", "correct horse battery"
_LINK = re.compile(r"http://127\.0\.0\.1:\d+/r/\S+")


@dataclass
class House:
    """Served pages, a real mail server, and a browser before them."""

    pages: Pages
    address: str
    links: Links
    server: FaultyServer
    browser: webdriver.Chrome

    def deliver(self) -> str:
        """Send what is due; the text of the newest mail, as the server got it."""
        relay = SmtpRelay(
            RelaySettings(host="127.0.0.1", port=self.server.port, tls="none", timeout_s=5)
        )
        self.pages.desk.deliver(relay=relay, links=self.links)
        newest = message_from_bytes(self.server.mails[-1], policy=policy.default)
        body = newest.get_body(("plain",))
        assert body is not None
        return str(newest["Subject"]) + "\n" + str(body.get_content())

    def hand_in(self, link: str, file: Path) -> str:
        """Hand in a file by a letter's page; gives what the page says then."""
        self.browser.get(link)
        tab_to(self.browser, ".main input[type=file]")
        # the system's own dialog is no part of the page
        self.browser.switch_to.active_element.send_keys(str(file))
        tab_to(self.browser, ".main button")
        press_and_wait(self.browser, ".said")
        return self.browser.find_element(By.CSS_SELECTOR, ".said").text

    def sign_in(self, path: str) -> None:
        """Open a page of the office, and sign in on the way."""
        self.browser.delete_all_cookies()
        self.browser.get(self.address + path)
        tab_to(self.browser, "#name")
        press(self.browser, NAME, Keys.TAB, PASSWORD)
        press_and_wait(self.browser, "h1")


@pytest.fixture
def house(
    make_pages: MakePages,
    serve: Callable[[ASGIApp], str],
    browser: webdriver.Chrome,
    faulty: FaultyServer,
) -> House:
    pages = make_pages()
    with pages.desk.ledger.write() as connection:
        accounts.add(connection, NAME, hashed(PASSWORD, NAME), pages.desk.now)
    served: list[ASGIApp] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await served[0](scope, receive, send)

    address = serve(app)  # its links have its address, which is known only now
    links = Links(address, KEYS)
    pages.context = replace(pages.context, public_url=address, links=links)
    served.append(app_of(pages.context))
    return House(pages, address, links, faulty, browser)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_report_goes_round_by_keyboard_alone(house: House, tmp_path: Path, width: int) -> None:
    browser, desk = house.browser, house.pages.desk
    resize(browser, width)
    report = tmp_path / "三月专报.docx"
    report.write_bytes(b"a report")

    desk.go("03-17 09:00").remind()
    found = _LINK.search(house.deliver())
    assert found
    link = found[0]
    desk.go("03-24 10:00")
    assert house.hand_in(link, report).startswith("已收到，编号")
    assert "收到" in house.deliver().splitlines()[0]

    desk.go("03-24 14:00")
    house.sign_in("/desk")
    assert "财务科" in browser.find_element(By.TAG_NAME, "main").text
    tab_to(browser, "summary")
    press(browser, Keys.ENTER)
    tab_to(browser, "textarea[name=reason]")
    press(browser, "missing part")
    tab_to(browser, "details[open] button")
    press_and_wait(browser, ".said.good")
    assert "已退回" in browser.find_element(By.CSS_SELECTOR, ".said").text
    assert "missing part" in house.deliver()

    limit = desk.row().deadline.astimezone(desk.bureau.plan.zone)
    desk.go(f"{limit:%m-%d} 19:00")
    assert house.hand_in(link, report).startswith("已收到，编号")

    house.sign_in("/desk")
    tab_to(browser, "form:has([value=accept]) button")
    press_and_wait(browser, ".said.good")
    browser.get(f"{house.address}/wall")
    tab_to(browser, ".wall td a")
    mark = browser.switch_to.active_element.find_element(By.CSS_SELECTOR, ".mark")
    assert mark.text == "迟"
    assert "green" in (mark.get_attribute("class") or "")
    press_and_wait(browser, "h2 a")
    assert "迟报，已核收" in browser.find_element(By.TAG_NAME, "main").text
    assert (desk.row(CAIWU).state, desk.row(CAIWU).late) == ("accepted", True)
