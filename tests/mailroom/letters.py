"""Facts for letters, as the decisions would give them; times in the plan's zone."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.model import Kind, Light
from config.problems import Problem
from duban.facts import ItemFacts, LetterFacts, LetterKind
from mailroom.render import Speaker, TemplatesError

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2023, 3, 22, 9, tzinfo=ZONE)


def at(month: int, day: int, hour: int = 17, minute: int = 30, year: int = 2023) -> datetime:
    """A moment of the plan's year."""
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


def item(section: str = "财务科", **more: Any) -> ItemFacts:
    """The special report of March, two working days before its deadline."""
    facts = ItemFacts(
        key=f"special/2023-03/{section}",
        kind=Kind.REPORT,
        title="工作专报",
        label="专报",
        period="2023-03",
        light=Light.YELLOW,
        section=section,
        section_full=section,
        head="林美环",
        nominal=date(2023, 3, 25),
        deadline=at(3, 24),
        days_left=2,
        days_late=0,
    )
    return facts._replace(**more)


def late(section: str = "财务科", days: int = 1, month: int = 6, **more: Any) -> ItemFacts:
    """A monthly report that is overdue by so many working days."""
    facts: dict[str, Any] = {
        "title": "重点工作进展情况",
        "label": "月报",
        "period": f"2023-{month:02}",
        "light": Light.RED,
        "nominal": date(2023, month, 25),
        "deadline": at(month, 25),
        "days_left": 0,
        "days_late": days,
    }
    return item(section, **(facts | more))


def letter(kind: LetterKind, *items: ItemFacts, **more: Any) -> LetterFacts:
    """A letter of the plan's office."""
    facts = LetterFacts(
        kind=kind,
        light=max((i.light for i in items), key=lambda x: x.rank) if items else None,
        recipient="财务科",
        recipient_title="",
        organization="泉州市教育局",
        plan_title="某行动方案",
        office="办公室",
        office_email="bangongshi@qzedu.example",
        now=NOW,
        items=items,
    )
    return facts._replace(**more)


def office(folder: Path, **files: str) -> Path:
    """A folder of the office's own templates; `reminder_txt` is `letters/reminder.txt`."""
    (folder / "letters").mkdir(exist_ok=True)
    for name, source in files.items():
        (folder / "letters" / name.replace("_", ".")).write_text(source, "utf-8")
    return folder


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(TemplatesError) as caught:
        Speaker(folder)
    return caught.value.problems
