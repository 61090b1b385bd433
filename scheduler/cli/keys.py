"""The key of an obligation as an office types it, with any of a section's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.cli.output import Wrong, near
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from config.model import Item
    from duban.bureau import Bureau


def known_key(bureau: Bureau, key: str) -> str:
    """The key with the section's short name; a usage error for what is unknown.

    Periods are left to the ledger, which knows more of them than the plan does today.
    """
    item, _, rest = key.partition("/")
    period, _, section = rest.partition("/")
    if not (item and period and section):
        raise Wrong(say("bad.key", key=key))
    named = item_named(bureau, item)
    try:
        return f"{named.id}/{period}/{bureau.plan.section(section).name}"
    except KeyError:
        known = [s.name for s in bureau.plan.file.sections]
        raise Wrong(say("unknown.section", name=section) + near(section, known)) from None


def item_named(bureau: Bureau, name: str) -> Item:
    """The rule, milestone or project of that id; a usage error with the nearest id."""
    items = bureau.plan.items
    if name not in items:
        raise Wrong(say("unknown.item", name=name) + near(name, items))
    return items[name]
