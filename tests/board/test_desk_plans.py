"""Changes of the plan on the desk: errors by their place, or who would hear of them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from html import unescape

import pytest

from tests.board.test_desk import KEY, Officer, officer
from tests.support import small_plan
from tests.support.ledgers import at

__all__ = ["officer"]

OVERRIDES = "/desk/plans/demo-2023/overrides.yaml"
PLAN = "/desk/plans/demo-2023/plan.yaml"
LATER = """\
overrides:
  - item: monthly
    period: 2023-03
    section: 财务科
    deadline: 2023-03-31
    reason: 会议改期
"""


def content(officer: Officer) -> list[str]:
    """All that the ledger holds."""
    with closing(sqlite3.connect(str(officer.pages.desk.ledger.path))) as connection:
        return list(connection.iterdump())


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form with the text."""
    form = next(f for f in re.findall(r"<form .*?</form>", page, re.DOTALL) if 'name="was"' in f)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def preview(officer: Officer, text: str, path: str = OVERRIDES, status: int = 200) -> str:
    """Open a file, put this text in its place, and look at what would come of it."""
    fields = hidden(officer.open(path)) | {"text": text.replace("\n", "\r\n"), "act": "preview"}
    answer = officer.send(fields, path=path)
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def apply(officer: Officer, page: str, text: str, path: str = OVERRIDES, **typed: str) -> str:
    """Press 生效 on a preview; gives the page that comes then."""
    fields = hidden(page) | {"text": text, "act": "apply", "reason": "局务会决定"} | typed
    answer = officer.send(fields, path=path)
    if answer.status_code == 303:
        return officer.open(answer.headers["location"])
    return unescape(answer.text)


def test_a_preview_says_who_would_be_mailed_and_changes_nothing(officer: Officer) -> None:
    before = content(officer)
    page = preview(officer, LATER)
    assert "财务科</strong>　office@edu.example　变更函" in page
    assert "3月24日（周五）17:30 → 3月31日（周五）17:30" in page
    assert "+  - item: monthly" in page
    assert content(officer) == before
    assert not (officer.folder / "overrides.yaml").exists()


def test_what_was_previewed_is_what_the_daemon_then_sends(officer: Officer) -> None:
    page = apply(officer, preview(officer, LATER), LATER)
    assert "已保存，片刻后生效" in page
    assert (officer.folder / "overrides.yaml").read_text() == LATER
    (event,) = officer.pages.desk.events("plan.edited")
    assert (event.who, event.data) == (
        "办公室",
        {"file": "overrides.yaml", "reason": "局务会决定"},
    )
    officer.follow()
    assert officer.pages.desk.row(KEY).deadline == at("03-31 17:30")
    (sent,) = officer.pages.desk.deliver()
    assert (sent.ready.facts.kind.value, sent.mail.recipient) == ("change", "office@edu.example")


def test_a_mistake_is_shown_by_line_and_column_and_nothing_is_written(officer: Officer) -> None:
    page = preview(officer, LATER.replace("财务科", "材务科"), status=422)
    assert "overrides.yaml:4:14:" in page
    assert "有1处错误" in page
    assert "材务科" in page
    assert 'value="apply"' not in page


def test_what_was_changed_after_the_preview_is_previewed_again(officer: Officer) -> None:
    page = preview(officer, LATER)
    page = apply(officer, page, LATER.replace("03-31", "04-04"))
    assert "预览之后内容又改过" in page
    assert "4月4日" in page
    assert not (officer.folder / "overrides.yaml").exists()


def test_a_change_needs_its_reason(officer: Officer) -> None:
    assert "请写明修改的原因" in apply(officer, preview(officer, LATER), LATER, reason=" ")
    assert not (officer.folder / "overrides.yaml").exists()


def test_the_second_to_change_a_file_does_not_overwrite_the_first(officer: Officer) -> None:
    page = preview(officer, LATER)
    officer.do("exempt", reason="本月无此项工作")
    written = (officer.folder / "overrides.yaml").read_text()
    assert "已被别人或命令改过" in apply(officer, page, LATER)
    assert (officer.folder / "overrides.yaml").read_text() == written
    assert officer.pages.desk.events("plan.edited") == []


