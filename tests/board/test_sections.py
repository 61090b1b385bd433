"""A letter's own page over HTTP: what a clerk does there, and what comes of it."""

from __future__ import annotations

import hashlib
import re

import pytest

from jobs.letterpage import read_page
from jobs.links import Form
from ledger.attachments import of_submissions
from tests.support.counters import LIMIT_BYTES, Office
from tests.support.ledgers import MakeDesk, at, one_report, told
from tests.support.plans import rule

SPAN = {"from": "2023-03", "until": "2023-03"}
REPORT = "三月份工作进展".encode()


def files(*names: str, content: bytes = REPORT) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (name, content, "application/msword")) for name in names]


def test_the_page_says_what_is_owed_by_when_and_whom_to_ask(office: Office) -> None:
    page = office.open(office.link())
    for said in ("3月工作专报", "3月24日（周五）17:30截止", "还剩5个工作日", "财务科"):
        assert said in page
    assert "mailto:bangongshi@edu.example" in page


def test_a_report_with_files_is_handed_in_and_kept_under_its_digests(office: Office) -> None:
    answer = office.hand_in(office.link(), files=files("3月专报.docx", "附件.xlsx"))
    assert answer.status_code == 200
    assert office.state() == "submitted"
    (received,) = office.desk.submissions()
    assert (received.via, received.by) == ("link", "财务科")
    with office.desk.ledger.read() as connection:
        kept = of_submissions(connection, [received.id])[received.id]
    assert [row.name for row in kept] == ["3月专报.docx", "附件.xlsx"]
    assert kept[0].sha256 == hashlib.sha256(REPORT).hexdigest()
    with office.archive.open(kept[0].sha256) as stored:
        assert stored.read() == REPORT


def test_the_receipt_is_shown_with_number_and_time_and_mailed_once(office: Office) -> None:
    page = office.hand_in(office.link(), files=files("3月专报.docx")).text
    number = office.desk.submissions()[0].number
    assert f"已收到，编号{number}，3月17日（周五）09:00" in page
    assert "3月专报.docx" in page
    assert told(office.desk.deliver()) == [
        ("receipt", "caiwu@edu.example"),
        ("notice", "bangongshi@edu.example"),
    ]
    assert told(office.desk.beat("03-22 09:00")) == []


def test_done_without_a_file_needs_a_word_of_how(office: Office) -> None:
    path = office.link()
    refused = office.hand_in(path)
    assert refused.status_code == 422
    assert "请选择文件" in refused.text
    assert office.state() == "open"
    assert office.hand_in(path, note="已于3月16日召开部署会").status_code == 200
    (received,) = office.desk.submissions()
    assert received.note == "已于3月16日召开部署会"


def test_who_hands_in_may_give_a_name(office: Office) -> None:
    path = office.link()
    fields = office.form(path, "hand_in") | {"note": "已办", "by": "经办\r\n甲"}
    office.post(path, fields)
    assert office.desk.submissions()[0].by == "财务科 经办 甲"


def test_a_section_withdraws_and_the_reminders_go_on(office: Office) -> None:
    path = office.link()
    office.hand_in(path, note="已办")
    page = office.post(path, office.form(path, "withdraw")).text
    assert "已撤回" in page
    assert office.state() == "open"
    assert told(office.desk.beat("03-22 09:00")) == [("reminder", "caiwu@edu.example")]


def test_after_the_office_has_accepted_there_is_no_withdrawal(office: Office) -> None:
    path = office.link()
    office.hand_in(path, note="已办")
    form = office.form(path, "withdraw")
    office.desk.accept()
    assert office.post(path, form).status_code == 403
    assert office.state() == "accepted"
    assert 'value="withdraw"' not in office.open(path)


def test_a_section_asks_for_more_time_and_sees_that_it_waits(office: Office) -> None:
    path = office.link()
    fields = office.form(path, "extend") | {"wished": "2023-04-03", "reason": "数据未出"}
    page = office.post(path, fields).text
    assert "申请已送办公室" in page
    assert "已申请延至4月3日（周一）" in page
    assert office.state() == "open"
    assert office.desk.row().deadline == at("03-24 17:30")


@pytest.mark.parametrize(
    ("wished", "reason", "said"),
    [
        ("2023-03-20", "数据未出", "希望的日期要晚于"),
        ("明天", "数据未出", "希望的日期要晚于"),
        ("2023-04-03", "  ", "请写明延期的原因"),
    ],
)
def test_a_request_that_lacks_something_says_what(
    office: Office, wished: str, reason: str, said: str
) -> None:
    path = office.link()
    answer = office.post(path, office.form(path, "extend") | {"wished": wished, "reason": reason})
    assert answer.status_code == 422
    assert said in answer.text
    assert office.desk.events("extension.requested") == []


