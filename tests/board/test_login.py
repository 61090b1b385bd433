"""The door to the office's pages: sessions, forms of their own visit, and a brake on guessing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from board.context import Vitals
from board.sessions import LASTS
from board.throttle import WINDOW, Throttle
from jobs.outcome import FIRST_BACKOFF
from jobs.passwords import hashed
from jobs.stuck import SHOWN
from jobs.trouble import BARRED, TROUBLE
from ledger import accounts, plans
from mailroom.replies import Phase, answered
from tests.support.ledgers import ON_SQLITE, at
from tests.support.pages import ELSEWHERE, KEYS, PUBLIC, MakePages, Pages
from tests.support.plans import many_sections

NAME, PASSWORD = "林美环", "correct horse 电池"
HASH = hashed(PASSWORD, NAME)


@pytest.fixture
def office(pages: Pages) -> Pages:
    """Pages with one account."""
    with pages.desk.ledger.write() as connection:
        accounts.add(connection, NAME, HASH, pages.desk.now)
    return pages


def token_in(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


def sign_in(
    browser: TestClient, password: str = PASSWORD, name: str = NAME, onward: str = ""
) -> int:
    """Fill the form in as a person does; the answer's status."""
    page = browser.get(f"/login?{urlencode({'next': onward})}").text
    fields = {"form_token": token_in(page), "name": name, "password": password, "next": onward}
    answer = browser.post("/login", data=fields)
    browser.headers["x-last-location"] = answer.headers.get("location", "")
    return answer.status_code


def is_in(browser: TestClient) -> bool:
    """Whether the browser sees the office's page."""
    answer = browser.get("/")
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


def test_who_has_signed_in_sees_the_office_and_nobody_else_does(office: Pages) -> None:
    browser = office.browser()
    answer = browser.get("/?a=b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2F%3Fa%3Db")
    assert sign_in(browser) == 303
    page = browser.get("/").text
    assert office.desk.bureau.plan.about.title in page
    assert NAME in page
    assert not is_in(office.browser())
    assert [(e.who, e.what) for e in office.desk.events("account.login")] == [
        (NAME, "account.login")
    ]


@pytest.mark.parametrize(
    ("name", "password"),
    [(NAME, PASSWORD + "x"), (NAME, ""), (NAME, "x" * 5000), ("nobody", PASSWORD), ("", "")],
)
def test_f49_a_wrong_name_or_password_is_refused_in_the_same_words(
    office: Pages, name: str, password: str
) -> None:
    browser = office.browser()
    assert sign_in(browser, password, name) == 403
    assert not is_in(browser)
    page = browser.get("/login").text
    fields = {"form_token": token_in(page), "name": name, "password": password}
    assert "账号或密码不对。" in browser.post("/login", data=fields).text


def test_f38_what_was_typed_at_the_door_is_in_no_log(office: Pages) -> None:
    canary = "geheim-7Qx9-and-more"
    browser = office.browser()
    sign_in(browser, canary)
    sign_in(browser, canary, name=canary)
    sign_in(browser, name=f"{canary}{'x' * 200}")
    assert canary not in repr(office.said)
    assert canary not in repr(office.desk.events())
    assert [f["address"] for n, f in office.said if n == "login.refused"] == ["127.0.0.1"] * 3


def test_a_session_ends_after_its_time(office: Pages) -> None:
    browser = office.browser()
    sign_in(browser)
    office.desk.clock.instant += LASTS - timedelta(seconds=1)
    assert is_in(browser)
    office.desk.clock.instant += timedelta(seconds=1)
    assert not is_in(browser)


@pytest.mark.parametrize("change", ["password", "disabled"])
def test_a_changed_account_ends_its_sessions_at_once(office: Pages, change: str) -> None:
    browser = office.browser()
    sign_in(browser)
    with office.desk.ledger.write() as connection:
        if change == "password":
            assert accounts.set_password(connection, NAME, hashed("another password", NAME))
        else:
            assert accounts.disable(connection, NAME, office.desk.now)
    assert not is_in(browser)
    assert sign_in(office.browser()) == 403


