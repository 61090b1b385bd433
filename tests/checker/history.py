"""What people, the office, the relay and the machine did: the script of a history.

JSON lines as `duban simulate --script` takes them, each with `at` and `do`. A record of what really
happened may say more: `"refused": true` where duban did not take it, `daemon` with the state
`crash`, and `clock` with `offset`, the seconds by which the machine's clock is ahead from then on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Deed:
    """One line; `at` is the true time, aware."""

    at: datetime
    do: str
    what: dict[str, Any]

    def __str__(self) -> str:
        said = " ".join(f"{k}={v}" for k, v in self.what.items())
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.do} {said}"


def deed_of(line: dict[str, Any], zone: ZoneInfo) -> Deed:
    """A line of a history; times without an offset are the plan's."""
    at = datetime.fromisoformat(line["at"])
    at = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
    return Deed(at, line["do"], {k: v for k, v in line.items() if k not in ("at", "do")})


def read_history(path: Path, zone: ZoneInfo) -> list[Deed]:
    """The deeds of a script in the order of time."""
    texts = (t.strip() for t in path.read_text("utf-8-sig").splitlines())
    deeds = [deed_of(json.loads(t), zone) for t in texts if t and not t.startswith("#")]
    return sorted(deeds, key=lambda deed: deed.at)


@dataclass(frozen=True)
class Stretch:
    """A time in which the machine, its clock and the relay stayed as they were.

    `ahead` is what the clock shows minus the true time, in seconds; `highest` the latest time that
    the clock had shown when the stretch began.
    """

    start: datetime
    end: datetime
    up: bool
    willing: bool
    ahead: float
    highest: datetime


def stretches(deeds: Iterable[Deed], first: datetime, last: datetime) -> list[Stretch]:
    """The whole time from `first` to `last`, piece by piece."""
    found: list[Stretch] = []
    start, up, willing, ahead, highest = first, True, True, 0.0, first
    for deed in [d for d in deeds if d.do in ("daemon", "smtp", "clock")]:
        state = deed.what.get("state", "")
        if state.startswith("reject:"):
            continue
        at = min(max(deed.at, first), last)
        found.append(Stretch(start, at, up, willing, ahead, highest))
        highest = max(highest, _later(at, ahead))
        start = at
        if deed.do == "daemon":
            up = state == "up"
        elif deed.do == "smtp":
            willing = state == "up"
        else:
            ahead = float(deed.what["offset"])
    return [*found, Stretch(start, last, up, willing, ahead, highest)]


def _later(at: datetime, seconds: float) -> datetime:
    return datetime.fromtimestamp(at.timestamp() + seconds, at.tzinfo)


class Watch:
    """True time and the time that the machine's clock showed."""

    def __init__(self, pieces: Sequence[Stretch]) -> None:
        self.pieces = pieces

    def shown(self, at: datetime) -> datetime:
        """What the machine's clock showed at a true time."""
        ahead = next((p.ahead for p in reversed(self.pieces) if p.start <= at), 0.0)
        return _later(at, ahead) if ahead else at

    def reached(self, wall: datetime) -> datetime | None:
        """The true time at which the clock first showed `wall` or later; None for never."""
        for piece in self.pieces:
            at = max(_later(wall, -piece.ahead), piece.start)
            if at < piece.end:
                return at
        return None

    def up_from(self, at: datetime) -> datetime | None:
        """The first time from `at` on at which the daemon was up."""
        for piece in self.pieces:
            if piece.up and piece.end > at:
                return max(at, piece.start)
        return None


def day_begins(at: datetime) -> datetime:
    """Midnight before an instant."""
    return datetime.combine(at.date(), time(), at.tzinfo)
