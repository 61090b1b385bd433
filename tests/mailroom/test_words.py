"""Subjects and phrases as a clerk reads them."""

from __future__ import annotations

import ssl
from datetime import UTC, date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Kind, Light
from duban.facts import DigestFacts, ItemFacts, LetterFacts, LetterKind
from mailroom.groups import by_section
from mailroom.lines import WIDTH_COLUMNS, columns, pad, wrap
from mailroom.render import Speaker
from mailroom.replies import Phase, answered, failed
from mailroom.words import answer, day, left, mailto, moved, name
from tests.mailroom.letters import NOW, at, item, late, letter

SPEAKER = Speaker()
JUNE = at(6, 28, 9, 0)
TASK = item(kind=Kind.MILESTONE, label="召开会议", deadline=at(3, 31), days_left=7)


def subject(kind: LetterKind, *items: ItemFacts, **more: Any) -> str:
    rendered = SPEAKER.render(letter(kind, *items, **more))
    assert rendered.fallback is None
    return rendered.subject


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ((item(),), "【黄】3月专报 3月24日（周五）截止，还剩2个工作日"),
        ((item(deadline=at(3, 22), days_left=0),), "【黄】3月专报 3月22日（周三）今天17:30截止"),
        ((item(), item(label="月报")), "【黄】3月专报等2项 3月24日（周五）截止，还剩2个工作日"),
        (
            (item(), TASK),
            "【黄】3月专报等2项将到期，最早3月24日（周五）截止，还剩2个工作日",
        ),
        ((late(month=2, days=3),), "【红】2月月报 2月25日（周六）截止，逾期3个工作日"),
        (
            (late(month=2, days=3), item()),
            "【红】2月月报 2月25日（周六）截止，逾期3个工作日，另1项将到期",
        ),
        (
            (late(month=2, days=3), late(month=2, days=3, label="专报")),
            "【红】2月月报等2项 2月25日（周六）截止，逾期3个工作日",
        ),
        (
            (late(month=2, days=5), late(month=1, days=25), item()),
            "【红】1月月报等2项逾期，最早1月25日（周三）截止，逾期25个工作日，另1项将到期",
        ),
        (
            (item(light=Light.BLUE, label="半年总结", period="2023"),),
            "【蓝】半年总结 3月24日（周五）截止，还剩2个工作日",
        ),
    ],
)
def test_a_reminders_subject(items: tuple[ItemFacts, ...], said: str) -> None:
    assert subject(LetterKind.REMINDER, *items) == said


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ((late(),), "【红】财务科6月月报 6月25日（周日）截止，逾期1个工作日"),
        (
            (late(), late(month=5, days=22)),
            "【红】财务科5月月报等2项逾期，最早5月25日（周四）截止，逾期22个工作日",
        ),
        (
            (late(), late("组织科")),
            "【红】2个科室2项逾期：财务科6月月报等，6月25日（周日）截止，逾期1个工作日",
        ),
        (
            (late(), late("组织科", 22, month=5), late("民办教育管理科")),
            "【红】3个科室3项逾期：组织科5月月报等，最早5月25日（周四）截止，逾期22个工作日",
        ),
        (
            (late(), late("民办教育管理科", 22, label="专项整治情况")),
            "【红】2个科室2项逾期：民办教育管理科等，6月25日（周日）截止，逾期22个工作日",
        ),
        (
            (late(), item("组织科", deadline=at(6, 30))),
            "【红】财务科6月月报 6月25日（周日）截止，逾期1个工作日，另1项将到期",
        ),
        (
            (item(deadline=at(6, 30)), item("组织科", deadline=at(6, 30))),
            "【黄】2个科室2项将到期：财务科3月专报等，6月30日（周五）截止，还剩2个工作日",
        ),
    ],
)
def test_an_escalations_subject(items: tuple[ItemFacts, ...], said: str) -> None:
    assert subject(LetterKind.ESCALATION, *items, now=JUNE) == said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"old_deadline": at(3, 17)}, "【变更】3月专报时限改为3月24日（周五），原为3月17日"),
        (
            {"old_deadline": at(3, 24, 12, 0)},
            "【变更】3月专报时限改为3月24日（周五）17:30，原为3月24日",
        ),
        ({"exempt": True}, "【变更】3月专报免予报送"),
        ({"given_to": "组织科"}, "【变更】3月专报改由组织科办理"),
        ({"taken_from": "组织科"}, "【变更】3月专报由组织科转来，3月24日（周五）截止"),
    ],
)
def test_a_changes_subject(changed: dict[str, Any], said: str) -> None:
    assert subject(LetterKind.CHANGE, item(**changed)) == said