def test_signing_out_forgets_the_session(office: Pages) -> None:
    browser = office.browser()
    sign_in(browser)
    token = token_in(browser.get("/").text)
    assert browser.post("/logout", data={"form_token": token}).headers["location"] == "/login"
    assert not is_in(browser)


def test_signing_in_begins_a_new_visit(office: Pages) -> None:
    browser = office.browser()
    browser.get("/login")
    before = browser.cookies["__Host-duban"]
    sign_in(browser)
    assert browser.cookies["__Host-duban"] != before
    # a form that was made before belongs to a visit that is over
    stale = office.browser()
    token = token_in(stale.get("/login").text)
    stale.cookies = browser.cookies
    assert stale.post("/logout", data={"form_token": token}).status_code == 403


@pytest.mark.parametrize(
    ("public", "name", "secure"),
    [(PUBLIC, "__Host-duban", True), ("http://duban.edu.example", "duban", False)],
)
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    make_pages: MakePages, public: str, name: str, secure: bool
) -> None:
    header = make_pages(public_url=public).browser().get("/login").headers["set-cookie"]
    assert header.startswith(f"{name}=")
    parts = {part.strip().lower() for part in header.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= parts
    assert ("secure" in parts) == secure
    assert not any(part.startswith("domain") for part in parts)


def test_a_form_needs_the_token_of_its_own_visit(office: Pages) -> None:
    browser, other = office.browser(), office.browser()
    sign_in(browser)
    for token in ("", "x", token_in(other.get("/login").text)):
        assert browser.post("/logout", data={"form_token": token}).status_code == 403
    assert is_in(browser)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_f49_a_form_from_another_site_is_refused(office: Pages, site: str) -> None:
    browser = office.browser()
    sign_in(browser)
    token = token_in(browser.get("/").text)
    headers = {"Sec-Fetch-Site": site}
    answer = browser.post("/logout", data={"form_token": token}, headers=headers)
    assert answer.status_code == 403
    assert is_in(browser)


def test_a_form_for_those_within_takes_nothing_from_without(office: Pages) -> None:
    browser = office.browser()
    token = token_in(browser.get("/login").text)
    answer = browser.post("/logout", data={"form_token": token})
    assert answer.status_code == 403
    assert "请重新登录" in answer.text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"form_token=%ff", "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 70_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(600)), "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"", "multipart/form-data; boundary=x"),
    ],
)
def test_what_is_no_form_of_ours_is_refused(office: Pages, content: bytes, kind: str) -> None:
    answer = office.browser().post("/login", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400


@pytest.mark.parametrize("cookie", ["x", "x" * 5000, "WzFd.abc", ""])
def test_a_forged_cookie_is_nobody(office: Pages, cookie: str) -> None:
    browser = office.browser()
    browser.cookies.set("__Host-duban", cookie)
    assert not is_in(browser)


def test_sessions_survive_the_rotation_of_keys_until_their_key_is_taken_away(
    office: Pages,
) -> None:
    browser = office.browser()
    sign_in(browser)
    newest = "the newest key of thirty-two chars."
    for keys, survives in (((*KEYS, newest), True), ((newest,), False)):
        office.context = replace(office.context, keys=keys)
        after = office.browser()
        after.cookies = browser.cookies
        assert is_in(after) == survives


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/?a=b", "/?a=b"),
        ("/plans/x?day=2023-03-01&s=%E8%B4%A2", "/plans/x?day=2023-03-01&s=%E8%B4%A2"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours_only(office: Pages, asked: str, goes: str) -> None:
    browser = office.browser()
    sign_in(browser, onward=asked)
    assert browser.headers["x-last-location"] == goes
    assert browser.get(f"/login?{urlencode({'next': asked})}").headers["location"] == goes


def test_behind_a_proxy_with_a_path_all_links_have_it(make_pages: MakePages) -> None:
    browser = make_pages(public_url=f"{PUBLIC}/duban").browser()
    assert browser.get("/").headers["location"] == "/duban/login?next=%2F"
    page = browser.get("/login").text
    assert 'action="/duban/login"' in page
    assert 'href="/duban/assets/page.css"' in page


def test_f49_guessing_at_an_account_is_braked_even_for_the_right_password(office: Pages) -> None:
    for _ in range(10):
        assert sign_in(office.browser(ELSEWHERE), "a wrong password") == 403
    browser = office.browser()
    assert sign_in(browser) == 429
    office.desk.clock.instant += WINDOW
    assert sign_in(browser) == 303


def test_f49_guessing_from_one_address_is_braked_for_all_names(office: Pages) -> None:
    for number in range(30):
        assert sign_in(office.browser(ELSEWHERE), "a wrong password", f"user {number}") == 403
    assert sign_in(office.browser(ELSEWHERE)) == 429
    assert sign_in(office.browser()) == 303


def test_who_remembers_the_password_at_last_starts_afresh(office: Pages) -> None:
    for _ in range(2):
        for _ in range(9):
            assert sign_in(office.browser(), "a wrong password") == 403
        assert sign_in(office.browser()) == 303


def test_the_brake_remembers_a_bounded_number_of_keys() -> None:
    brake = Throttle(1)
    now = at("03-01 08:00")
    brake.failed("first", now)
    for number in range(10_000):
        brake.failed(str(number), now)
    assert not brake.blocked("first", now)
    assert brake.blocked("9999", now)


@pytest.mark.parametrize("state", ["failing", "late"])
def test_f51_the_first_page_says_when_the_daemon_is_not_well(office: Pages, state: str) -> None:
    browser = office.browser()
    sign_in(browser)
    assert "正常，上次巡查在1秒前" in browser.get("/").text
    office.vitals = replace(office.vitals, state=state, tick_age_s=600.0)
    page = browser.get("/").text
    assert "上次巡查在10分钟前。请联系系统管理员。" in page


def test_the_first_page_names_a_refused_login_and_when_it_is_tried_again(office: Pages) -> None:
    now = office.desk.go("03-17 09:00").now
    wrong = answered(Phase.LOGIN, 535, "5.7.8 wrong password").text
    with office.desk.ledger.write() as connection:
        plans.set_mark(connection, TROUBLE, {"since": now.isoformat(), "reply": wrong}, now)
        plans.set_mark(connection, BARRED, (now + FIRST_BACKOFF).isoformat(), now)
    browser = office.browser()
    sign_in(browser)
    said = "邮件服务器不接受用户名或密码，答复“5.7.8 wrong password”。09:05再试，请联系系统管理员"
    assert said in browser.get("/").text


def test_the_first_page_counts_all_letters_that_were_given_up(make_pages: MakePages) -> None:
    pages = make_pages(many_sections(SHOWN + 3))
    for number in range(SHOWN + 3):
        pages.desk.relay.set(f"reject:s{number}@edu.example")
    pages.desk.beat("03-17 09:00")
    assert f"<dt>被拒收</dt><dd>{SHOWN + 3}封</dd>" in pages.insider().get("/").text


def test_a_page_that_is_not_there_says_so_in_chinese(office: Pages) -> None:
    answer = office.browser().get("/nothing")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text
    assert office.browser().delete("/login").status_code == 405


@ON_SQLITE
def test_a_ledger_that_cannot_be_read_is_an_answer_and_a_line_in_the_log(office: Pages) -> None:
    browser = office.browser()
    sign_in(browser)
    path = office.desk.ledger.path
    assert path is not None
    bureaus = office.desk.bureaus
    office.context = replace(office.context, bureaus=lambda: bureaus)
    office.desk.ledger.close()
    path.write_bytes(b"rubbish" * 1000)
    answer = browser.get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "请稍后再试" in answer.text
    assert "page.failed" in [name for name, _ in office.said]


def test_a_fault_of_our_own_shows_nothing_of_itself(office: Pages) -> None:
    browser = office.browser()
    sign_in(browser)

    def broken() -> Vitals:
        raise ZeroDivisionError("a secret")

    office.context = replace(office.context, vitals=broken)
    after = office.browser()
    after.cookies = browser.cookies
    with pytest.raises(ZeroDivisionError):
        after.get("/")
    silent = office.browser()
    silent._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    silent.cookies = browser.cookies
    answer = silent.get("/")
    assert answer.status_code == 500
    assert "出错了" in answer.text
    assert "secret" not in answer.text
