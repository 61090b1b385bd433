"""The YAML parser's complaints in plain words, at the place where the writer should look."""

from __future__ import annotations

import re
from typing import Final

import yaml
from yaml.error import Mark, MarkedYAMLError

Complaint = tuple[int, int, str]

DIRECTIVE: Final = "a line that begins with '%' has no meaning here; leave it out"

_MISFITS: Final = ("block end", "expected key", "expected '-' indicator", "document start")
_ESCAPES: Final = ("escape", "hexdecimal", "hexadecimal")
_KEYED: Final = re.compile(r"\s*(?:- +)*\S+?\s*:(?:\s|$)")
_TOKEN: Final = re.compile(r"(?:^|\s)#.*|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[\[\]{}]")


def explain(error: yaml.YAMLError, lines: list[str]) -> Complaint:
    """Line, column and message for a syntax error in `lines`, always inside the text."""
    line, column, message = _explained(error, lines)
    line = min(max(line, 1), len(lines))
    return line, min(max(column, 1), len(lines[line - 1]) + 1), message


def _explained(error: yaml.YAMLError, lines: list[str]) -> Complaint:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return 1, 1, "this is not YAML text"
    problem = error.problem or ""
    mark, opened = error.problem_mark, error.context_mark
    if "mapping values are not allowed" in problem:
        return _stray_colon(mark, lines)
    if "expected ':'" in problem and opened is not None:
        return *_at(opened), "this line has no key: a key is followed by ':' and a space"
    context = error.context or ""
    if opened is not None and "quoted scalar" in context:
        return _quoted(mark, opened, problem, lines)
    if opened is not None and ("flow" in context or "',' or" in problem):
        return _bracket(mark, opened, problem, lines)
    if any(part in problem for part in _MISFITS):
        return _misfit(mark, lines)
    return *_at(mark), _other(problem, mark, lines)


def _at(mark: Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _line(lines: list[str], index: int) -> str:
    return lines[index] if 0 <= index < len(lines) else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _stray_colon(mark: Mark, lines: list[str]) -> Complaint:
    """A ': ' where no key can be: a second in a line, or a line that is too deep or has none."""
    here = _line(lines, mark.line)
    if _KEYED.match(here[: mark.column]):
        return *_at(mark), "a second ': ' in one value; put the value in quotes"
    above = mark.line - 1
    while above >= 0 and not _line(lines, above).split("#")[0].strip():
        above -= 1
    before = _line(lines, above)
    if above < 0 or _KEYED.match(before):
        message = "indented deeper than the line above, which already has its value"
        return mark.line + 1, _indent(here) + 1, message
    message = "this line has no key: a key is followed by ':' and a space"
    return above + 1, _indent(before) + 1, message


def _quoted(mark: Mark, opened: Mark, problem: str, lines: list[str]) -> Complaint:
    if any(part in problem for part in _ESCAPES):
        column = _line(lines, mark.line).rfind("\\", 0, mark.column + 1) + 1
        message = "a '\\' that stands for nothing; in single quotes a '\\' is a '\\'"
        return mark.line + 1, column or mark.column + 1, message
    quote = _line(lines, opened.line)[opened.column : opened.column + 1] or '"'
    wide = set(_line(lines, opened.line)) & set("“”‘’＂＇")
    hint = " (full-width quotes do not close it)" if wide else ""
    return *_at(opened), f"the quote {quote} is never closed{hint}"


def _bracket(mark: Mark, opened: Mark, problem: str, lines: list[str]) -> Complaint:
    if "cannot start" in problem:
        return *_at(mark), _other(problem, mark, lines)
    line, column = _last_open(lines, mark) or (opened.line, opened.column)
    bracket = _line(lines, line)[column : column + 1]
    close = {"[": "]", "{": "}"}.get(bracket, "]")
    if mark.line != line:
        return line + 1, column + 1, f"the '{bracket}' is never closed with '{close}'"
    return *_at(mark), f"a ',' or '{close}' is missing before this"


def _last_open(lines: list[str], mark: Mark) -> tuple[int, int] | None:
    """Line and column (from 0) of the last bracket before `mark` that nothing closes."""
    opened: list[tuple[int, int]] = []
    for number, line in enumerate(lines[: mark.line + 1]):
        text = line[: mark.column] if number == mark.line else line
        for match in _TOKEN.finditer(text):
            if match[0] in "[{":
                opened.append((number, match.start()))
            elif match[0] in "]}" and opened:
                opened.pop()
    return opened[-1] if opened else None


def _misfit(mark: Mark, lines: list[str]) -> Complaint:
    here = _line(lines, mark.line)
    found = here[mark.column : mark.column + 1]
    if found in tuple("]}"):
        return *_at(mark), f"a '{found}' that closes nothing"
    if here[: mark.column].strip(" -"):
        return *_at(mark), "text after the end of a value; put the whole value in quotes"
    return *_at(mark), "the indentation does not fit the lines above"


def _other(problem: str, mark: Mark, lines: list[str]) -> str:
    found = _line(lines, mark.line)[mark.column : mark.column + 1]
    if "cannot start any token" in problem:
        return f"a value cannot begin with '{found}'; put it in quotes"
    if "incompatible YAML" in problem or "directive" in problem:
        return DIRECTIVE
    if "sequence entries are not allowed" in problem:
        return "a '- ' where no list can be; a list begins on a line of its own"
    if "block mapping" in problem or "tab" in problem:
        return "the indentation does not fit the lines above"
    return "this is not YAML: " + (problem or "the parser cannot go on here")
