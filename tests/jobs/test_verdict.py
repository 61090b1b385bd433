"""What a received mail means: which obligation, if any, it hands in."""

from __future__ import annotations

import pytest

from jobs.verdict import Course, Owed, Part, Why, judge
from mailroom.reader.mail import read
from tests.support.mails import file_part, hand_in, mail, multipart, text, words_part

SENDERS = frozenset(("caiwuke@jyj.example",))


def owed(
    key: str = "monthly/2023-03/财务科", *names: str, period: str = "2023-03", open_: bool = True
) -> Owed:
    """An obligation of the section that the letter spoke of."""
    return Owed(key=key, names=names or ("月报",), period=period, senders=SENDERS, owed=open_)


MONTHLY = owed()
FEBRUARY = owed("monthly/2023-02/财务科", period="2023-02")
SPECIAL = owed("special/2023-03/财务科", "专报", "工作专报")
HALF = owed("half-year/2023/财务科", "半年总结", period="2023")
ANNUAL = owed("annual/2023/财务科", "总结", period="2023")


def course(raw: bytes, *letter: Owed, asked: bool = False) -> tuple[Course, Why]:
    """What is to be done with a mail."""
    found = judge(read(raw), letter or None, asked=asked)
    return found.course, found.why


def taken(raw: bytes, *letter: Owed) -> tuple[Part, ...]:
    """What a mail hands in; it must hand in something."""
    found = judge(read(raw), letter, asked=False)
    assert found.course is Course.TAKE, found.why
    return found.parts


def test_an_answer_to_a_letter_about_one_thing_hands_it_in() -> None:
    assert taken(hand_in("请查收", "材料.pdf"), MONTHLY) == (Part(MONTHLY.key, (0,)),)


def test_a_report_in_the_clerks_own_words_counts() -> None:
    words = "3月工作进展：招生政策已印发。存在问题：无。下一步：组织培训。"
    assert taken(text(words), MONTHLY) == (Part(MONTHLY.key),)


@pytest.mark.parametrize(
    ("raw", "why", "what"),
    [
        (text("收到，谢谢！"), Why.ACKNOWLEDGED, Course.NOTHING),
        (text("好的"), Why.ACKNOWLEDGED, Course.NOTHING),
        (text(""), Why.EMPTY, Course.OFFICE),
        (text("> 原来的信"), Why.EMPTY, Course.OFFICE),
        (text("请问可以晚两天报吗？"), Why.QUESTION, Course.OFFICE),
        (text("申请延期至月底，因数据未齐。"), Why.QUESTION, Course.OFFICE),
    ],
)
def test_an_answer_that_carries_no_report_hands_in_nothing(
    raw: bytes, why: Why, what: Course
) -> None:
    assert course(raw, MONTHLY) == (what, why)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("From: evil@elsewhere.example", Why.STRANGER),
        ("From: caiwuke@jyj.example, evil@elsewhere.example", Why.NO_SENDER),
        ("From: caiwuke@jyj.example <evil@elsewhere.example>", Why.NO_SENDER),
        ('From: "caiwuke@jyj.example" <evil@elsewhere.example>', Why.STRANGER),
    ],
)
def test_f41_a_spoofed_answer_goes_to_the_office(header: str, why: Why) -> None:
    raw = multipart([words_part("月报"), file_part("月报.pdf")], header)
    assert course(raw, MONTHLY) == (Course.OFFICE, why)


def test_f41_a_mail_that_answers_no_letter_goes_to_the_office() -> None:
    assert course(hand_in()) == (Course.OFFICE, Why.NO_LETTER)


def test_f39_an_automatic_answer_is_never_a_report_whatever_it_carries() -> None:
    automatic = "Auto-Submitted: auto-replied"
    raw = multipart([words_part("月报"), file_part("月报.pdf")], automatic)
    assert course(raw, MONTHLY) == (Course.NOTHING, Why.AUTOMATIC)
    by_subject = multipart([words_part("月报"), file_part("月报.pdf")], "Subject: 自动回复: 月报")
    assert course(by_subject, MONTHLY) == (Course.OFFICE, Why.AUTOMATIC_WITH_FILES)


