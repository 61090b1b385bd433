"""Half a year in which everything happens that a mistake in duban would trip over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.checker.history import deed_of
from tests.years.script import DUTIES, ZONE, Noise, Year

LAST = datetime(2023, 7, 12, tzinfo=ZONE)
_CAIWU, _CHUYOU = "财务科", "初幼教科"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"2023-{text}").replace(tzinfo=ZONE)


def _line(at: str, do: str, **what: Any) -> dict[str, Any]:
    return {"at": f"2023-{at}", "do": do, **what}


def _moved(at: str, item: str, period: str, section: str, deadline: str) -> dict[str, Any]:
    named = {"item": item, "period": period, "section": section}
    return _line(at, "override", **named, deadline=f"2023-{deadline}", reason="会议冲突")


LINES = [
    # the leading official of a section that never reports is replaced in the middle of a ladder
    _line("03-07T12:00", "holder", post="副局长", name="继任者", email="jiren@edu.example"),
    # one section's deadline comes earlier, another's later
    _moved("03-01T10:00", "monthly", "2023-03", _CHUYOU, "03-15"),
    _moved("03-01T10:05", "special", "2023-03", "安全科", "04-07"),
    # a letter is deferred, and before it is tried again the report is there
    _line("03-17T08:50", "smtp", state="defer"),
    _line("03-17T09:20", "submit", key=f"special/2023-03/{_CAIWU}"),
    _line("03-17T09:40", "smtp", state="up"),
    # a mailbox is refused
    _line("03-30T08:00", "smtp", state="reject:zuzhi@edu.example"),
    _line("04-03T08:00", "smtp", state="up"),
    # a deadline comes earlier while the daemon is down, and is over when it is up again
    _line("05-08T10:00", "daemon", state="down"),
    _moved("05-09T10:00", "monthly", "2023-05", _CHUYOU, "05-11"),
    _line("05-22T10:00", "daemon", state="up"),
]
NOISES = [
    # answers are lost
    Noise(_at("04-18T08:00"), _at("04-20T18:00"), 0, 1, 0, 0),
    # the machine dies while it sends
    Noise(_at("02-22T09:00"), _at("02-22T09:00:20"), 0, 0, 0, 1),
    Noise(_at("06-16T09:00"), _at("06-16T09:00:20"), 0, 0, 1, 1),
]
_SILENT = {"monthly/2023-02", "monthly/2023-05", "special/2023-03", "m03/2023-03"}


def eventful() -> Year:
    """The half-year; of what nothing special is said, all is handed in on its day."""
    reports = [
        _line(f"{duty.deadline:%m-%dT17:00}", "submit", key=duty.key)
        for duty in DUTIES
        if duty.deadline < LAST and f"{duty.item}/{duty.period}" not in _SILENT
    ]
    deeds = sorted((deed_of(line, ZONE) for line in [*LINES, *reports]), key=lambda d: d.at)
    return Year(0, deeds, NOISES, last=LAST)
