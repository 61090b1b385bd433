"""The office's desk: accepting, returning and deciding about one obligation at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from config.loader import load_plan
from jobs.explain import account
from jobs.extensions import of_obligations, request
from scheduler.cli.accountprose import account_lines
from tests.support import small_plan
from tests.support.ledgers import at, told
from tests.support.pages import MakePages, Pages

KEY = "monthly/2023-03/财务科"
ME = "办公室"
REPORT = ("file", ("3月月报.docx", "三月份工作进展".encode(), "application/msword"))
EMPTY = ("file", ("", b"", "application/octet-stream"))


@dataclass
class Officer:
    """Somebody of the office before the desk, whose plan lies in a folder."""

    pages: Pages
    folder: Path
    browser: TestClient

    @property
    def id(self) -> int:
        """The obligation's row."""
        return int(self.pages.desk.row(KEY).id)

    @property
    def path(self) -> str:
        """The obligation's page."""
        return f"/desk/obligations/{self.id}"

    def open(self, path: str) -> str:
        """A page, which must be there, as text without marks of HTML."""
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    def form(self, act: str, path: str | None = None) -> dict[str, str]:
        """The hidden fields of a page's form for an act."""
        page = self.open(path or self.path)
        for form in re.findall(r"<form .*?</form>", page, re.DOTALL):
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
            if fields.get("act") == act:
                return fields
        raise AssertionError(f"there is no form to {act}")

    def send(self, fields: Mapping[str, str], *files: Any, path: str | None = None) -> Response:
        """Send a form, as a browser does."""
        sent: Response = self.browser.post(
            path or self.path, data=dict(fields), files=list(files) or [EMPTY]
        )
        return sent

    def do(self, act: str, *files: Any, path: str | None = None, **typed: str) -> str:
        """Fill in a form, send it, and read the page that comes then."""
        answer = self.send(self.form(act, path) | typed, *files)
        assert answer.status_code == 303, answer.text
        return self.open(answer.headers["location"])

    def state(self) -> str:
        return str(self.pages.desk.row(KEY).state)

    def follow(self) -> None:
        """The daemon reads the plan's files again."""
        plan = load_plan(self.folder).plan
        assert plan is not None
        self.pages.desk.replan(plan)

    def another(self, name: str) -> Officer:
        """A second officer with a browser of their own."""
        return replace(self, browser=self.pages.insider(name))


@pytest.fixture
def officer(make_pages: MakePages, tmp_path: Path) -> Officer:
    """Monday 20 March 2023, 10:00; 财务科's report is due on the 24th."""
    folder = tmp_path / "plan"
    folder.mkdir()
    plan = load_plan(small_plan.save(folder)).plan
    assert plan is not None
    pages = make_pages(plan, "03-01 08:00")
    pages.context = replace(pages.context, folders=lambda: {pages.desk.plan_id: folder})
    pages.desk.go("03-20 10:00")
    return Officer(pages, folder, pages.insider())


def hand_in(officer: Officer, hour: str = "03-20 10:00") -> None:
    """The section hands in, through its own link."""
    officer.pages.desk.go(hour).submit(KEY, who="财务科", via="link", reason="见附件")


def ask(officer: Officer) -> None:
    act = officer.pages.desk.act(KEY, who="财务科", via="link", reason="数据未出")
    request(officer.pages.desk.ledger, officer.pages.desk.bureau, act, date(2023, 4, 3))


def test_what_was_handed_in_waits_with_its_files_until_it_is_accepted(officer: Officer) -> None:
    assert "没有待核收的报送" in officer.open("/desk")
    officer.do("hand_in", REPORT)
    page = officer.open("/desk")
    assert "财务科　3月重点工作进展情况" in page
    assert "3月月报.docx" in page
    page = officer.do("accept", path="/desk")
    assert "3月20日 10:00 已核收：财务科 3月重点工作进展情况。" in page
    assert "没有待核收的报送" in page
    assert officer.state() == "accepted"
    (event,) = officer.pages.desk.events("submission.accepted")
    assert event.who == ME


@pytest.mark.parametrize(("arrived", "marked"), [("03-16 09:00", False), ("03-15 16:00", True)])
def test_a_hand_in_that_lies_for_three_working_days_is_marked(
    officer: Officer, arrived: str, marked: bool
) -> None:
    hand_in(officer, arrived)
    officer.pages.desk.go("03-20 10:00")
    page = officer.open("/desk")
    assert f"已待核{3 if marked else 2}个工作日" in page
    assert ("久待" in page) == marked


