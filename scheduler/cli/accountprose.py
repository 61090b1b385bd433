"""An obligation's story, laid out for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from jobs.story import Line, story
from mailroom.lines import pad

if TYPE_CHECKING:
    from duban.bureau import Bureau
    from jobs.explain import Account

_NUMBERS: Final = "一二三四五"
_LABEL_COLUMNS: Final = 6
_BELOW_COLUMNS: Final = 8


def account_lines(bureau: Bureau, account: Account, now: datetime) -> Iterator[str]:
    """The lines of the account; `now` is aware, in the plan's zone."""
    one = account.obligation
    yield f"{one.key}  {one.item.title}"
    for number, part in zip(_NUMBERS, story(bureau, account, now), strict=False):
        yield ""
        yield f"{number}、{part.heading}"
        yield from map(_line, part.lines)


def _line(line: Line) -> str:
    if line.folded:
        return f"  ……{line.text}，--json 列出全部……"
    if line.below and line.label:
        return f"      {pad(line.label, _BELOW_COLUMNS)}  {line.text}"
    if line.below or line.label:
        return f"  {pad(line.label, _LABEL_COLUMNS)}  {line.text}"
    return f"  {line.text}"