def test_pressing_twice_applies_once(officer: Officer) -> None:
    page = preview(officer, LATER)
    apply(officer, page, LATER)
    assert "已被别人或命令改过" in apply(officer, page, LATER)
    assert len(officer.pages.desk.events("plan.edited")) == 1


def test_a_moved_report_whose_reminder_is_due_is_announced(officer: Officer) -> None:
    earlier = LATER.replace("03-31", "03-21")
    page = preview(officer, earlier)
    assert "随后即提醒的事项：1" in page


def test_a_section_that_leaves_the_plan_gets_no_letter(officer: Officer) -> None:
    officer.pages.desk.beat("03-20 10:00")
    gone = re.sub(r"  - name: 初幼教科\n(    .*\n)+", "", small_plan.PLAN)
    page = preview(officer, gone, PLAN)
    assert "撤销</dt><dd>0" not in page
    assert "生效后发出的函：无" in page


def test_the_id_of_a_plan_stays(officer: Officer) -> None:
    page = preview(officer, small_plan.changed("id: demo-2023", "id: other"), PLAN, 422)
    assert "请改回 demo-2023" in page


def test_line_ends_of_the_file_stay_as_they_are(officer: Officer) -> None:
    path = officer.folder / "overrides.yaml"
    path.write_bytes(b"\xef\xbb\xbfoverrides:\r\n")
    open_end = LATER.rstrip("\n")
    apply(officer, preview(officer, open_end), open_end)
    assert path.read_bytes() == b"\xef\xbb\xbf" + LATER.replace("\n", "\r\n").encode()


def test_a_file_that_is_no_text_is_not_opened(officer: Officer) -> None:
    (officer.folder / "overrides.yaml").write_bytes(b"\xff\xfeo\0")
    assert officer.browser.get(OVERRIDES).status_code == 409
    fields = hidden(officer.open(PLAN)) | {"text": LATER, "act": "preview"}
    assert officer.send(fields, path=OVERRIDES).status_code == 200


@pytest.mark.parametrize("path", [PLAN + "x", "/desk/plans/other/plan.yaml"])
def test_no_other_file_is_opened(officer: Officer, path: str) -> None:
    assert officer.browser.get(path).status_code == 404


def test_a_folder_that_takes_nothing_is_said_and_nothing_is_logged(officer: Officer) -> None:
    page = preview(officer, LATER)
    (officer.folder / ".overrides.lock").mkdir()
    assert "不能写入" in apply(officer, page, LATER)
    assert officer.pages.desk.events("plan.edited") == []


def test_the_plans_page_lists_what_is_to_be_confirmed_and_where(officer: Officer) -> None:
    note = "    to_confirm: [分管领导待定]\n    source: L40\n"
    named = "    full_name: 初等教育与学前教育科\n"
    small_plan.save(officer.folder, small_plan.changed(named, named + note))
    page = officer.open("/desk/plans")
    assert "待核定 1" in page
    assert "初幼教科 (L40): 分管领导待定" in page
    assert "plan.yaml 第23行" in page


def test_the_plans_page_says_when_the_files_are_bad_or_ahead(officer: Officer) -> None:
    path = officer.folder / "overrides.yaml"
    path.write_text(LATER)
    assert "片刻后生效" in officer.open("/desk/plans")
    path.write_text(LATER.replace("财务科", "材务科"))
    page = officer.open("/desk/plans")
    assert "修改没有生效" in page
    assert "overrides.yaml:4:14:" in page


def test_where_another_machine_decides_no_plan_is_changed(officer: Officer) -> None:
    officer.pages.context = replace(officer.pages.context, folders=dict)
    other = officer.another("陈丽华")
    assert "不主持督办" in other.open("/desk/plans")
    assert other.browser.get(PLAN).status_code == 404


def test_a_long_plan_fits_into_the_form(officer: Officer) -> None:
    long = small_plan.PLAN + "# 备注备注备注备注备注备注\n" * 2_000
    assert "内容没有改动" not in preview(officer, long, PLAN)