def test_f45_a_mail_that_cannot_be_read_goes_to_the_office() -> None:
    bomb = mail(b"Content-Type: multipart/mixed; boundary=b\r\n" * 100)
    assert course(bomb, MONTHLY) == (Course.OFFICE, Why.UNREADABLE)


def test_another_sections_part_of_a_letter_is_not_handed_in() -> None:
    other = Owed(key="x", names=("月报",), period="2023-03", senders=frozenset(("o@x",)), owed=True)
    assert taken(hand_in(), other, SPECIAL) == (Part(SPECIAL.key, (0,)),)


@pytest.mark.parametrize(
    ("words", "files", "expected"),
    [
        ("见附件", ["3月月报.docx"], {MONTHLY.key: (0,)}),
        ("见附件", ["财务科（工作专报）.docx"], {SPECIAL.key: (0,)}),
        ("见附件", ["专报.docx", "月报.docx"], {MONTHLY.key: (1,), SPECIAL.key: (0,)}),
        ("见附件", ["专报.docx", "附表.xlsx"], {SPECIAL.key: (0, 1)}),
        ("专报下周报。", ["月报.docx"], {MONTHLY.key: (0,)}),
        ("专报见附件", ["扫描件.pdf", "扫描件2.pdf"], {SPECIAL.key: (0, 1)}),
    ],
)
def test_of_several_the_files_or_else_the_words_say_which(
    words: str, files: list[str], expected: dict[str, tuple[int, ...]]
) -> None:
    found = taken(hand_in(words, *files), MONTHLY, SPECIAL)
    assert {part.key: part.files for part in found} == expected


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("见附件", ["材料.docx"]),
        ("3月材料见附件", ["材料.docx"]),
        ("月报和专报见附件", ["材料.docx"]),
        ("见附件", ["月报和专报.docx"]),
        ("见附件", ["专报.docx", "月报.docx", "附表.xlsx"]),
    ],
)
def test_what_is_not_said_plainly_is_asked_once_and_then_left_to_the_office(
    words: str, files: list[str]
) -> None:
    raw = hand_in(words, *files)
    assert course(raw, MONTHLY, SPECIAL) == (Course.ASK, Why.WHICH)
    assert course(raw, MONTHLY, SPECIAL, asked=True) == (Course.OFFICE, Why.STILL_UNCLEAR)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("3月月报.docx", MONTHLY.key),
        ("三月份月报.docx", MONTHLY.key),
        ("2023-03月报.docx", MONTHLY.key),
        ("202302月报.docx", FEBRUARY.key),
        ("２月月报.docx", FEBRUARY.key),
        ("02月材料（3月6日）.docx", FEBRUARY.key),
    ],
)
def test_the_period_tells_reports_of_one_name_apart(name: str, key: str) -> None:
    assert [part.key for part in taken(hand_in("见附件", name), FEBRUARY, MONTHLY)] == [key]


def test_a_longer_name_is_not_taken_for_the_shorter_one_within() -> None:
    assert [p.key for p in taken(hand_in("", "半年总结.docx"), ANNUAL, HALF)] == [HALF.key]


def test_the_last_one_open_is_meant_where_nothing_else_is_said() -> None:
    done = owed(MONTHLY.key, open_=False)
    assert [p.key for p in taken(hand_in("见附件", "材料.docx"), done, SPECIAL)] == [SPECIAL.key]


def test_what_was_handed_in_already_goes_to_the_office() -> None:
    done = owed(MONTHLY.key, open_=False)
    assert course(hand_in(), done) == (Course.OFFICE, Why.NOTHING_OWED)
    assert course(hand_in("更正", "月报.docx"), done, SPECIAL) == (Course.OFFICE, Why.NOTHING_OWED)


def test_every_reason_has_its_words_for_the_office() -> None:
    assert all(why.chinese for why in Why)
