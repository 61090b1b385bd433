"""A letter's facts become a subject, a plain text and an HTML body.

Templates are compiled and tried once, when a `Speaker` is made; a letter only renders them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jinja2 import Template, TemplateError, TemplateNotFound, TemplateSyntaxError

from config.problems import Problem
from duban.facts import LetterFacts, LetterKind
from mailroom import groups, headlines, words
from mailroom.lines import pad, wrap
from mailroom.own import OwnEnvironment
from mailroom.ownfolder import idle
from mailroom.plain import plain_html, plain_subject, plain_text
from mailroom.samples import samples
from mailroom.sandbox import LetterEnvironment, bounded
from mailroom.styles import LetterLoader

MAX_SUBJECT_CHARACTERS = 120
_PARTS = ("subject", "txt", "html")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
_FILTERS: dict[str, Callable[..., Any]] = {
    "asked": words.asked,
    "attention": groups.attention,
    "by_section": groups.by_section,
    "change": headlines.change,
    "clock": words.clock,
    "coming": words.coming,
    "closing": headlines.closing,
    "day": words.day,
    "digest_line": headlines.digest,
    "due": words.due,
    "ended": words.ended,
    "escalation": headlines.escalation,
    "history": groups.history,
    "left": words.left,
    "light_word": words.light_word,
    "mailto": words.mailto,
    "moment": words.moment,
    "name": words.name,
    "notes": words.notes,
    "others": groups.others,
    "pad": pad,
    "receipt": headlines.receipt,
    "reminder": headlines.reminder,
    "rest": groups.rest,
    "short_name": words.short_name,
    "stamp": words.stamp,
    "standing_counts": groups.standing_counts,
    "state": words.state,
    "tally": groups.tally,
    "urge": groups.urge,
    "verb": words.verb,
    "when": words.when,
    "wrap": wrap,
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter in words. `fallback` says why the built-in plain letter was used, if it was."""

    subject: str
    text: str
    html: str
    fallback: str | None = None


class TemplatesError(ValueError):
    """Templates that cannot be used; `problems` has the file and line of each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Speaker:
    """Words letters by the templates of the office's `folder`, and by ours where it has none.

    Every template is tried on sample letters at once: raises TemplatesError with all that fail, and
    with those of `folder` that no letter uses. Not to be shared between threads.
    """

    def __init__(self, folder: Path | None = None) -> None:
        guarded = LetterEnvironment if folder else OwnEnvironment
        self._env = guarded(LetterLoader(folder), _FILTERS)
        self._templates: dict[str, Template] = {}
        problems = [*(idle(folder) if folder else ()), *(self._compile() or self._try())]
        if problems:
            raise TemplatesError(tuple(dict.fromkeys(problems)))

    def render(self, facts: LetterFacts) -> Rendered:
        """The letter; by the built-in plain letter if a template fails on these facts."""
        try:
            return self._render(facts)
        except _FAULTS as error:
            text = plain_text(facts)
            why = str(_problem(error, f"letters/{facts.kind}"))
            return Rendered(one_line(plain_subject(facts)), text, plain_html(text), fallback=why)

    def _render(self, facts: LetterFacts) -> Rendered:
        self._env.begin()
        values: dict[str, Any] = facts._asdict()
        kind = facts.kind.value
        subject = one_line(self._templates[f"{kind}.subject"].render(values))
        if not subject:
            raise ValueError("the subject is empty")
        values["subject"] = subject
        text = tidy(bounded(self._templates[f"{kind}.txt"].render(values)))
        return Rendered(subject, text, bounded(self._templates[f"{kind}.html"].render(values)))

    def _compile(self) -> list[Problem]:
        problems = []
        for kind in LetterKind:
            for part in _PARTS:
                name = f"{kind.value}.{part}"
                self._env.begin()
                try:
                    self._templates[name] = self._env.get_template(
                        f"letters/{name}", globals=self._parts(part)
                    )
                except _FAULTS as error:
                    problems.append(_problem(error, f"letters/{name}"))
        return problems

    def _parts(self, part: str) -> dict[str, Any]:
        """The macros that all letters share, made once: an import would make them for each."""
        if part == "subject":
            return {}
        return {"parts": self._env.get_template(f"letters/parts.{part}").module}

    def _try(self) -> list[Problem]:
        problems = []
        for facts in samples():
            try:
                self._render(facts)
            except _FAULTS as error:
                problems.append(_problem(error, f"letters/{facts.kind.value}"))
        return problems


def tidy(text: str) -> str:
    """A plain body with one blank line where there were more, and none at its ends."""
    return _BLANK_LINES.sub("\n\n", text).strip("\n") + "\n"


def one_line(text: str) -> str:
    """`text` as a subject: one line without control characters, of at most 120 characters."""
    line = " ".join(part for part in _CONTROL.sub(" ", text).split(" ") if part)
    return line if len(line) <= MAX_SUBJECT_CHARACTERS else line[: MAX_SUBJECT_CHARACTERS - 1] + "…"


def _problem(error: Exception, name: str) -> Problem:
    """The error at the template's own line: where Jinja2 says so, or where the traceback leads."""
    if isinstance(error, TemplateSyntaxError):
        return Problem(error.filename or error.name or name, error.lineno, 1, error.message or "")
    if isinstance(error, TemplateNotFound):
        return Problem(name, 1, 1, f"there is no template {error.name!r}")
    lines = [f for f in extract_tb(error.__traceback__) if Path(f.filename).suffix[1:] in _PARTS]
    said = f"{error} (the letter's facts are listed in duban/facts.py)"
    if not lines:
        return Problem(name, 1, 1, said)
    return Problem(lines[-1].filename, lines[-1].lineno or 1, 1, said)
