from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.holidays import Notice, parse_notice
from duban.calendar import FIRST_YEAR, LAST_YEAR, WorkCalendar

DAY = timedelta(days=1)
NOTICES = Path(__file__).parent.parent / "fixtures" / "notices"
CALENDAR = WorkCalendar()
days = st.dates(date(2020, 1, 1), date(2060, 12, 31))
steps = st.integers(-300, 300)


def notice(year: int) -> Notice:
    text = (NOTICES / f"{year}.txt").read_text(encoding="utf-8")
    found, problems = parse_notice(text, year, f"holidays/{year}.txt")
    assert not problems
    assert found is not None
    return found


def counted_by_hand(first: date, last: date) -> int:
    """The working days in (first, last], day by day."""
    total = 0
    while first < last:
        first += DAY
        total += CALENDAR.is_working(first)
    return total


def shifted_by_hand(day: date, n: int) -> date:
    """The definition of `shift`, day by day."""
    if n > 0:
        while n:
            day += DAY
            n -= CALENDAR.is_working(day)
        return day
    while not CALENDAR.is_working(day):
        day -= DAY
    for _ in range(-n):
        day -= DAY
        while not CALENDAR.is_working(day):
            day -= DAY
    return day


def test_every_day_from_2004_to_2026_is_as_the_published_table_says() -> None:
    first = date(2004, 1, 1)
    span = [first + i * DAY for i in range((date(2027, 1, 1) - first).days)]
    differing = [d for d in span if CALENDAR.is_working(d) != chinese_calendar.is_workday(d)]
    assert differing == []


@pytest.mark.parametrize("year", [2012, 2017, 2019, 2021, 2022, 2023, 2024, 2025, 2026])
def test_a_pasted_notice_gives_the_same_working_days_as_the_table(year: int) -> None:
    pasted = WorkCalendar({year: notice(year)}, last_known=year - 1)
    first = date(year - 1, 1, 1)
    span = [first + i * DAY for i in range((date(year, 12, 28) - first).days)]
    assert [d for d in span if pasted.is_working(d) != CALENDAR.is_working(d)] == []


@given(days, steps)
def test_counting_to_a_shifted_day_gives_the_shift_back(day: date, n: int) -> None:
    assert CALENDAR.count(day, CALENDAR.shift(day, n)) == n


@given(days, steps)
def test_shifting_there_and_back_ends_on_the_working_day_of_the_start(day: date, n: int) -> None:
    assert CALENDAR.shift(CALENDAR.shift(day, n), -n) == CALENDAR.on_or_before(day)


@given(days, days)
def test_shifting_by_the_count_reaches_the_working_day_of_the_end(a: date, b: date) -> None:
    assert CALENDAR.shift(a, CALENDAR.count(a, b)) == CALENDAR.on_or_before(b)
    assert CALENDAR.count(a, b) == -CALENDAR.count(b, a)


@given(days, steps, steps)
def test_shifts_add_up(day: date, m: int, n: int) -> None:
    assert CALENDAR.shift(CALENDAR.shift(day, m), n) == CALENDAR.shift(day, m + n)


@given(days, days, steps)
def test_a_later_day_is_never_shifted_to_an_earlier_one(a: date, b: date, n: int) -> None:
    first, last = sorted((a, b))
    assert CALENDAR.shift(first, n) <= CALENDAR.shift(last, n)
    assert CALENDAR.shift(first, n) < CALENDAR.shift(first, n + 1)
    assert CALENDAR.count(first, last) >= 0


@given(days, st.integers(-40, 40))
def test_shift_agrees_with_walking_day_by_day(day: date, n: int) -> None:
    assert CALENDAR.shift(day, n) == shifted_by_hand(day, n)


@given(days, st.integers(0, 400))
def test_count_agrees_with_walking_day_by_day(day: date, length: int) -> None:
    last = day + length * DAY
    assert CALENDAR.count(day, last) == counted_by_hand(day, last)


@given(days)
def test_the_nearest_working_days_enclose_a_day_with_nothing_between(day: date) -> None:
    before, after = CALENDAR.on_or_before(day), CALENDAR.on_or_after(day)
    assert before <= day <= after
    assert CALENDAR.is_working(before)
    assert CALENDAR.is_working(after)
    assert (before == after) == CALENDAR.is_working(day)
    assert CALENDAR.count(before, after) == (before != after)


def test_a_day_off_is_counted_from_the_working_day_before_it() -> None:
    saturday = date(2023, 3, 25)
    assert CALENDAR.shift(saturday, 0) == date(2023, 3, 24)
    assert CALENDAR.shift(saturday, -1) == date(2023, 3, 23)
    assert CALENDAR.shift(saturday, 1) == date(2023, 3, 27)