def test_several_changes_are_counted() -> None:
    two = (item(exempt=True), item(label="月报", exempt=True))
    assert subject(LetterKind.CHANGE, *two) == "【变更】2项应办事项有变更：3月专报等"


def test_a_receipts_subject_has_its_number() -> None:
    assert subject(LetterKind.RECEIPT, item(number="R1")) == "【回执】3月专报已收到，编号R1"


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ((late(),), "【绿】财务科6月月报已补报，督办结束"),
        ((late(), late("组织科")), "【绿】2个科室2项已补报，督办结束"),
        ((late(exempt=True),), "【绿】财务科6月月报已免予报送，督办结束"),
        ((TASK,), "【绿】财务科召开会议已办结，督办结束"),
    ],
)
def test_a_closings_subject(items: tuple[ItemFacts, ...], said: str) -> None:
    assert subject(LetterKind.CLOSING, *items) == said


def test_a_digests_subject_counts_what_wants_attention() -> None:
    figures = DigestFacts(open=4, on_time=0, late=0, overdue=(late(),), due_soon=(item(), TASK))
    said = subject(LetterKind.DIGEST, digest=figures)
    assert said == "【日报】3月22日（周三）督办日报：逾期1项、近期到期2项"


def test_another_years_dates_and_periods_name_their_year() -> None:
    old = item(period="2022-12", deadline=at(12, 23, year=2022), days_late=60)
    text = SPEAKER.render(letter(LetterKind.REMINDER, old)).text
    assert "2022年12月专报" in text
    assert "2022年12月23日（周五）到期" in text


def test_a_long_title_is_cut_in_the_subject_and_whole_in_the_letter() -> None:
    title = "研究制定关于建立中小学校党组织领导的校长负责制的若干措施并以市委办名义印发实施"
    long = item(kind=Kind.MILESTONE, label=title, title=title)
    rendered = SPEAKER.render(letter(LetterKind.REMINDER, long))
    assert len(rendered.subject) < 60
    assert title in rendered.html
    assert title in rendered.text.replace("\n    ", "")


def test_a_deadline_on_a_day_off_with_no_working_day_before_it_is_said_as_such() -> None:
    saturday = item(deadline=at(3, 25), days_left=0)
    assert left(saturday, at(3, 24, 9, 0)) == "今天是截止前最后一个工作日"


def test_the_plans_own_date_is_told_where_the_deadline_moved() -> None:
    assert moved(item(), NOW) == "方案原定3月25日（周六）"


def test_a_milestone_at_the_end_of_its_month_has_not_moved() -> None:
    assert moved(item(kind=Kind.MILESTONE, nominal=date(2023, 3, 31)), NOW) == ""


def test_a_label_that_names_its_month_is_not_given_another() -> None:
    assert name(item(label="3月专报"), NOW) == "3月专报"


def test_a_mailto_link_keeps_its_text_in_its_place() -> None:
    assert mailto("a@b.example", "x&body=y", "第一行\n二?") == (
        "mailto:a@b.example?subject=x%26body%3Dy&body=%E7%AC%AC%E4%B8%80%E8%A1%8C%0A%E4%BA%8C%3F"
    )


@given(st.lists(st.tuples(st.sampled_from("甲乙丙丁"), st.integers(1, 30)), min_size=1))
def test_grouping_keeps_every_item_and_puts_the_longest_overdue_first(
    drawn: list[tuple[str, int]],
) -> None:
    items = tuple(late(section, days) for section, days in drawn)
    groups = by_section(items)
    assert sorted(i.days_late for g in groups for i in g.items) == sorted(d for _, d in drawn)
    assert [g.days_late for g in groups] == sorted((g.days_late for g in groups), reverse=True)


def test_a_reminder_promises_the_receipt_after_the_office_has_registered_the_report() -> None:
    rendered = SPEAKER.render(letter(LetterKind.REMINDER, item(), office="局办公室"))
    said = "直接回复本邮件，附上材料。局办公室登记后发回执。"
    assert said in rendered.text
    assert said in rendered.html


def _letters() -> list[LetterFacts]:
    return [letter(LetterKind.REMINDER, item(provisional=True, project="某专项", reason="某原因"))]


def test_a_provisional_deadline_says_so_in_both_bodies() -> None:
    rendered = SPEAKER.render(_letters()[0])
    assert "放假安排未公布，时限暂定" in rendered.text
    assert "放假安排未公布，时限暂定" in rendered.html


