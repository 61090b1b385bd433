"""The text of a pasted notice: its paragraphs, and the places of what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from config.problems import Problem

FESTIVALS = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节")

_NAME = r"(?:元旦|春节|清明节?|(?:五一)?(?:国际)?劳动节|端午节?|中秋节?|国庆节?)"
_ORDINAL = r"(?:\(?(?:[一二三四五六七八九十]{1,2}|\d{1,2})\)?[、.,:]?\s*)"
_HEADER = re.compile(
    rf"(?:^|(?<=。))[^\S\n]*(?:"
    rf"{_ORDINAL}?(?P<names>{_NAME}(?:\s*[、和及与]\s*{_NAME})*)\s*(?::|(?=\d))"
    rf"|{_ORDINAL}(?P<other>[^\W\d][^:。,\n]{{1,39}}):(?=[^。\n]*放假))",
    re.MULTILINE,
)
_HEADING_YEAR = re.compile(r"(?:关于|现将)\s*(?P<year>\d{4})\s*年[^。\d]{0,40}?(?:节假日|放假)")


def fold(text: str) -> str:
    """Full-width digits and punctuation, radicals of PDF files: one for one, so columns stay."""
    return "".join(_fold(character) for character in text)


def _fold(character: str) -> str:
    if character in "\u200b\ufeff":
        return " "
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


def headers(text: str) -> list[re.Match[str]]:
    """Where the festivals' paragraphs begin, in a text that has been folded."""
    return list(_HEADER.finditer(text))


def festivals(header: re.Match[str]) -> list[str]:
    """The festivals that a paragraph is about, under the names of `FESTIVALS`."""
    if header["other"]:
        return [header["other"].strip()]
    shorts = {name[:2]: name for name in FESTIVALS} | {"五一": "劳动节", "国际": "劳动节"}
    return [shorts[name[:2]] for name in re.findall(_NAME, header["names"])]


@dataclass
class Paste:
    """The pasted text and what has been gathered from it so far."""

    text: str
    year: int
    file: str
    off: dict[date, str] = field(default_factory=dict)
    work: dict[date, str] = field(default_factory=dict)
    festivals: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def report(self, at: int, message: str) -> None:
        """Note a problem with the character `at` of the text."""
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        self.problems.append(Problem(self.file, line, column, message))

    def line_of(self, at: int) -> tuple[int, int]:
        """Where the line with the character `at` begins and ends."""
        end = self.text.find("\n", at)
        return self.text.rfind("\n", 0, at) + 1, len(self.text) if end < 0 else end

    def check_heading(self) -> None:
        """Refuse another year's notice by its title and by its opening sentence."""
        for match in _HEADING_YEAR.finditer(self.text):
            if int(match["year"]) != self.year:
                message = f"the notice is for {match['year']}, but the file is for {self.year}"
                self.report(match.start("year"), message)

    def check_festivals(self, last: int) -> None:
        """Refuse a paste that lacks a festival, at the end of the `last` one's line."""
        if not self.festivals:
            self.report(0, "no festival found; paste the notice with its lines like 一、元旦：…")
            return
        missing = [name for name in FESTIVALS if name not in self.festivals]
        if missing:
            message = f"{'、'.join(missing)} missing: was the notice pasted to its end?"
            self.report(self.line_of(last)[1], message)