def test_what_was_typed_is_still_there_after_a_mistake(office: Office) -> None:
    path = office.link()
    fields = office.form(path, "extend") | {"wished": "2023-03-01", "reason": "<b>数据</b>未出"}
    page = office.post(path, fields).text
    assert "&lt;b&gt;数据&lt;/b&gt;未出" in page
    assert "<b>" not in page


def test_what_was_returned_says_why_and_can_be_handed_in_again(office: Office) -> None:
    path = office.link()
    office.hand_in(path, note="已办")
    office.desk.give_back(limit="03-28 17:30")
    assert "已退回：缺下一步工作计划" in office.open(path)
    office.hand_in(path, files=files("修改稿.docx"))
    assert office.state() == "submitted"


def test_the_page_tells_what_was_reminded_when(office: Office) -> None:
    path = office.link()
    office.desk.beat("03-22 09:00")
    page = office.open(path)
    assert "已提醒2次" in page
    assert "3月22日 09:00　提醒" in page


def test_a_late_report_is_called_late(office: Office) -> None:
    path = office.link()
    office.desk.go("03-27 10:00")
    assert "迟报" in office.hand_in(path, note="补报").text
    assert office.desk.submissions()[0].late


def test_an_official_looks_and_cannot_act(office: Office) -> None:
    office.desk.beats("03-17 09:00", "03-22 09:00", "03-24 09:00")
    office.desk.go("03-27 09:00")
    path = office.link("escalation")
    page = office.open(path)
    assert "财务科" in page
    assert "<form" not in page
    letter = office.links.letter_of(path.removeprefix("/r/"))
    with office.desk.ledger.read() as connection:
        (item,) = read_page(connection, office.desk.bureaus, letter, office.desk.now).items
    form = office.links.form(Form(letter, item.id, item.seen))
    assert office.post(path, {"form": form, "act": "hand_in", "note": "x"}).status_code == 403
    assert office.state() == "open"


def test_a_letter_about_several_things_lets_each_be_handed_in(
    make_desk: MakeDesk, office: Office
) -> None:
    rules = [
        rule({"monthly": 25}, **SPAN),
        rule({"monthly": 25}, id="s", title="专项总结", **SPAN),
    ]
    office.desk.replan(one_report(rules=rules))
    office.desk.go("03-22 09:00")
    path = office.link()
    assert "2项应办事项" in office.open(path)
    office.post(path, office.form(path, "hand_in", nth=1) | {"note": "已办"})
    assert office.state() == "open"
    assert office.state("s/2023-03/财务科") == "submitted"


def test_the_page_brings_no_script_of_its_own_and_tells_nobody_where_one_was(
    office: Office,
) -> None:
    answer = office.web.get(office.link())
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?! src=)|\son\w+=|style=", answer.text)


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_what_the_page_needs_is_served(office: Office, name: str) -> None:
    office.link()
    answer = office.web.get(f"/assets/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/")


@pytest.mark.parametrize("name", ["letter.html", "..%2f__init__.py", "x"])
def test_nothing_else_is_served(office: Office, name: str) -> None:
    assert office.web.get(f"/assets/{name}").status_code == 404


def test_f46_a_name_with_folders_is_shown_clean_and_never_a_path(office: Office) -> None:
    page = office.hand_in(office.link(), files=files("../../../etc/cron.d/x<b>.sh")).text
    assert "x&lt;b&gt;.sh" in page
    assert "etc/cron" not in page
    kept = [p.name for p in office.archive.folder.rglob("*") if p.is_file()]
    assert kept == [hashlib.sha256(REPORT).hexdigest()]


@pytest.mark.parametrize("times", [1, 30])
def test_f46_more_bytes_than_the_limit_are_told_and_not_kept(office: Office, times: int) -> None:
    answer = office.hand_in(
        office.link(), files=files("大.zip", content=b"x" * (LIMIT_BYTES * times + 1))
    )
    assert answer.status_code == 413
    assert "合计不超过100 KB" in answer.text
    assert office.state() == "open"
    assert not office.archive.folder.exists()


def test_f46_more_files_than_the_limit_are_told_and_not_kept(office: Office) -> None:
    answer = office.hand_in(office.link(), files=files("1.doc", "2.doc", "3.doc", "4.doc"))
    assert answer.status_code == 413
    assert "一次最多3个文件" in answer.text
    assert office.state() == "open"


def test_a_form_that_is_none_is_told(office: Office) -> None:
    path = office.link()
    assert office.web.post(path, content=b"x").status_code == 400
    head = {"content-type": "multipart/form-data; boundary=x"}
    assert office.web.post(path, content=b"nonsense", headers=head).status_code == 400
    fields = office.form(path, "hand_in") | {"act": "delete"}
    assert office.post(path, fields).status_code == 422
    assert office.state() == "open"
