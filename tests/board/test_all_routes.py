"""What holds for every route of the house, those to come included: each is found in the app."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.testclient import TestClient

from board.app import app_of
from jobs.passwords import hashed
from ledger import accounts
from tests.support.pages import ELSEWHERE, Pages

NAME, PASSWORD = "林美环", "correct horse 电池"
OPEN = ("/healthz", "/readyz", "/metrics", "/assets/", "/login", "/r/", "/cal/", "/own/")
"""What needs no login: probes, the style sheet, the door itself, and links that are keys."""
ODD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)


@pytest.fixture
def house(pages: Pages) -> Pages:
    """Pages of a plan in mid-ladder, with one account."""
    pages.desk.beats("03-17 09:00", "03-22 09:00", "03-27 09:00")
    with pages.desk.ledger.write() as connection:
        accounts.add(connection, NAME, hashed(PASSWORD, NAME), pages.desk.now)
    return pages


@pytest.fixture
def insider(house: Pages) -> TestClient:
    """The browser of someone who has signed in."""
    browser = house.browser()
    found = re.search(r'name="form_token" value="([^"]+)"', browser.get("/login").text)
    assert found
    fields = {"form_token": found[1], "name": NAME, "password": PASSWORD}
    assert browser.post("/login", data=fields).status_code == 303
    return browser


def routes(house: Pages, method: str) -> Iterator[str]:
    """The paths of all routes that take this method, with something in their parameters."""
    for route in app_of(house.context).routes:
        assert isinstance(route, Route)
        if method in (route.methods or ()):
            yield re.sub(r"{(\w+)(:\w+)?}", "1", route.path)


def content(house: Pages) -> list[str]:
    """All that the ledger holds."""
    with closing(sqlite3.connect(str(house.desk.ledger.path))) as connection:
        return list(connection.iterdump())


def test_f49_a_stranger_sees_no_page_of_the_office(house: Pages) -> None:
    browser = house.browser(ELSEWHERE)
    shut = [path for path in routes(house, "GET") if not path.startswith(OPEN)]
    assert "/" in shut
    answers = {path: browser.get(path) for path in shut}
    assert {path: a.status_code for path, a in answers.items()} == dict.fromkeys(shut, 303)
    assert all(a.headers["location"].startswith("/login?") for a in answers.values())


def test_f47_nothing_is_changed_by_looking(house: Pages, insider: TestClient) -> None:
    before = content(house)
    for path in routes(house, "GET"):
        for browser in (insider, house.browser(ELSEWHERE)):
            browser.get(path)
            browser.head(path)
    assert content(house) == before


def test_f49_no_form_is_taken_without_its_token(house: Pages, insider: TestClient) -> None:
    before = content(house)
    paths = list(routes(house, "POST"))
    assert "/logout" in paths
    for path in paths:
        for fields in ({}, {"form_token": "x"}):
            assert insider.post(path, data=fields).status_code in (400, 403)
    assert content(house) == before


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "X"]),
    st.integers(0),
    ODD,
    st.dictionaries(ODD, ODD, max_size=3),
    st.binary(max_size=200),
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"]),
)
def test_f49_no_request_makes_the_pages_stumble(
    house: Pages,
    insider: TestClient,
    method: str,
    which: int,
    odd: str,
    query: dict[str, str],
    body: bytes,
    kind: str,
) -> None:
    paths = [route.path for route in app_of(house.context).routes if isinstance(route, Route)]
    path = re.sub(r"{\w+(:\w+)?}", lambda _: quote(odd, safe=""), paths[which % len(paths)])
    # an exception in a handler is raised here
    answer = insider.request(
        method, path, params=query, content=body, headers={"content-type": kind}
    )
    assert answer.status_code < 500
