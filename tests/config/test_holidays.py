from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from chinese_calendar.constants import holidays as table_off
from chinese_calendar.constants import workdays as table_work
from hypothesis import given
from hypothesis import strategies as st

from config.holidays import Notice, parse_notice

NOTICES = Path(__file__).parent.parent / "fixtures" / "notices"
FILE = "holidays/2025.txt"
LINES = {
    "元旦": "一、元旦：1月1日（周三）放假1天，不调休。",
    "春节": "二、春节：1月28日（农历除夕、周二）至2月4日（农历正月初七、周二）放假调休，共8天。"
    "1月26日（周日）、2月8日（周六）上班。",
    "清明节": "三、清明节：4月4日（周五）至6日（周日）放假，共3天。",
    "劳动节": "四、劳动节：5月1日（周四）至5日（周一）放假调休，共5天。4月27日（周日）上班。",
    "端午节": "五、端午节：5月31日（周六）至6月2日（周一）放假，共3天。",
    "国庆节": "六、国庆节、中秋节：10月1日（周三）至8日（周三）放假调休，共8天。"
    "9月28日（周日）、10月11日（周六）上班。",
}


def original(year: int) -> str:
    return (NOTICES / f"{year}.txt").read_text(encoding="utf-8")


def notice_of(text: str, year: int = 2025) -> Notice:
    notice, problems = parse_notice(text, year, f"holidays/{year}.txt")
    assert problems == []
    assert notice is not None
    return notice


def problems_of(text: str, year: int = 2025) -> list[str]:
    notice, problems = parse_notice(text, year, FILE)
    assert notice is None
    return [str(problem) for problem in problems]


def with_line(festival: str, line: str) -> str:
    return "\n".join((LINES | {festival: line}).values())


def working(day: date, off: set[date], work: set[date]) -> bool:
    return day in work or (day not in off and day.weekday() < 5)


@pytest.mark.parametrize("year", [2012, 2017, 2019, 2021, 2022, 2023, 2024, 2025, 2026])
def test_the_notice_of_a_year_says_what_the_published_table_says(year: int) -> None:
    notice = notice_of(original(year), year)
    differing = []
    day = date(year - 1, 12, 28)
    while day <= date(year, 12, 27):
        by_notice = working(day, set(notice.off), set(notice.work))
        if by_notice != working(day, set(table_off), set(table_work)):
            differing.append(day)
        day += timedelta(days=1)
    assert differing == []


def test_the_notice_of_2020_differs_only_by_the_later_extension_of_the_spring_festival() -> None:
    notice = notice_of(original(2020), 2020)
    assert date(2020, 2, 1) in notice.work
    assert {day for day in table_off if day.year == 2020} - set(notice.off) == {
        date(2020, 1, 31),
        date(2020, 2, 1),
        date(2020, 2, 2),
    }


def test_a_notice_names_the_festival_of_each_day() -> None:
    notice = notice_of(original(2025))
    assert notice.year == 2025
    assert notice.off[date(2025, 2, 4)] == "春节"
    assert notice.off[date(2025, 10, 8)] == "国庆节、中秋节"
    assert notice.work[date(2025, 4, 27)] == "劳动节"
    assert len(notice.off) == 28
    assert sorted(notice.work) == list(notice.work)


def test_a_notice_may_make_a_december_saturday_a_working_day() -> None:
    assert notice_of(original(2012), 2012).work[date(2011, 12, 31)] == "元旦"


def test_a_notice_may_begin_its_first_holiday_in_december() -> None:
    assert min(notice_of(original(2023), 2023).off) == date(2022, 12, 31)


def test_a_december_without_its_year_is_the_one_before_the_new_year() -> None:
    line = "一、元旦：12月31日至1月1日放假调休，共2天。12月28日（周六）上班。"
    notice = notice_of(with_line("元旦", line))
    assert min(notice.off) == date(2024, 12, 31)
    assert min(notice.work) == date(2024, 12, 28)


def test_advice_to_rest_on_a_day_does_not_make_it_a_day_off() -> None:
    assert date(2024, 2, 9) not in notice_of(original(2024), 2024).off


def test_advice_about_a_date_is_no_problem() -> None:
    line = LINES["元旦"] + "鼓励各单位在1月2日安排休假。"
    assert date(2025, 1, 2) not in notice_of(with_line("元旦", line)).off


def test_the_long_sentences_of_2009_are_read_by_their_orders() -> None:
    line = (
        "一、元旦：1月1日放假，共1天。其中，1月1日（星期三、新年）为法定节假日，"
        "1月5日（星期日）公休日调至1月2日（星期四）。1月2日（星期四）补休，1月5日（星期日）上班。"
    )
    notice = notice_of(with_line("元旦", line))
    assert [day.day for day in notice.off if day.month == 1][:2] == [1, 2]
    assert date(2025, 1, 5) in notice.work