def test_a_return_gives_the_reason_and_a_new_time_limit(officer: Officer) -> None:
    hand_in(officer)
    page = officer.do("return", path="/desk", reason="缺下一步工作计划", date="2023-03-28")
    assert "已退回：财务科" in page
    row = officer.pages.desk.row(KEY)
    assert (row.state, row.deadline) == ("returned", at("03-28 17:30"))
    officer.pages.desk.reconcile()
    said = [str(sent.ready.facts.message) for sent in officer.pages.desk.deliver()]
    assert any("缺下一步工作计划" in one for one in said)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": "", "date": "2023-03-28"}, "请写明原因"),
        ({"reason": "缺计划", "date": ""}, "请选择新的时限"),
        ({"reason": "缺计划", "date": "3月28日"}, "请选择新的时限"),
        ({"reason": "缺计划", "date": "2023-03-17"}, "要晚于现在"),
    ],
)
def test_a_return_that_lacks_something_says_what_and_keeps_what_was_typed(
    officer: Officer, typed: dict[str, str], said: str
) -> None:
    hand_in(officer)
    answer = officer.send(officer.form("return") | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert typed["reason"] in answer.text
    assert officer.state() == "submitted"


def test_a_form_that_is_sent_twice_does_nothing_twice_and_says_so(officer: Officer) -> None:
    form = officer.form("hand_in") | {"note": "纸质材料，当面交来"}
    assert officer.send(form).status_code == 303
    again = officer.send(form)
    assert again.status_code == 409
    assert "您已于3月20日 10:00登记报送，这次没有重复办理" in again.text
    assert len(officer.pages.desk.submissions()) == 1


def test_the_second_of_two_officers_is_told_what_the_first_has_done(officer: Officer) -> None:
    hand_in(officer)
    second = officer.another("陈丽华")
    form = second.form("return") | {"reason": "缺计划", "date": "2023-03-28"}
    officer.do("accept", path="/desk")
    answer = second.send(form)
    assert answer.status_code == 409
    assert "办公室已于3月20日 10:00核收，您这次的操作没有登记" in answer.text
    assert officer.state() == "accepted"


def test_what_a_section_does_meanwhile_is_told_too(officer: Officer) -> None:
    form = officer.form("exempt") | {"reason": "本月无此项工作"}
    hand_in(officer)
    answer = officer.send(form)
    assert answer.status_code == 409
    assert "财务科已于3月20日 10:00登记报送" in answer.text
    assert not (officer.folder / "overrides.yaml").exists()


def test_a_paper_report_is_registered_by_hand_and_stops_the_reminders(officer: Officer) -> None:
    officer.do("hand_in", REPORT, note="纸质材料，当面交来")
    (received,) = officer.pages.desk.submissions()
    assert (received.by, received.via, received.note) == (ME, "board", "纸质材料，当面交来")
    assert told(officer.pages.desk.deliver()) == [("receipt", "office@edu.example")]
    assert officer.pages.desk.row(KEY).next_action_at is None


def test_a_registration_without_anything_says_what_is_missing(officer: Officer) -> None:
    answer = officer.send(officer.form("hand_in"))
    assert answer.status_code == 422
    assert "请选择文件" in answer.text
    assert officer.state() == "open"


def test_a_hand_in_is_taken_back_for_the_section(officer: Officer) -> None:
    hand_in(officer)
    assert "此事项恢复为未报送" in officer.do("withdraw", reason="报错了月份")
    assert officer.state() == "open"
    (event,) = officer.pages.desk.events("submission.withdrawn")
    assert (event.who, event.data["reason"]) == (ME, "报错了月份")


def test_an_exemption_stands_in_the_plan_and_the_log_with_who_and_why(officer: Officer) -> None:
    assert "已批准免报" in officer.do("exempt", reason="本月无此项工作")
    (event,) = officer.pages.desk.events("override.written")
    assert (event.who, event.data["reason"]) == (ME, "本月无此项工作")
    officer.follow()
    assert officer.state() == "exempt"
    assert "by: 办公室" in (officer.folder / "overrides.yaml").read_text()
    # the same form again, after the daemon has followed the file
    assert officer.browser.get(officer.path).status_code == 200


def test_an_extension_moves_the_deadline_once_the_daemon_reads_the_file(officer: Officer) -> None:
    hastened: list[bool] = []
    officer.pages.context = replace(officer.pages.context, hasten=lambda: hastened.append(True))
    officer = officer.another("陈丽华")
    form = officer.form("extend") | {"date": "2023-04-03", "reason": "会议改期"}
    assert officer.send(form).status_code == 303
    assert hastened == [True]
    again = officer.send(form)
    assert "您已于3月20日 10:00延期，这次没有重复办理" in again.text
    officer.follow()
    assert officer.pages.desk.row(KEY).deadline == at("04-03 17:30")


@pytest.mark.parametrize("day", ["2023-03-24", "2023-03-20", "x"])
def test_an_extension_that_gives_no_time_is_refused(officer: Officer, day: str) -> None:
    answer = officer.send(officer.form("extend") | {"date": day, "reason": "会议改期"})
    assert answer.status_code == 422
    assert officer.pages.desk.events("override.written") == []


def test_a_request_is_granted_for_another_day_than_was_wished(officer: Officer) -> None:
    ask(officer)
    page = officer.open("/desk/requests")
    assert "4月3日（周一）" in page
    assert "数据未出" in page
    page = officer.do("grant", path="/desk/requests", date="2023-03-31")
    assert "已同意延期：财务科" in page
    assert "没有待答复的延期申请" in page
    officer.follow()
    assert officer.pages.desk.row(KEY).deadline == at("03-31 17:30")


def test_a_request_is_refused_with_a_reason_that_the_section_reads(officer: Officer) -> None:
    ask(officer)
    form = officer.form("refuse", "/desk/requests")
    assert officer.send(form | {"reason": " "}).status_code == 422
    officer.do("refuse", path="/desk/requests", reason="督导在即")
    with officer.pages.desk.ledger.read() as connection:
        (asked,) = of_obligations(connection, [officer.id])
    assert (asked.outcome, asked.decided_by, asked.answer) == ("refused", ME, "督导在即")
    late = officer.send(form | {"reason": "督导在即"})
    assert "您已于3月20日 10:00不同意延期" in late.text


def test_a_decision_that_the_disk_does_not_take_leaves_nothing(officer: Officer) -> None:
    gone = officer.folder / "gone"
    officer.pages.context = replace(
        officer.pages.context, folders=lambda: {officer.pages.desk.plan_id: gone}
    )
    officer = officer.another("陈丽华")
    answer = officer.send(officer.form("exempt") | {"reason": "本月无此项工作"})
    assert answer.status_code == 422
    assert "不能写入方案文件夹" in answer.text
    assert officer.pages.desk.events("override.written") == []


def test_where_another_machine_decides_the_plan_is_not_written_here(officer: Officer) -> None:
    form = officer.form("exempt") | {"reason": "本月无此项工作"}
    officer.pages.context = replace(officer.pages.context, folders=dict)
    other = officer.another("陈丽华")
    assert 'value="exempt"' not in other.open(other.path)
    mine = other.form("hand_in") | {"act": "exempt", "reason": form["reason"]}
    assert "在主持督办的服务器上办理" in other.send(mine).text


def test_a_file_is_kept_by_the_browser_and_never_shown_as_a_page(officer: Officer) -> None:
    page = b"<script>alert(1)</script>"
    officer.do("hand_in", ("file", ("../../3月<月报>.html", page, "text/html")))
    (where,) = re.findall(r'href="(/desk/files/\d+)"', officer.open("/desk"))
    answer = officer.browser.get(where)
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert officer.pages.browser().get(where).status_code == 303


def test_a_file_that_the_archive_lost_is_said_plainly(officer: Officer) -> None:
    officer.do("hand_in", REPORT)
    (where,) = re.findall(r'href="(/desk/files/\d+)"', officer.open("/desk"))
    for path in officer.pages.context.archive.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    assert officer.browser.get(where).status_code == 503


@pytest.mark.parametrize("number", ["999", "99999999999", "0"])
@pytest.mark.parametrize("what", ["obligations", "files"])
def test_what_is_not_there_is_said_so(officer: Officer, what: str, number: str) -> None:
    assert officer.browser.get(f"/desk/{what}/{number}").status_code == 404


def test_too_much_at_once_says_how_much_is_taken(officer: Officer) -> None:
    form = officer.form("hand_in")
    assert officer.send(form, *[REPORT] * 6).status_code == 413
    big = ("file", ("大.pdf", b"x" * 1_100_000, "application/pdf"))
    answer = officer.send(form, big)
    assert answer.status_code == 413
    assert "合计不超过1 MB" in answer.text
    assert officer.state() == "open"


def test_of_a_stranger_no_file_is_read(officer: Officer) -> None:
    stranger = replace(officer, browser=officer.pages.browser())
    assert stranger.send({"act": "accept"}, REPORT).status_code == 403


@pytest.mark.parametrize("change", [{"act": "x"}, {"seen": "x"}, {"seen": ""}])
def test_a_form_that_is_not_ours_changes_nothing(officer: Officer, change: dict[str, str]) -> None:
    answer = officer.send(officer.form("hand_in") | {"note": "x"} | change)
    assert answer.status_code == 422
    assert officer.state() == "open"


def test_what_is_said_after_a_deed_is_only_what_the_visitor_did(officer: Officer) -> None:
    hand_in(officer)
    (event,) = officer.pages.desk.events("submission.received")
    for done in (event.id, 99999, "x", ""):
        assert 'role="status"' not in officer.open(f"/desk?done={done}")


def test_an_obligation_tells_its_whole_story_in_the_words_of_explain(officer: Officer) -> None:
    hand_in(officer)
    desk = officer.pages.desk
    with desk.ledger.read() as connection:
        found = account(desk.bureau, KEY, desk.bureau.local(desk.now), connection)
    assert found is not None
    page = re.sub(r"<[^>]+>", "", officer.open(officer.path))
    for line in account_lines(desk.bureau, found, desk.bureau.local(desk.now)):
        words = line.strip().partition("、")[2] if line[:1] in "一二三四五" else line.strip()
        assert all(word in page for word in words.split("  "))
