"""Debian's Chromium, driven by ChromeDriver, and the hands of somebody who has no mouse."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.conftest import IN_CI

_MOST_TABS = 80


@pytest.fixture(scope="module")
def browser(
    program: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    """A browser without a window; it keeps what it has to complain of."""
    options = Options()
    options.binary_location = str(program("chromium"))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(str(program("chromedriver"))))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which `make unit` puts beside the tools where there is npm."""
    script = Path(sys.prefix, "axe", "node_modules", "axe-core", "axe.min.js")
    if script.is_file():
        return script.read_text(encoding="utf-8")
    message = f"axe-core is not at {script}: run `make unit`, which needs npm"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def resize(browser: webdriver.Chrome, width: int, height: int = 900) -> None:
    """A phone's screen below 500 pixels, a desk's above."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def tab_to(browser: webdriver.Chrome, selector: str) -> None:
    """Press Tab until the focus is on what a CSS selector names."""
    here = "return document.activeElement.matches(arguments[0])"
    for _ in range(_MOST_TABS):
        if browser.execute_script(here, selector):
            return
        press(browser, Keys.TAB)
    raise AssertionError(f"{_MOST_TABS} times Tab do not lead to {selector}")


def press(browser: webdriver.Chrome, *keys: str) -> None:
    """Press keys, or type text, where the focus is."""
    ActionChains(browser).send_keys(*keys).perform()


def press_and_wait(browser: webdriver.Chrome, selector: str) -> None:
    """Press Enter, and wait for the page that comes then to have what the selector names."""
    old = browser.find_element("css selector", "html")
    press(browser, Keys.ENTER)
    WebDriverWait(browser, 20).until(
        lambda driver: (
            driver.find_element("css selector", "html") != old
            and driver.find_elements("css selector", selector)
        )
    )
