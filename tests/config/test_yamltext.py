"""How the text of a plan is read, and where its mistakes of form are reported."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.yamltext import Document, read


def found(text: str | bytes) -> list[str]:
    """The problems in a text."""
    data = text.encode() if isinstance(text, str) else text
    return [str(p) for p in read(data, "f")[1]]


def document(text: str) -> Document:
    """The document of a text without problems."""
    made, problems = read(text.encode(), "f")
    assert made is not None
    assert problems == []
    return made


def test_every_scalar_stays_the_text_that_was_written() -> None:
    text = "{a: 2023-02-01, b: 9:30, c: on, d: 0o14, e: 1_000, f: 'null', g: .5, h: =}"
    values = list(document(text).value.values())
    assert values == ["2023-02-01", "9:30", "on", "0o14", "1_000", "null", ".5", "="]


@pytest.mark.parametrize("empty", ["", "~", "null", "Null", "NULL"])
def test_an_empty_plain_scalar_is_none(empty: str) -> None:
    assert document(f"a: {empty}\n").value == {"a": None}


@pytest.mark.parametrize("quoted", ["''", '""', "'~'", '"null"'])
def test_a_quoted_scalar_is_never_none(quoted: str) -> None:
    assert document(f"a: {quoted}\n").value == {"a": quoted[1:-1]}


def test_places_are_of_characters_not_bytes() -> None:
    made = document("计划: {题目: 甲, 时间: 乙}\n")
    assert made.values["计划", "时间"] == (1, 17)
    assert made.keys["计划", "时间"] == (1, 13)


def test_the_place_of_an_entry_is_that_of_its_content_behind_the_dash() -> None:
    made = document("a:\n  - b: 1\n  -   c: 2\n")
    assert (made.values["a", 0], made.values["a", 1]) == ((2, 5), (3, 7))


def test_the_place_of_an_empty_value_is_that_of_its_key() -> None:
    assert document("a:\nb: 1\n").values["a",] == (1, 1)


def test_windows_line_ends_count_as_one() -> None:
    assert document("a: 1\r\nb: 2\r\n").values["b",] == (2, 4)


def test_a_byte_order_mark_is_no_column() -> None:
    made, problems = read(b"\xef\xbb\xbfa: 1\n", "f")
    assert made is not None
    assert (made.keys["a",], problems) == ((1, 1), [])


MISTAKES = {
    "a tab in the indentation": (
        "a:\n\tb: 2\n",
        ["f:2:1: a tab in the indentation; use ordinary spaces"],
    ),
    "a tab behind spaces": (
        "a:\n  \tb: 2\n",
        ["f:2:3: a tab in the indentation; use ordinary spaces"],
    ),
    "every tab": (
        "a:\n\tb: 2\n\t# free\n\tc: 3\n",
        [
            "f:2:1: a tab in the indentation; use ordinary spaces",
            "f:4:1: a tab in the indentation; use ordinary spaces",
        ],
    ),
    "a full-width space in the indentation": (
        "a:\n　　b: 2\n",
        ["f:2:1: a full-width space in the indentation; use ordinary spaces"],
    ),
    "a full-width colon": (
        "id：x\nb: 1\n",
        ["f:1:3: a full-width colon '：' after 'id'; type ':' and a space"],
    ),
    "every full-width colon": (
        "a:\n  id：x\n  b: {c：1, d: 2}\n专报：\n  - e：5\n    f: 1\n",
        [
            "f:2:5: a full-width colon '：' after 'id'; type ':' and a space",
            "f:3:8: a full-width colon '：' after 'c'; type ':' and a space",
            "f:4:3: a full-width colon '：' after '专报'; type ':' and a space",
            "f:5:6: a full-width colon '：' after 'e'; type ':' and a space",
        ],
    ),
    "a full-width comma between keys": (
        "a: {b: 1，c: 2}\n",
        ["f:1:9: a full-width comma '，' between two keys; type ','"],
    ),
    "a colon without a space": (
        "a:b\nc: 1\n",
        ["f:1:2: the ':' after 'a' needs a space behind it"],
    ),
    "a duplicate key": (
        "a: 1\nb: 2\na: 3\n",
        ["f:3:1: the key 'a' is given twice; the first is on line 1"],
    ),
    "a duplicate key inside": (
        "a:\n  - {b: 1, c: 2, b: {d: 1}}\n",
        ["f:2:18: the key 'b' is given twice; the first is on line 2"],
    ),
    "an alias": (
        "a: &x 1\nb: *x\n",
        ["f:2:4: '*x' repeats another part; write it out instead"],
    ),
    "an alias of nothing": ("a: *x\n", ["f:1:4: '*x' repeats another part; write it out instead"]),
    "a tag": ("a: !!int 1\n", ["f:1:4: the tag '!!int' has no meaning here; leave it out"]),
    "a list as a key": (
        "? [a]\n: b\n",
        ["f:1:3: a key must be plain text, not a list or a mapping"],
    ),
    "an empty key": ("a: 1\n~: b\n", ["f:2:1: a key must be text; here it is empty"]),
    "a second document": (
        "a: 1\n---\nb: 1\n",
        ["f:2:1: a second document begins here; a file holds just one"],
    ),
    "a directive": (
        "%YAML 1.1\n---\na: 1\n",
        ["f:1:1: a line that begins with '%' has no meaning here; leave it out"],
    ),
    "a value that goes on deeper": (
        "a: 甲\n  b: 3\n",
        ["f:2:3: indented deeper than the line above, which already has its value"],
    ),
    "an indentation between two levels": (
        "a:\n  - b: 1\n   c: 2\n",
        ["f:3:4: the indentation does not fit the lines above"],
    ),
    "a list entry that is out of line": (
        "a:\n  - x\n - y\n",
        ["f:3:2: the indentation does not fit the lines above"],
    ),
    "a first line that is indented": (
        " a: 1\nb: 2\n",
        ["f:2:1: the indentation does not fit the lines above"],
    ),
    "two colons": (
        "a: b: c\n",
        ["f:1:5: a second ': ' in one value; put the value in quotes"],
    ),
    "a line without a key": (
        "a: 1\n甲\nb: 2\n",
        ["f:2:1: this line has no key: a key is followed by ':' and a space"],
    ),
    "a last line without a key": (
        "a: 1\n甲\n",
        ["f:2:1: this line has no key: a key is followed by ':' and a space"],
    ),
    "an open bracket": ("a: [1, 2\nb: 3\n", ["f:1:4: the '[' is never closed with ']'"]),
    "an open brace at the end": (
        "a: 1\nb: {c: '}', d: 2\n",
        ["f:2:4: the '{' is never closed with '}'"],
    ),
    "a missing comma": ("a: [{b: 1} {c: 2}]\n", ["f:1:12: a ',' or ']' is missing before this"]),
    "a bracket that closes nothing": ("a: 1\n]\n", ["f:2:1: a ']' that closes nothing"]),
    "an open quote": ("a: 'x\nb: 3\n", ["f:1:4: the quote ' is never closed"]),
    "a quote closed by another": (
        'a: "x”\nb: 3\n',
        ['f:1:4: the quote " is never closed (full-width quotes do not close it)'],
    ),
    "text behind a quote": (
        "a: 'it's'\nb: 1\n",
        ["f:1:8: text after the end of a value; put the whole value in quotes"],
    ),
    "an unknown escape": (
        'a: "x\\q"\n',
        ["f:1:6: a '\\' that stands for nothing; in single quotes a '\\' is a '\\'"],
    ),
    "a forbidden first character": (
        "a: @x\n",
        ["f:1:4: a value cannot begin with '@'; put it in quotes"],
    ),
    "a list on the key's line": (
        "a: - b\n",
        ["f:1:4: a '- ' where no list can be; a list begins on a line of its own"],
    ),
    "a control character": (
        "a: 1\nb: 甲\x01乙\n",
        ["f:2:5: an invisible character (U+0001); delete it"],
    ),
    "a line separator": (
        "a: 甲\u2028乙\n",
        ["f:1:5: an invisible character (U+2028); delete it"],
    ),
    "a lost character": (
        "a: 甲\ufffd\n",
        ["f:1:5: '\ufffd' stands for a character that was lost in a conversion; write it anew"],
    ),
    "a bomb of brackets": ("[" * 100_000, ["f:1:31: nested too deep: more than 30 levels"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_form_is_named_at_its_place(mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    assert found(text) == expected


@pytest.mark.parametrize("mistake", sorted(set(MISTAKES) - {"a bomb of brackets"}))
def test_the_pure_parser_says_the_same(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = MISTAKES[mistake]
    fast = found(text)
    monkeypatch.delattr(yaml, "CBaseLoader")
    assert found(text) == fast


def test_a_plan_reads_the_same_with_both_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a:\n  - {b: 'x', c: [1, ~]}\n  - |\n    y\n  -\nd: >-\n  z\n  w\ne: \"\\u4e2d\"\t#\n"
    fast = document(text)
    monkeypatch.delattr(yaml, "CBaseLoader")
    slow = document(text)
    assert (slow.value, slow.values, slow.keys) == (fast.value, fast.values, fast.keys)


def test_mistakes_of_form_do_not_hide_others_that_follow() -> None:
    assert found("id：x\nb: [1, 2\nc： 3\n") == [
        "f:1:3: a full-width colon '：' after 'id'; type ':' and a space",
        "f:3:2: a full-width colon '：' after 'c'; type ':' and a space",
        "f:2:4: the '[' is never closed with ']'",
    ]


def test_f33_gb18030_is_read_with_a_warning() -> None:
    made, problems = read("title: 泉州市教育局黄洺鋆\n".encode("gb18030"), "f")
    assert made is not None
    assert made.value == {"title": "泉州市教育局黄洺鋆"}
    assert [(str(p), p.severity) for p in problems] == [
        ("f:1:1: the file is in GB18030 (GBK); it was read, but save it as UTF-8", "warning")
    ]


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-32", "UTF-32")]
)
def test_f33_other_unicode_is_named_in_the_error(encoding: str, name: str) -> None:
    text = "plan:\n  id: demo\n  title: 计划\n"
    assert found(text.encode(encoding)) == [f"f:1:1: the file is in {name}; save it as UTF-8"]


def test_f33_damaged_utf8_is_refused_at_the_byte() -> None:
    data = "a: 重点工作\nb: 进展情况\n".encode()
    damaged = data.replace("展".encode(), "展".encode()[:2])
    assert found(damaged) == ["f:2:5: byte 0xe5 is not UTF-8 text; save the file as UTF-8"]


def test_f33_damaged_utf8_is_refused_even_where_it_could_be_read_as_gb18030() -> None:
    word = "报报财".encode()
    damaged = b"a: " + word[:4] + word[5:] + b"\n"
    assert damaged.decode("gb18030") == "a: 鎶ユヨ储\n"
    assert found(damaged) == ["f:1:5: byte 0xe6 is not UTF-8 text; save the file as UTF-8"]


@pytest.mark.parametrize("encoding", ["big5", "latin-1", "shift-jis"])
def test_f33_other_encodings_never_come_out_garbled(encoding: str) -> None:
    text = {"latin-1": "a: résumé détaillé\n"}.get(encoding, "title: 教育局重要工作進展情況\n")
    text = text.replace("進展", "") if encoding == "shift-jis" else text
    made, problems = read(text.encode(encoding), "f")
    assert made is None
    assert "is not UTF-8 text" in problems[0].message


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=3))
def test_f33_utf8_text_comes_back_as_it_is(text: str) -> None:
    made, _ = read(f"a: {text}".encode(), "f")
    assert made is not None
    assert made.value == {"a": text}


def test_a_file_that_is_too_big_is_not_read() -> None:
    assert found(b"#" * 5_000_001) == ["f:1:1: the file is too big: at most 5 MB are read"]


@given(st.binary(max_size=200))
def test_f27_any_bytes_make_a_document_or_a_problem_inside_the_file(data: bytes) -> None:
    made, problems = read(data, "f")
    assert made is not None or problems
    assert all(p.line >= 1 and p.column >= 1 for p in problems)


@given(st.text(alphabet="ab:- \n\t[]{}'\"#&*!|>%@,：，　~?\\", max_size=60))
def test_f27_any_text_makes_a_document_or_a_problem_inside_the_file(text: str) -> None:
    made, problems = read(text.encode(), "f")
    lines = text.split("\n")
    assert made is not None or problems
    for p in problems:
        assert 1 <= p.line <= len(lines)
        assert 1 <= p.column <= len(lines[p.line - 1]) + 1
