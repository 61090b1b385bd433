"""Who may come in by a link: scanners change nothing, forged and expired links open nothing."""

from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duban.letters import Recipient
from jobs.links import Feed, Form, Links
from tests.support.counters import KEYS, Office

FEED = Feed(1, Recipient("财务科"))
SCANNER = {"user-agent": "Mozilla/5.0 (compatible; mail gateway)"}


def unchanged(office: Office, before: int) -> bool:
    return office.state() == "open" and len(office.desk.events()) == before


def test_f47_a_scanner_that_opens_the_link_changes_nothing(office: Office) -> None:
    path = office.link()
    before = len(office.desk.events())
    for method in ("HEAD", "GET", "GET", "HEAD"):
        assert office.web.request(method, path, headers=SCANNER).status_code == 200
    for query in ("?act=hand_in", "?done=hand_in&item=1", "?form=x&act=withdraw&note=y"):
        assert office.web.get(path + query).status_code == 200
    assert unchanged(office, before)


def test_f47_a_scanner_that_posts_without_the_form_changes_nothing(office: Office) -> None:
    path = office.link()
    before = len(office.desk.events())
    assert office.web.post(path, headers=SCANNER).status_code == 400
    assert office.web.post(path, data={"act": "hand_in"}).status_code == 400
    assert office.post(path, {"act": "hand_in", "note": "x"}).status_code == 403
    assert unchanged(office, before)


def test_f47_a_scanner_that_sends_the_forms_as_they_stand_changes_nothing(
    office: Office,
) -> None:
    path = office.link()
    before = len(office.desk.events())
    for act in ("hand_in", "extend"):
        assert office.post(path, office.form(path, act)).status_code == 422
    assert unchanged(office, before)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_f47_no_other_method_is_known(office: Office, method: str) -> None:
    path = office.link()
    before = len(office.desk.events())
    assert office.web.request(method, path).status_code == 405
    assert unchanged(office, before)


def test_f47_a_hand_in_by_a_scanner_is_recorded_and_can_be_taken_back(office: Office) -> None:
    path = office.link()
    office.hand_in(path, note="filled in by a machine")
    assert [e.data["via"] for e in office.desk.events("submission.received")] == ["link"]
    office.post(path, office.form(path, "withdraw"))
    assert office.state() == "open"


def test_f48_a_replayed_form_changes_nothing(office: Office) -> None:
    path = office.link()
    form = office.form(path, "hand_in") | {"note": "已办"}
    assert office.post(path, form).status_code == 200
    again = office.post(path, form)
    assert again.status_code == 403
    assert "没有重复登记" in again.text
    assert len(office.desk.submissions()) == 1


def test_f48_a_form_of_before_a_withdrawal_is_void_after_it(office: Office) -> None:
    path = office.link()
    form = office.form(path, "hand_in") | {"note": "已办"}
    office.post(path, form)
    back = office.form(path, "withdraw")
    office.post(path, back)
    for replayed in (form, back):
        assert office.post(path, replayed).status_code == 403
    assert office.state() == "open"
    assert len(office.desk.submissions()) == 1


def test_f48_a_replayed_request_for_more_time_is_entered_once(office: Office) -> None:
    path = office.link()
    form = office.form(path, "extend") | {"wished": "2023-04-03", "reason": "数据未出"}
    assert office.post(path, form).status_code == 200
    assert office.post(path, form).status_code == 403
    assert len(office.desk.events("extension.requested")) == 1


def test_f48_an_expired_link_says_what_to_do_and_takes_nothing(office: Office) -> None:
    path = office.link()
    form = office.form(path, "hand_in") | {"note": "已办"}
    office.desk.go("04-23 17:00")
    assert office.web.get(path).status_code == 200
    office.desk.go("04-23 17:31")
    answer = office.web.get(path)
    assert answer.status_code == 403
    assert "已经过期" in answer.text
    assert "mailto:bangongshi@edu.example" in answer.text
    assert "专报" not in answer.text
    assert office.post(path, form).status_code == 403
    assert office.state() == "open"


def test_f48_a_moved_deadline_moves_the_links_end(office: Office) -> None:
    path = office.link()
    office.desk.override(deadline="2023-06-30 17:30")
    office.desk.go("05-30 10:00")
    assert office.web.get(path).status_code == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(st.characters(codec="utf-8"), min_size=1))
def test_f48_a_forged_link_is_refused_and_tells_nothing(office: Office, token: str) -> None:
    answer = office.web.get("/r/" + "".join(f"%{byte:02X}" for byte in token.encode()))
    assert answer.status_code in (403, 404)  # 404: a token holds no slash
    assert "edu.example" not in answer.text
    assert "专报" not in answer.text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(letter=st.integers(0, 10_000))
def test_f48_a_link_signed_by_another_key_is_refused(office: Office, letter: int) -> None:
    forged = Links("https://duban.edu.example", ("x" * 32,)).letter_token(letter)
    assert office.web.get(f"/r/{forged}").status_code == 403


def test_f48_a_signed_link_to_no_letter_is_refused(office: Office) -> None:
    answer = office.web.get(f"/r/{office.links.letter_token(99)}")
    assert (answer.status_code, "已经过期" in answer.text) == (403, False)


def test_f48_a_form_of_another_letter_or_thing_is_refused(office: Office) -> None:
    path = office.link()
    letter = office.links.letter_of(path.removeprefix("/r/"))
    seen = office.links.form_of(office.form(path, "hand_in")["form"]).seen
    for form in (Form(letter + 1, 1, seen), Form(letter, 2, seen)):
        fields = {"form": office.links.form(form), "act": "hand_in", "note": "x"}
        assert office.post(path, fields).status_code == 403
    assert office.state() == "open"


def test_f49_a_form_from_another_site_is_refused(office: Office) -> None:
    path = office.link()
    fields = office.form(path, "hand_in") | {"note": "x"}
    answer = office.web.post(
        path,
        data=fields,
        files=[("file", ("", b""))],
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert office.state() == "open"


def test_keys_can_be_changed_while_old_links_live(office: Office) -> None:
    path = office.link()
    newer = Links("https://duban.edu.example", (*KEYS, "n" * 32))
    assert newer.letter_of(path.removeprefix("/r/"))


def test_no_log_ever_holds_a_token(office: Office) -> None:
    path = office.link()
    office.hand_in(path, note="已办")
    office.web.get(path + "?done=hand_in&item=1")
    office.web.get(office.links.feed(FEED).removeprefix(office.links.public_url))
    logged = "\n".join(office.said)
    assert logged.count("/r/{token}") >= 4
    assert path.removeprefix("/r/") not in logged
    assert "/cal/{token}.ics" in logged
    assert office.links.feed(FEED).rpartition("/")[2] not in logged


def test_a_page_that_cannot_write_says_so_and_takes_nothing(office: Office) -> None:
    path = office.link()
    office.archive.folder.write_text("a file where the folder should be", encoding="utf-8")
    answer = office.hand_in(path, files=[("file", ("a.doc", b"x", "text/plain"))])
    assert answer.status_code == 503
    assert "没有生效" in answer.text
    assert office.state() == "open"
    assert any(line.startswith("page.failed") for line in office.said)


def test_an_upload_that_breaks_off_leaves_nothing(office: Office) -> None:
    path = office.link()
    address = office.web.base_url
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.host}\r\nContent-Length: 90000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    )
    with socket.create_connection((address.host, address.port or 80)) as wire:
        wire.sendall(head.encode())
    while not any("'status': 400" in line for line in office.said):
        office.web.get("/assets/page.css")
    assert office.state() == "open"
    assert not office.archive.folder.exists()