@given(st.text(alphabet="一二，。“”a b@.（）", max_size=200), st.integers(0, 10))
def test_wrapped_text_is_the_same_text_within_the_width(text: str, indent: int) -> None:
    lines = wrap(text, indent).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    longest_word = max((columns(w) for w in text.split(" ")), default=0)
    if longest_word < 30:
        assert all(columns(line) <= WIDTH_COLUMNS + 4 for line in lines[1:])


@given(st.text(alphabet="一二，“” a.", max_size=200), st.integers(0, 10))
def test_no_further_line_begins_with_a_space_that_stood_alone(text: str, indent: int) -> None:
    lines = wrap(" ".join(text.split()), indent).split("\n")
    assert not any(line[indent:].startswith(" ") for line in lines[1:])


def test_one_instant_is_another_day_in_another_zone() -> None:
    beijing = at(3, 24, 7, 0)
    assert (day(beijing, NOW), day(beijing.astimezone(UTC), NOW)) == (
        "3月24日（周五）",
        "3月23日（周四）",
    )


def test_no_line_ends_with_an_opening_mark() -> None:
    lines = wrap("督办（" * 40).split("\n")
    assert len(lines) > 1
    assert not any(line.endswith("（") for line in lines[:-1])


def test_no_line_begins_with_a_closing_mark() -> None:
    lines = wrap("督办，" * 40).split("\n")
    assert len(lines) > 1
    assert not any(line.startswith("，") for line in lines)


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("督办", 4), ("6月月报", 7), ("“”", 4)])
def test_a_chinese_character_takes_two_columns(text: str, width: int) -> None:
    assert columns(text) == width
    assert columns(pad(text, 8)) == 8


def test_a_digest_counts_all_where_its_lists_hold_only_the_most_urgent() -> None:
    figures = DigestFacts(
        open=40, on_time=0, late=0, overdue=(late(), late("组织科")), overdue_count=31
    )
    rendered = SPEAKER.render(letter(LetterKind.DIGEST, digest=figures))
    assert "逾期31项" in rendered.subject
    assert "逾期（31项）" in rendered.text
    assert "另有29项" in rendered.text


def test_a_reminder_lists_only_the_milestones_of_today_and_to_come() -> None:
    tasks = (
        ("旧任务", date(2023, 3, 21)),
        ("今日任务", date(2023, 3, 22)),
        ("新任务", date(2023, 3, 31)),
    )
    rendered = SPEAKER.render(letter(LetterKind.REMINDER, item(), milestones=tasks))
    for body in (rendered.text, rendered.html):
        assert "3月22日（周三）前：今日任务" in body
        assert "3月31日（周五）前：新任务" in body
        assert "旧任务" not in body


def test_a_reminder_has_no_list_of_milestones_where_all_are_past() -> None:
    tasks = (("旧任务", date(2023, 3, 21)),)
    rendered = SPEAKER.render(letter(LetterKind.REMINDER, item(), milestones=tasks))
    assert "近期的月度任务" not in rendered.text + rendered.html


def test_a_duty_of_many_sections_is_one_line_of_the_digest() -> None:
    owed = tuple(item(f"第{n}科") for n in range(19))
    figures = DigestFacts(open=19, on_time=0, late=0, due_soon=owed)
    text = SPEAKER.render(letter(LetterKind.DIGEST, digest=figures)).text
    assert "3月专报：3月24日（周五）截止，还剩2个工作日（第0科、第1科、第2科等19个科室）" in (
        text.replace("\n    ", "")
    )


@pytest.mark.parametrize(
    ("phase", "error", "told"),
    [
        (Phase.CONNECT, ConnectionRefusedError("refused"), "连不上邮件服务器：refused"),
        (Phase.DATA, ConnectionResetError("reset"), "与邮件服务器的连接中断：reset"),
        (Phase.CONTENT, TimeoutError(), "邮件服务器迟迟没有应答（content）"),
        (
            Phase.TLS,
            ssl.SSLError(1, "bad certificate"),
            "与邮件服务器的加密连接失败：bad certificate",
        ),
    ],
)
def test_what_no_server_said_is_not_called_its_answer(
    phase: Phase, error: Exception, told: str
) -> None:
    assert answer(failed(phase, error).text) == told


@pytest.mark.parametrize("before", ["", "535 "])
def test_a_refused_login_is_named_as_one(before: str) -> None:
    """With the code in front, as the ledger keeps it, and without."""
    said = answered(Phase.LOGIN, 535, "5.7.8 wrong password").text
    assert answer(before + said) == "邮件服务器不接受用户名或密码，答复“5.7.8 wrong password”"


def test_a_server_s_answer_is_quoted() -> None:
    assert answer(answered(Phase.RECIPIENT, 550, "5.1.1 no such user").text) == (
        "服务器答复“5.1.1 no such user”"
    )
