"""HTML bodies to plain text: what a reader would see, quoted parts marked with `>`.

The standard library's parser takes minutes for 200 kB of `<a <a <a`; here every character is looked
at once, and what is no tag is text.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

_SILENT: Final = frozenset(("script", "style", "head", "title", "template"))
_BREAKS: Final = frozenset(
    (
        *("br", "p", "div", "tr", "li", "table", "ul", "ol", "hr", "h1", "h2", "h3", "h4", "h5"),
        *("h6", "blockquote", "section", "article", "header", "footer", "pre", "dt", "dd"),
    )
)
_VOID: Final = frozenset(("br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr"))
_QUOTES: Final = re.compile(r"gmail_quote|isReplyContent|ntes_not_fresh_quote|qqmail_quote")
"""Names by which clients mark the original that they quote."""


_TOKEN: Final = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})([^<>]{0,5000})>|<[!?][^<>]{0,5000}>"
)
_ATTRIBUTE: Final = re.compile(
    r"""\b(?:id|class)\s*=\s*("[^"]*"|'[^']*'|[^\s"']+)""", re.IGNORECASE
)
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class _Reader:
    """Collects lines; `quote` is the tag that began a quoted part, `depth` its nesting."""

    def __init__(self) -> None:
        self.lines: list[tuple[bool, list[str]]] = [(False, [])]
        self.silent = 0
        self.quote, self.depth = "", 0

    def read(self, html: str) -> None:
        end = 0
        for token in _TOKEN.finditer(html):
            self._say(html[end : token.start()])
            end = token.end()
            tag = (token[2] or "").lower()
            if token[1]:
                self._close(tag)
            elif tag:
                self._open(tag, token[3])
        self._say(html[end:])

    def _open(self, tag: str, attributes: str) -> None:
        self.silent += tag in _SILENT and not attributes.endswith("/")
        if not self.depth and (tag == "blockquote" or _marks_quote(attributes)):
            self.quote = "" if tag in _VOID else tag
        self.depth += bool(self.quote) and tag == self.quote
        if tag in _BREAKS:
            self._break()
        elif tag in ("td", "th"):
            self._say(" ")

    def _close(self, tag: str) -> None:
        self.silent -= bool(self.silent) and tag in _SILENT
        if tag in _BREAKS:
            self._break()
        if self.depth and tag == self.quote:
            self.depth -= 1
            if not self.depth:
                self.quote = ""
                self._break()

    def _say(self, data: str) -> None:
        if data and not self.silent:
            self.lines[-1][1].append(data)

    def _break(self) -> None:
        self.lines.append((self.depth > 0, []))


def _marks_quote(attributes: str) -> bool:
    return any(_QUOTES.search(value) for value in _ATTRIBUTE.findall(attributes))


def html_text(html: str) -> str:
    """The text of an HTML body; lines of a quoted original begin with `> `."""
    reader = _Reader()
    reader.read(_COMMENT.sub("", html))
    out: list[str] = []
    for quoted, parts in reader.lines:
        line = re.sub(r"[ \t\r\n\f\xa0]+", " ", _unescaped("".join(parts))).strip()
        if line or (out and out[-1]):
            out.append(f"> {line}" if quoted else line)
    return "\n".join(out).strip("\n")


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a character's number of thousands of digits
        return text
