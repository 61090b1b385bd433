"""The letter's page in a real browser: on a phone, by hand and by dragging, without a word from
the browser about scripts or styles that were held back."""

from __future__ import annotations

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.counters import Office

DROP = """
const all = new DataTransfer();
for (const name of ["一.docx", "二.docx"]) all.items.add(new File([name], name));
const how = {dataTransfer: all, bubbles: true, cancelable: true};
for (const what of ["dragenter", "dragover", "drop"])
  arguments[0].dispatchEvent(new DragEvent(what, how));
"""


def visit(browser: webdriver.Chrome, office: Office, path: str, width: int = 360) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"{office.web.base_url}{path}")


def submitted(browser: webdriver.Chrome) -> str:
    """Press the button, and wait for what the page says then."""
    browser.find_element(By.CSS_SELECTOR, ".main button").click()
    WebDriverWait(browser, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".said"))
    return browser.find_element(By.CSS_SELECTOR, ".said").text


def complaints(browser: webdriver.Chrome) -> list[str]:
    return [
        line["message"]
        for line in browser.get_log("browser")  # type: ignore[no-untyped-call]
        if "favicon" not in line["message"]
    ]


def test_files_that_are_dragged_in_are_handed_in(browser: webdriver.Chrome, office: Office) -> None:
    visit(browser, office, office.link())
    browser.execute_script(DROP, browser.find_element(By.CSS_SELECTOR, ".drop"))
    assert browser.find_element(By.CSS_SELECTOR, ".drop .soft").text == "一.docx、二.docx"
    assert submitted(browser).startswith("已收到，编号")
    assert [li.text[:6] for li in browser.find_elements(By.CSS_SELECTOR, ".files li")] == [
        "一.docx",
        "二.docx",
    ]
    assert office.state() == "submitted"
    assert complaints(browser) == []


def test_without_scripts_the_page_does_all_the_same(
    browser: webdriver.Chrome, office: Office
) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        visit(browser, office, office.link())
        browser.find_element(By.NAME, "note").send_keys("已于3月16日办结")
        assert submitted(browser).startswith("已收到，编号")
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert office.state() == "submitted"


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen_and_fingers_find_the_buttons(
    browser: webdriver.Chrome, office: Office, width: int
) -> None:
    visit(browser, office, office.link(), width)
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    targets = browser.find_elements(By.CSS_SELECTOR, "button, summary, input:not([type=hidden])")
    low = [t.tag_name for t in targets if t.is_displayed() and t.size["height"] < 44]
    assert (len(targets) > 5, low) == (True, [])
