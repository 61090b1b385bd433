"""What the facts of many obligations have in common: of one duty, one section, one deadline.

Each function gives some of the values of an `ItemFacts` by their names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.model import Kind, Section
from config.plan import kind_of
from duban.bureau import Bureau


def duty_facts(bureau: Bureau, name: str) -> dict[str, Any]:
    """Of an item of the plan, or of one that the plan no longer has."""
    item = bureau.plan.items.get(name)
    project = getattr(item, "project", None)
    return {
        "kind": (kind_of(item) if item else Kind.REPORT).value,
        "title": item.title if item else name,
        "label": item.label if item else name,
        "contents": item.contents if item else (),
        "project": bureau.plan.items[project].title if project else None,
    }


def owner_facts(bureau: Bureau, name: str) -> dict[str, Any]:
    """Of a section of the plan, or of one that the plan no longer has."""
    try:
        section = bureau.plan.section(name)
    except KeyError:
        return {"section_full": name, "head": "", "section_email": ""}
    return {
        "section_full": section.full_name or name,
        "head": _head(section),
        "section_email": bureau.plan.mailbox(section),
    }


def deadline_facts(bureau: Bureau, now: datetime, deadline: datetime) -> dict[str, Any]:
    """Of a deadline, as it stands at `now`."""
    local = bureau.local(deadline)
    late = bureau.days_late(local, now)
    left = 0 if late else bureau.days_left(local, now)
    return {"deadline": local, "days_left": left, "days_late": late}


def _head(section: Section) -> str:
    head = section.head
    return " ".join(filter(None, (head.name, head.title))) if head else ""
