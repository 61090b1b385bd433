"""The office's mail on the desk: attached to an obligation or put aside, once; addresses mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from ledger.mails import MailState
from tests.support.inboxes import Inbox, answer, back
from tests.support.ledgers import CAIWU, told
from tests.support.pages import MakePages, Pages

STRANGER = "From: clerk@home.example"


@dataclass
class Officer:
    """Somebody of the office who looks at the mail."""

    pages: Pages
    inbox: Inbox
    browser: TestClient

    def open(self, path: str) -> str:
        found = self.browser.get(path)
        assert found.status_code == 200, found.text
        return unescape(found.text)

    def post(self, path: str, shown: str | None = None, **fields: str) -> Response:
        """Send a form with the token of the page on which it stands."""
        token = re.search(r'name="form_token" value="([^"]+)"', self.open(shown or path))
        assert token
        sent: Response = self.browser.post(path, data={"form_token": token[1], **fields})
        return sent


@pytest.fixture
def officer(make_pages: MakePages) -> Officer:
    """On 20 March a stranger has answered the reminder of the 17th, with a file."""
    pages = make_pages()
    inbox = Inbox(pages.desk, pages.context.archive)
    (letter,) = pages.desk.beat("03-17 09:00")
    pages.desk.go("03-20 11:00")
    raw = answer(letter, "月报见附件，请查收。", "../月报.pdf", sender=STRANGER)
    assert inbox.take(raw, arrived="03-20 10:05") is MailState.OPEN
    return Officer(pages, inbox, pages.insider())


def test_a_mail_that_could_not_be_matched_is_shown_with_its_reason(officer: Officer) -> None:
    page = officer.open("/desk/mails")
    assert "发件人不是该科室登记的邮箱" in page
    assert "clerk@home.example" in page
    page = officer.open("/desk/mails/1")
    assert "月报见附件，请查收。" in page
    assert ">月报.pdf</a>" in page
    likely = page.split('label="其他事项"')[0]
    assert "财务科 3月" in likely


def test_a_mail_is_attached_to_an_obligation_with_its_files_and_hour(officer: Officer) -> None:
    which = str(officer.pages.desk.row().id)
    done = officer.post("/desk/mails/1", act="assign", obligation=which)
    assert done.status_code == 303
    assert "登记为报送。" in officer.open(done.headers["location"])
    row = officer.pages.desk.row()
    assert row.state == "submitted"
    (received,) = officer.pages.desk.submissions()
    assert received.at.isoformat() == "2023-03-20T02:05:00+00:00"
    (event,) = officer.pages.desk.events("mail.assigned")
    assert (event.who, event.data["key"]) == ("办公室", CAIWU)
    assert "月报.pdf" in officer.open("/desk")
    assert told(officer.pages.desk.deliver()) == [("receipt", "caiwu@edu.example")]


def test_a_mail_is_put_aside_for_a_reason(officer: Officer) -> None:
    assert officer.post("/desk/mails/1", act="dismiss").status_code == 422
    done = officer.post("/desk/mails/1", act="dismiss", reason="与督办无关")
    assert "定为不作报送。" in officer.open(done.headers["location"])
    assert "没有待处理的来信" in officer.open("/desk/mails")
    (event,) = officer.pages.desk.events("mail.dismissed")
    assert (event.who, event.data["why"]) == ("办公室", "与督办无关")


def test_the_second_to_decide_about_a_mail_is_told_what_the_first_did(officer: Officer) -> None:
    officer.post("/desk/mails/1", act="dismiss", reason="与督办无关")
    again = officer.post("/desk/mails/1", act="dismiss", reason="与督办无关")
    assert again.status_code == 409
    assert "您已于3月20日 11:00把这封信定为不作报送，这次没有重复办理" in again.text
    other = Officer(officer.pages, officer.inbox, officer.pages.insider("陈丽华"))
    which = str(officer.pages.desk.row().id)
    late = other.post("/desk/mails/1", act="assign", obligation=which)
    assert late.status_code == 409
    assert "办公室已于3月20日 11:00把这封信定为不作报送" in late.text
    assert officer.pages.desk.submissions() == []


def test_what_was_handed_in_meanwhile_is_not_handed_in_by_a_mail(officer: Officer) -> None:
    which = str(officer.pages.desk.row().id)
    officer.pages.desk.submit()
    late = officer.post("/desk/mails/1", act="assign", obligation=which)
    assert late.status_code == 409
    assert "所选事项刚才已经报送或不需报送" in late.text


@pytest.mark.parametrize(
    "fields", [{"act": "assign", "obligation": x} for x in ("", "x", "99")] + [{"act": "x"}, {}]
)
def test_a_form_that_says_nothing_of_ours_changes_nothing(
    officer: Officer, fields: dict[str, str]
) -> None:
    assert officer.post("/desk/mails/1", **fields).status_code == 422
    assert officer.pages.desk.submissions() == []


def test_the_mail_as_it_came_is_kept_by_the_browser(officer: Officer) -> None:
    found = officer.browser.get("/desk/mails/1/original")
    assert found.content == officer.inbox.arrivals[0].raw
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["/desk/mails/9", "/desk/mails/9/original"])
def test_a_mail_that_is_not_there_is_said_so(officer: Officer, path: str) -> None:
    assert officer.browser.get(path).status_code == 404


@pytest.fixture
def bounced(officer: Officer) -> Officer:
    """The reminder of 22 March came back; the next one waits."""
    (letter,) = officer.pages.desk.beat("03-22 09:00")
    officer.inbox.take(back(officer.pages.desk.now, letter))
    officer.browser = officer.pages.insider("陈丽华")
    return officer


def test_an_address_is_shown_with_what_was_said_and_who_was_not_reminded(bounced: Officer) -> None:
    bounced.pages.desk.go("03-24 09:00").remind()
    bounced.browser = bounced.pages.insider("林美环")
    page = bounced.open("/desk/addresses")
    assert "caiwu@edu.example" in page
    assert "3月22日（周三）09:00" in page
    assert "550 5.1.1 mailbox unavailable" in page
    assert "财务科 3月" in page
    assert "提醒函<br>" in page


def test_a_mended_address_loses_its_mark_once(bounced: Officer) -> None:
    shown = {"shown": "/desk/mails", "address": "caiwu@edu.example"}
    done = bounced.post("/desk/addresses", **shown)
    assert done.status_code == 303
    assert "已消除 caiwu@edu.example 的退信标记" in bounced.open(done.headers["location"])
    assert bounced.inbox.returned() == []
    again = bounced.post("/desk/addresses", **shown)
    assert again.status_code == 409
    assert "已由您于3月22日 09:00消除，这次没有重复办理" in again.text
    other = bounced.post("/desk/addresses", shown="/desk/mails", address="x@edu.example")
    assert other.status_code == 422
