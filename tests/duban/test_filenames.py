"""File names: what a sender wrote, shown cleanly and written safely."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from duban.filenames import SAFE_BYTES, SHOWN_CHARACTERS, UNNAMED, safe_name, shown_name


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("3月专报.docx", "3月专报.docx"),
        ("  3月\t 专报 .docx ", "3月 专报 .docx"),
        ("../../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\桌面\\总结.doc", "总结.doc"),
        ("总结\r\nX-Header: 1.doc", "总结 X-Header: 1.doc"),
        ("总结\u202excod.exe", "总结xcod.exe"),
        ("a\x00b\x1b[31m.pdf", "ab[31m.pdf"),
        ("", UNNAMED),
        ("...", UNNAMED),
        ("folder/", UNNAMED),
    ],
)
def test_f46_a_name_is_shown_without_folders_and_tricks(given_name: str, shown: str) -> None:
    assert shown_name(given_name) == shown


def test_a_long_name_is_shown_short_with_its_ending() -> None:
    shown = shown_name("很长的名字" * 60 + ".docx")
    assert len(shown) == SHOWN_CHARACTERS
    assert shown.endswith("….docx")


def test_a_long_name_without_an_ending_is_shown_short() -> None:
    assert shown_name("名" * 300) == "名" * (SHOWN_CHARACTERS - 1) + "…"


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("3月 专报.docx", "3月 专报.docx"),
        ("问题? 与 建议*.xlsx", "问题_ 与 建议_.xlsx"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("console.txt", "console.txt"),
    ],
)
def test_f46_a_name_is_written_as_any_file_system_takes_it(given_name: str, safe: str) -> None:
    assert safe_name(given_name) == safe


def test_a_taken_name_gets_a_number_whatever_its_capitals() -> None:
    taken = {"a.doc", "a-2.doc"}
    assert safe_name("A.doc", taken) == "A-3.doc"


@given(st.text())
@example("../..")
@example("a" * 400 + "." + "b" * 9)
def test_f46_no_name_leaves_its_folder_or_breaks_a_line(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe not in {".", ".."}
    assert not set(safe) & set('/\\:*?"<>|')
    assert len(safe.encode()) <= SAFE_BYTES
    for character in shown_name(name):
        assert unicodedata.category(character)[0] != "C"
        assert character not in "/\\"