def test_a_substitute_day_off_counts_as_a_day_off() -> None:
    assert notice_of(original(2017), 2017).off[date(2017, 1, 2)] == "元旦"


@pytest.mark.parametrize(
    "line",
    [
        "三、清明节：4月4日（周五）至6日（周日）放假，共3天。",
        "３．清明节：４月４日（星期五）—４月６日（星期天）放假公休，共三天。",
        "(三) 清明: 4月4日(礼拜五)~6日(周日)放假3天",
        "清明节：2025年4月4日至2025年4月6日放假，与周末连休，共2天。",
        "三、清明节4 月 4 日到 6 日放假。",
        "\ufeff三、清明节：4\u200b月4日、4月5日和6日放假，共3天。",
        "三、清明节：4⽉4⽇（周五）至6⽇（周⽇）放假，共3天。",
        "三、清明节：4月4日（周五）至\n6日（周日）放假，\n共3天。",
        "三、清明节：4月4日至6日放假调休，共3天。节日期间每班值守共2天。",
    ],
)
def test_the_same_days_are_read_however_they_are_written(line: str) -> None:
    notice = notice_of(with_line("清明节", line))
    assert [d for d in notice.off if d.month == 4] == [date(2025, 4, d) for d in (4, 5, 6)]


def test_paragraphs_may_stand_in_one_line() -> None:
    assert notice_of("".join(LINES.values())) == notice_of("\n".join(LINES.values()))


def test_a_make_up_day_on_a_line_of_its_own_is_not_lost() -> None:
    broken = LINES["劳动节"].replace("。4月", "。\n4月")
    assert date(2025, 4, 27) in notice_of(with_line("劳动节", broken)).work


def test_a_make_up_day_may_leave_out_the_month_of_the_day_before() -> None:
    line = LINES["春节"].replace("1月26日（周日）、", "1月25日（周六）、26日（周日）、")
    assert date(2025, 1, 26) in notice_of(with_line("春节", line)).work


def test_a_single_holiday_beside_the_festivals_is_read() -> None:
    extra = "七、抗战胜利80周年纪念日：9月3日（周三）放假1天。"
    text = "\n".join([*LINES.values(), extra])
    assert notice_of(text).off[date(2025, 9, 3)] == "抗战胜利80周年纪念日"


def test_a_notice_of_another_year_is_refused_at_the_year_of_its_heading() -> None:
    assert problems_of(original(2024))[0] == (
        f"{FILE}:1:9: the notice is for 2024, but the file is for 2025"
    )


def test_a_heading_broken_over_two_lines_is_still_compared() -> None:
    text = original(2025).replace("关于2025年", "关于2026年").replace("现将2025年", "现将2023年")
    assert problems_of(text) == [
        f"{FILE}:1:9: the notice is for 2026, but the file is for 2025",
        f"{FILE}:6:10: the notice is for 2023, but the file is for 2025",
    ]


def test_a_text_without_any_festival_is_refused_once() -> None:
    assert problems_of("国务院办公厅\n") == [
        f"{FILE}:1:1: no festival found; paste the notice with its lines like 一、元旦：…"
    ]


def test_a_cut_off_notice_is_refused_with_the_names_of_what_is_missing() -> None:
    text = "\n".join(list(LINES.values())[:4])
    length = len(LINES["劳动节"])
    assert problems_of(text) == [
        f"{FILE}:4:{length + 1}: 端午节、中秋节、国庆节 missing: was the notice pasted to its end?"
    ]


def test_what_is_missing_is_reported_at_the_end_of_the_last_festivals_line() -> None:
    text = "\n".join([*LINES.values(), "国务院办公厅"]).replace(LINES["清明节"], "")
    length = len(LINES["国庆节"])
    assert problems_of(text) == [
        f"{FILE}:6:{length + 1}: 清明节 missing: was the notice pasted to its end?"
    ]


