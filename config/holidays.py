"""The State Council's yearly notice of holidays, pasted as it is, read and checked against itself.

The general office's notice (国务院办公厅关于20XX年部分节假日安排的通知) has one paragraph per
festival: `六、中秋节：9月15日至17日放假调休，共3天。9月14日（星期六）上班。` Everything else is
ignored. In a paragraph only dates directly before 放假, 补休, 调休 or 上班 count: the advice of
2024 to rest on 除夕（2月9日） orders nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import zip_longest

from config.noticetext import Paste, festivals, fold, headers
from config.problems import Problem

LONGEST_HOLIDAY_DAYS = 15
"""The longest so far had 10 days (春节 2020); more is a mistyped month."""

_FIXED_DAYS = {"元旦": (1, 1), "劳动节": (5, 1), "国庆节": (10, 1)}
_WEEKDAYS = "一二三四五六日"
_SATURDAY = 5
_NUMERALS = "零一二三四五六七八九十"

_TOKEN = re.compile(
    r"(?P<date>(?:(?:(?P<year>\d{4})\s*年\s*)?(?P<month>\d{1,2})\s*月\s*)(?P<day>\d{1,2})\s*[日号]?"
    r"|(?P<only>\d{1,2})\s*[日号])\s*(?:\((?P<note>[^()]*)\))?"
    r"|(?P<verb>(?:照常|正常|均)?(?:放假|补休|调休|(?P<work>上班)))"
    r"|共?\s*(?P<count>\d{1,3}|[一二三四五六七八九十])\s*天"
    r"|(?P<to>[至到~-]|[‐-―〜]+)"
    r"|(?P<glue>[、,和及\s]+)"
    r"|(?P<stop>连休|。)"
    r"|\([^()]*\)|."
)
_WEEKDAY = re.compile(r"(?P<word>周|星期|礼拜)(?P<name>[一二三四五六日天])")
_ASIDE = re.compile("其中|鼓励")
_VERB = re.compile("放假|补休|调休|上班")


@dataclass(frozen=True)
class Notice:
    """What a year's notice orders: days off and make-up working days, with the festival's name."""

    year: int
    off: Mapping[date, str]
    work: Mapping[date, str]


def parse_notice(text: str, year: int, file: str) -> tuple[Notice | None, list[Problem]]:
    """Read the notice of `year`: the notice, or None and every problem found, in their order.

    `file` names the source in the problems (`holidays/2025.txt`). Lines and columns are those of
    `text`, columns in characters, both from 1.
    """
    paste = Paste(fold(text), year, file)
    paste.check_heading()
    found = headers(paste.text)
    for header, following in zip_longest(found, found[1:]):
        _Paragraph(paste, header).read(following.start() if following else len(paste.text))
    paste.check_festivals(found[-1].end() if found else 0)
    if paste.problems:
        return None, sorted(paste.problems)
    return Notice(year, dict(sorted(paste.off.items())), dict(sorted(paste.work.items()))), []


@dataclass(frozen=True)
class _Span:
    """A date, or the two ends of a range; `at` and `last_at` are where they stand in the text."""

    at: int
    first: date
    last_at: int
    last: date

    def days(self) -> list[date]:
        """Every day of the range, both ends included."""
        return [self.first + timedelta(days=i) for i in range((self.last - self.first).days + 1)]


class _Paragraph:
    """One festival's sentences, read token by token: dates wait for the verb that follows them."""

    def __init__(self, paste: Paste, header: re.Match[str]) -> None:
        self.paste = paste
        self.header = header
        self.names = festivals(header)
        self.label = "、".join(self.names)
        self.waiting: list[_Span] = []
        self.in_range = False
        self.counting = False
        self.previous: date | None = None
        self.doubted: set[date] = set()
        self.off: set[date] = set()

    def read(self, end: int) -> None:
        """Gather the days up to `end` of the text and report what is wrong with them."""
        self._claim()
        before = len(self.paste.problems)
        for token in _TOKEN.finditer(self.paste.text, self.header.end(), end):
            self._take(token)
        self._strand()
        if len(self.paste.problems) == before:
            self._check_days()

    def _claim(self) -> None:
        for name in self.names:
            if name in self.paste.festivals:
                message = f"{name} stands here a second time; keep the newer paragraph only"
                self.paste.report(self.header.start("names"), message)
        self.paste.festivals += self.names

    def _check_days(self) -> None:
        """Each paragraph frees a day, those with a fixed date that very day."""
        if not self.off:
            self.paste.report(self.header.end(), f"no day off found for {self.label}")
            return
        for name in self.names:
            month, day = _FIXED_DAYS.get(name, (0, 0))
            if month and date(self.paste.year, month, day) not in self.off:
                message = f"the days off of {name} do not include {month}月{day}日"
                self.paste.report(self.header.end(), message)

    def _take(self, token: re.Match[str]) -> None:
        if token["date"]:
            self._date(token)
        elif token["verb"]:
            self._verb(working=token["work"] is not None)
        elif token["count"]:
            self._count(token)
        elif token["to"] and self.waiting:
            self.in_range = True
        elif not token["glue"]:
            self._strand()
            self.counting = self.counting and not token["stop"]

    def _date(self, token: re.Match[str]) -> None:
        try:
            day = self._resolve(token)
        except ValueError as error:
            self.paste.report(token.start(), str(error))
            self.waiting.clear()
            self.in_range = False
            return
        self.previous = day
        self._check_weekday(token, day)
        if self.in_range:
            self._close_range(token.start(), day)
        else:
            self.waiting.append(_Span(token.start(), day, token.start(), day))

    def _resolve(self, token: re.Match[str]) -> date:
        """The token's date; where it has no year or month, by the date before or the festival."""
        if token["month"]:
            month, day = int(token["month"]), int(token["day"])
            year = int(token["year"] or self._year_of(month))
        elif self.previous:
            year, month, day = self.previous.year, self.previous.month, int(token["only"])
        else:
            raise ValueError("a day without its month")
        try:
            return date(year, month, day)
        except ValueError:
            raise ValueError(f"there is no {month}月{day}日 in {year}") from None

    def _year_of(self, month: int) -> int:
        """A range goes on from its first day; the December of a 元旦 is the one before it."""
        if self.in_range:
            first = self.waiting[-1].first
            return first.year + (month < first.month)
        return self.paste.year - (month == 12 and self.names[0] == "元旦")

    def _check_weekday(self, token: re.Match[str], day: date) -> None:
        named = _WEEKDAY.search(token["note"] or "")
        if named and _WEEKDAYS.index(named["name"].replace("天", "日")) != day.weekday():
            self.doubted.add(day)
            right = named["word"] + _WEEKDAYS[day.weekday()]
            self.paste.report(
                token.start("note") + named.start(), f"{day} is a {right}, not a {named[0]}"
            )

    def _close_range(self, at: int, last: date) -> None:
        self.in_range = False
        start = self.waiting.pop()
        length = (last - start.first).days + 1
        if 1 < length <= LONGEST_HOLIDAY_DAYS:
            self.waiting.append(_Span(start.at, start.first, at, last))
        else:
            wrong = "ends before it begins" if length < 2 else f"is {length} days long"
            self.paste.report(at, f"the range from {start.first} to {last} {wrong}")

    def _verb(self, *, working: bool) -> None:
        if self.in_range:
            self._strand()
        record = self._work if working else self._free
        for span in filter(self._belongs, self.waiting):
            for day in span.days():
                record(span.at, day)
        self.counting = self.counting or not working
        self.waiting.clear()

    def _belongs(self, span: _Span) -> bool:
        """Only the notice's year counts, with the December before it and the January after it."""
        year = self.paste.year
        for at, day in ((span.at, span.first), (span.last_at, span.last)):
            if not date(year - 1, 12, 1) <= day <= date(year + 1, 1, 31):
                self.paste.report(at, f"{day} does not belong to the notice of {year}")
                return False
        return True

    def _free(self, at: int, day: date) -> None:
        if day in self.paste.work:
            self.paste.report(at, f"{day} is a day off here, but a working day above")
        self.off.add(day)
        self.paste.off[day] = self.label

    def _work(self, at: int, day: date) -> None:
        if day in self.paste.off:
            self.paste.report(at, f"{day} is a working day here, but a day off above")
        elif day.weekday() < _SATURDAY and day not in self.doubted:
            self.paste.report(
                at, f"{day} is a 周{_WEEKDAYS[day.weekday()]}: no make-up working day"
            )
        self.paste.work[day] = self.label

    def _count(self, token: re.Match[str]) -> None:
        if self.counting and self.off:
            stated = token["count"]
            number = int(stated) if stated.isdecimal() else _NUMERALS.index(stated)
            if number != len(self.off):
                message = f"{number} days stated, but the dates are {len(self.off)}"
                self.paste.report(token.start("count"), message)

    def _strand(self) -> None:
        """Dates that no verb follows: a mistyped verb, unless an aside or the signature's date."""
        for span in self.waiting:
            if self._orders(span.at):
                message = f"{span.first} is followed by neither 放假 nor 上班"
                self.paste.report(span.at, message)
        self.waiting.clear()
        self.in_range = False

    def _orders(self, at: int) -> bool:
        text, (start, end) = self.paste.text, self.paste.line_of(at)
        sentence = text[text.rfind("。", 0, at) + 1 : at]
        in_header_line = start <= self.header.end() <= end
        return not _ASIDE.search(sentence) and bool(
            in_header_line or _VERB.search(text, start, end)
        )
