"""Who decided about an obligation and why, in the words of its story."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from config.model import Override

WRITTEN: Final = "override.written"
"""The office decided on its pages; the plan's file says the same, and the daemon follows it."""

_EXEMPTED: Final = "obligation.exempted"
_CHANGES: Final = {_EXEMPTED: "免报", "obligation.dropped": "行动方案不再列入"}

Stamp = Callable[[datetime], str]


def decision(override: Override) -> str:
    """A decision as the plan's files state it: what, why, where it stands and who made it."""
    if override.deadline is not None:
        what = f"时限改为{override.deadline:%Y-%m-%d %H:%M}"
        what = what.removesuffix(" 00:00")
    elif override.reassign is not None:
        what = f"改由{override.reassign}承办"
    else:
        what = "免报"
    by = f"，{override.by}" if override.by else ""
    return f"{what}，理由：{override.reason}（{override.origin}{by}）"


def change(
    event: Row[Any], known: Sequence[Row[Any]], overrides: Sequence[Override], stamp: Stamp
) -> str:
    """An event of the ledger in words: what changed, why, and who decided it.

    `known` are the obligation's changes, `overrides` what the plan's files state now, by which the
    author of a change is found where its own event does not name one.
    """
    data = event.data or {}
    reason = f"，理由：{data['reason']}" if data.get("reason") else ""
    if event.what == WRITTEN:
        return f"{stamp(event.at)} {event.who}在网页上决定：{_decided(data, stamp)}{reason}"
    what = _CHANGES.get(event.what, event.what)
    if "new" in data:
        old, new = (stamp(datetime.fromisoformat(data[name])) for name in ("old", "new"))
        what = f"由{old}改为{new}"
    author = data.get("by") or (_author(event, known, overrides) if data.get("reason") else None)
    by = f"，{author}决定" if author else ""
    return f"{stamp(event.at)} 台账记录：{what}{reason}{by}"


def _decided(data: dict[str, Any], stamp: Stamp) -> str:
    if "deadline" in data:
        return f"时限改为{stamp(datetime.fromisoformat(data['deadline']))}"
    return "免报"


def _author(
    event: Row[Any], known: Sequence[Row[Any]], overrides: Sequence[Override]
) -> str | None:
    """Whose decision an exemption follows: the newest before it on a page, or one in the files.

    Both must give the same reason: another decision's author is never named for this one.
    """
    if event.what != _EXEMPTED:
        return None
    reason = event.data["reason"]
    for one in reversed(known):
        if one.what == WRITTEN and one.id < event.id and (one.data or {}).get("reason") == reason:
            return str(one.who)
    given = [o.by for o in overrides if o.by and o.deadline is None and reason.endswith(o.reason)]
    return given[-1] if given else None