@pytest.mark.parametrize(
    ("festival", "right", "wrong", "marked", "message"),
    [
        ("元旦", "周三", "周四", "周四", "2025-01-01 is a 周三, not a 周四"),
        ("劳动节", "（周日）", "（星期六）", "星期六", "2025-04-27 is a 星期日, not a 星期六"),
        ("清明节", "共3天", "共2天", "2天", "2 days stated, but the dates are 3"),
        ("清明节", "共3天", "共四天", "四天", "4 days stated, but the dates are 3"),
        ("元旦", "放假1天", "放假2天", "2天", "2 days stated, but the dates are 1"),
        (
            "劳动节",
            "4月27日（周日）",
            "4月28日",
            "4月28",
            "2025-04-28 is a 周一: no make-up working day",
        ),
        (
            "劳动节",
            "4月27日",
            "5月4日",
            "5月4",
            "2025-05-04 is a working day here, but a day off above",
        ),
        ("端午节", "5月31日（周六）", "5月32日", "5月32", "there is no 5月32日 in 2025"),
        ("端午节", "6月2日（周一）", "5月2日", "5月2", "the range from 2025-05-31 to 2025-05-02"),
        ("清明节", "4月4日", "4日", "4日", "a day without its month"),
        ("清明节", "至6日（周日）", "至3日", "3日", "the range from 2025-04-04 to 2025-04-03 ends"),
        (
            "清明节",
            "至6日（周日）",
            "至26日",
            "26日",
            "the range from 2025-04-04 to 2025-04-26 is 23",
        ),
        (
            "清明节",
            "4月4日（周五）至6日（周日）",
            "2024年4月4日至6日",
            "2024",
            "2024-04-04 does not belong",
        ),
        ("元旦", "1月1日（周三）", "2024年11月30日至12月2日", "2024", "2024-11-30 does not belong"),
        ("清明节", "放假", "放價", "4月4", "2025-04-04 is followed by neither 放假 nor 上班"),
        ("劳动节", "上班", "上斑", "4月27", "2025-04-27 is followed by neither 放假 nor 上班"),
        ("清明节", "6日（周日）", "", "4月4", "2025-04-04 is followed by neither 放假 nor 上班"),
        ("劳动节", "（周日）上班。", "（周日", "4月27", "2025-04-27 is followed by neither"),
        (
            "清明节",
            "4月4日（周五）至6日（周日）放假，共3天",
            "另行通知",
            "另",
            "no day off found for 清明节",
        ),
    ],
)
def test_a_mistyped_paragraph_is_refused_at_the_wrong_word(
    festival: str, right: str, wrong: str, marked: str, message: str
) -> None:
    line = LINES[festival]
    assert right in line
    mistyped = line.replace(right, wrong, 1)
    row = list(LINES).index(festival) + 1
    found = problems_of(with_line(festival, mistyped))
    at = mistyped.rindex(marked) + 1
    assert found[0].startswith(f"{FILE}:{row}:{at}: {message}"), found


@pytest.mark.parametrize(
    ("festival", "column", "line"),
    [
        ("劳动节", 7, "四、劳动节：5月2日（周五）至5日（周一）放假调休，共4天。"),
        ("元旦", 6, "一、元旦：2026年1月1日（周四）放假1天。"),
    ],
)
def test_a_festival_without_its_own_day_is_refused_after_its_name(
    festival: str, column: int, line: str
) -> None:
    (found,) = problems_of(with_line(festival, line))
    row = list(LINES).index(festival) + 1
    assert found.startswith(f"{FILE}:{row}:{column}: the days off of {festival} do not include")


def test_a_make_up_day_of_one_festival_cannot_be_a_day_off_of_another() -> None:
    line = LINES["元旦"] + "10月5日（周日）上班。"
    assert problems_of(with_line("元旦", line)) == [
        f"{FILE}:6:11: 2025-10-05 is a day off here, but a working day above"
    ]


def test_a_wrong_weekday_on_a_make_up_day_is_one_problem_not_two() -> None:
    line = LINES["劳动节"].replace("4月27日", "4月28日")
    assert len(problems_of(with_line("劳动节", line))) == 1


def test_a_festival_that_stands_twice_is_refused() -> None:
    text = "\n".join([*LINES.values(), LINES["元旦"]])
    assert problems_of(text) == [
        f"{FILE}:7:3: 元旦 stands here a second time; keep the newer paragraph only"
    ]


def test_all_mistakes_are_reported_at_once_in_their_order() -> None:
    text = "\n".join(LINES.values()).replace("（周三）放假1天", "（周四）放假2天")
    text = text.replace("4月27日（周日）", "4月28日")
    assert [problem.split(":")[1] for problem in problems_of(text)] == ["1", "1", "4"]


@given(st.text())
def test_any_text_is_read_without_a_crash(text: str) -> None:
    notice, problems = parse_notice(text, 2025, FILE)
    assert (notice is None) == bool(problems)


@given(st.data())
def test_a_damaged_notice_is_read_or_refused_at_a_place_within_it(data: st.DataObject) -> None:
    text = original(2025)
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:at] + data.draw(st.sampled_from("至日月（）。0123一周，\n")) + text[at + 1 :]
    notice, problems = parse_notice(damaged, 2025, FILE)
    lines = damaged.split("\n")
    assert (notice is None) == bool(problems)
    for problem in problems:
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