def test_shift_and_count_skip_a_festival_and_use_its_make_up_days() -> None:
    assert CALENDAR.shift(date(2023, 9, 28), 1) == date(2023, 10, 7)
    assert CALENDAR.count(date(2023, 9, 28), date(2023, 10, 9)) == 3


def test_a_count_over_many_years_adds_their_totals() -> None:
    total = sum(CALENDAR.is_working(date(2020, 1, 1) + i * DAY) for i in range(2557))
    assert CALENDAR.count(date(2019, 12, 31), date(2026, 12, 31)) == total
    assert CALENDAR.shift(date(2019, 12, 31), total) == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2023, 3, 24), "工作日"),
        (date(2023, 3, 25), "周六"),
        (date(2023, 3, 26), "周日"),
        (date(2023, 6, 22), "端午节"),
        (date(2023, 6, 25), "调休上班（端午节）"),
        (date(2023, 4, 5), "清明节"),
        (date(2022, 12, 31), "元旦"),
        (date(2015, 9, 3), "抗战胜利70周年纪念日"),
        (date(2030, 10, 3), "国庆节"),
    ],
)
def test_a_day_is_named_as_an_office_would_name_it(day: date, name: str) -> None:
    assert CALENDAR.name(day) == name


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (
            date(2023, 6, 25),
            "2023-06-25 周日，调休上班（端午节），工作日（chinesecalendar {version} 的 2023 年表）",
        ),
        (date(2023, 3, 24), "2023-03-24 周五，工作日（chinesecalendar {version} 的 2023 年表）"),
        (
            date(2022, 12, 31),
            "2022-12-31 周六，元旦，休息日（chinesecalendar {version} 的 2023 年表）",
        ),
        (date(2025, 6, 2), "2025-06-02 周一，端午节，休息日（holidays/2025.txt）"),
        (
            date(2026, 10, 1),
            "2026-10-01 周四，国庆节，休息日（2026年放假安排未公布，按周末和固定节日推算）",
        ),
        (
            date(2025, 12, 28),
            "2025-12-28 周日，休息日（holidays/2025.txt；"
            "2026年放假安排未公布，元旦调休可能改变这一天）",
        ),
    ],
)
def test_why_names_the_day_and_its_source(day: date, sentence: str) -> None:
    calendar = WorkCalendar({2025: notice(2025)}, last_known=2024)
    assert calendar.why(day) == sentence.format(version=chinese_calendar.__version__)


def test_a_notice_replaces_the_table_in_its_own_year_and_on_the_days_it_names() -> None:
    only = Notice(
        2023,
        off={date(2022, 12, 30): "元旦", date(2023, 1, 3): "元旦"},
        work={date(2023, 6, 24): "端午节"},
    )
    calendar = WorkCalendar({2023: only})
    assert not calendar.is_working(date(2022, 12, 30))
    assert not calendar.is_working(date(2023, 1, 3))
    assert calendar.is_working(date(2023, 6, 24))
    assert calendar.is_working(date(2023, 6, 22))
    assert calendar.name(date(2022, 12, 31)) == "周六"
    assert calendar.name(date(2022, 10, 8)) == "调休上班（国庆节）"
    assert calendar.name(date(2024, 2, 10)) == "春节"


def test_the_later_of_two_notices_decides_about_a_day_in_december() -> None:
    last = date(2027, 12, 31)
    earlier = Notice(2027, off={last: "元旦"}, work={})
    later = Notice(2028, off={}, work={last: "元旦"})
    assert not WorkCalendar({2027: earlier}).is_working(last)
    assert WorkCalendar({2027: earlier, 2028: later}).is_working(last)


def test_a_notice_may_name_a_day_of_the_january_after_its_year() -> None:
    sunday = date(2028, 1, 2)
    named = Notice(2027, off={}, work={sunday: "元旦"})
    assert WorkCalendar({2027: named}).name(sunday) == "调休上班（元旦）"


def test_calendars_do_not_see_each_others_notices() -> None:
    day = date(2023, 3, 1)
    changed = WorkCalendar({2023: Notice(2023, off={day: "元旦"}, work={})})
    assert not changed.is_working(day)
    assert WorkCalendar().is_working(day)


def test_a_year_without_an_arrangement_has_weekends_and_fixed_holidays_only() -> None:
    off = [
        date(2031, 1, 1) + i * DAY
        for i in range(365)
        if not CALENDAR.is_working(date(2031, 1, 1) + i * DAY)
    ]
    weekdays_off = [(d.month, d.day) for d in off if d.weekday() < 5]
    assert weekdays_off == [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)]


def test_the_second_of_may_is_a_holiday_only_since_2025() -> None:
    cut = WorkCalendar(last_known=2020)
    assert cut.name(date(2022, 5, 2)) == "工作日"
    assert cut.name(date(2025, 5, 2)) == "劳动节"


def test_f25_a_year_not_announced_is_provisional_until_its_notice_arrives() -> None:
    before = WorkCalendar(last_known=2022)
    after = WorkCalendar({2023: notice(2023)}, last_known=2022)
    sunday = date(2023, 6, 25)
    assert (before.announced(2023), after.announced(2023)) == (False, True)
    assert before.provisional(sunday)
    assert before.on_or_before(sunday) == date(2023, 6, 23)
    assert not after.provisional(sunday)
    assert after.on_or_before(sunday) == sunday


def test_f25_a_table_cut_at_a_year_forgets_what_the_next_years_notice_named() -> None:
    cut = WorkCalendar(last_known=2011)
    assert not cut.is_working(date(2011, 12, 31))
    assert cut.provisional(date(2011, 12, 31))
    assert WorkCalendar({2012: notice(2012)}, last_known=2011).is_working(date(2011, 12, 31))
    assert CALENDAR.is_working(date(2011, 12, 31))


@pytest.mark.parametrize("year", range(2005, 2026))
def test_f25_no_day_changes_by_the_next_notice_that_was_not_provisional(year: int) -> None:
    cut = WorkCalendar(last_known=year)
    first = date(year, 1, 1)
    span = [first + i * DAY for i in range(365)]
    changed = [d for d in span if cut.is_working(d) != CALENDAR.is_working(d)]
    assert [d for d in changed if not cut.provisional(d)] == []


@pytest.mark.parametrize(
    ("last_known", "expected"),
    [
        (2011, [31]),  # 1 January 2012 is a Sunday
        (2018, [29, 30, 31]),  # a Tuesday: the Monday may become a bridge
        (2019, [28, 29, 30, 31]),  # a Wednesday
        (2015, []),  # a Friday
        (2016, [31]),  # a Sunday
        (2025, [28]),  # a Thursday
    ],
)
def test_f25_the_days_before_an_unannounced_new_year_are_provisional_where_it_can_touch_them(
    last_known: int, expected: list[int]
) -> None:
    cut = WorkCalendar(last_known=last_known)
    assert [d for d in range(1, 32) if cut.provisional(date(last_known, 12, d))] == expected
    assert not any(CALENDAR.provisional(date(2015, 12, d)) for d in range(1, 32))


def test_f26_a_working_year_ends_and_the_next_begins_without_a_gap() -> None:
    assert CALENDAR.shift(date(2023, 12, 29), 1) == date(2024, 1, 2)
    assert CALENDAR.shift(date(2024, 1, 2), -1) == date(2023, 12, 29)
    assert CALENDAR.on_or_before(date(2024, 1, 1)) == date(2023, 12, 29)
    assert CALENDAR.count(date(2023, 12, 29), date(2024, 1, 1)) == 0


@given(st.integers(2020, 2060))
@example(2024)
def test_f26_the_end_of_february_is_counted_right_in_every_year(year: int) -> None:
    before, after = date(year, 2, 28), date(year, 3, 1)
    assert CALENDAR.count(before, after) == counted_by_hand(before, after)


def test_f26_a_leap_day_is_a_working_day_like_any_other() -> None:
    assert CALENDAR.shift(date(2024, 2, 28), 1) == date(2024, 2, 29)
    assert CALENDAR.shift(date(2024, 3, 1), -1) == date(2024, 2, 29)


@pytest.mark.parametrize("year", [FIRST_YEAR - 1, LAST_YEAR + 1])
def test_a_year_outside_the_calendar_is_refused_by_name(year: int) -> None:
    with pytest.raises(ValueError, match=f"covers 1990 to 2100, not {year}"):
        CALENDAR.is_working(date(year, 7, 1))
    with pytest.raises(ValueError, match=f"not {year}"):
        CALENDAR.provisional(date(year, 7, 1))


def test_a_shift_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="not 2101"):
        CALENDAR.shift(date(2100, 12, 31), 1)
    with pytest.raises(ValueError, match="not 1989"):
        CALENDAR.shift(date(1990, 1, 1), -1)


def test_the_first_and_the_last_day_of_the_calendar_can_be_asked_for() -> None:
    assert not CALENDAR.is_working(date(1990, 1, 1))
    assert CALENDAR.is_working(date(2100, 12, 31))
    assert CALENDAR.provisional(date(2100, 12, 31))
