"""When duban could have sent: the daemon up, the relay willing, the office at its desks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from tests.checker.days import works
from tests.checker.history import Stretch, Watch

PATIENCE = timedelta(minutes=75)
"""Unhindered office time after which a letter must have been sent: the longest pause between two
attempts is an hour, a claim of a crashed daemon ends after five minutes."""


@dataclass(frozen=True)
class Chance:
    """An unhindered time within one working day's hours; `fresh` after a hindrance before it."""

    start: datetime
    end: datetime
    fresh: bool


class Ability:
    """All the chances of a history between two hours of the working days."""

    def __init__(self, watch: Watch, opens: time, closes: time) -> None:
        self.chances: list[Chance] = []
        fresh = False
        for piece in watch.pieces:
            if not (piece.up and piece.willing):
                fresh = True
                continue
            for start, end in _office_hours(piece, opens, closes):
                self.chances.append(Chance(start, end, fresh))
                fresh = False
        self._starts = [chance.start for chance in self.chances]

    def enough(
        self,
        since: datetime,
        hindrances: Iterable[datetime] = (),
        allowed: Callable[[datetime], bool] = lambda start: True,
    ) -> datetime | None:
        """When, from `since` on, `PATIENCE` had passed without a hindrance; None for never.

        `allowed` says of the beginning of a chance whether duban might send then.
        """
        tried = sorted(hindrances)
        spent = timedelta()
        for chance in self.chances[max(bisect_right(self._starts, since) - 1, 0) :]:
            if chance.end <= since:
                continue
            start = max(chance.start, since)
            if chance.fresh or not allowed(start):
                spent = timedelta()
            if not allowed(start):
                continue
            for stop in [t for t in tried if start <= t < chance.end]:
                if spent + (stop - start) >= PATIENCE:
                    break
                spent, start = timedelta(), stop
            if spent + (chance.end - start) >= PATIENCE:
                return start + (PATIENCE - spent)
            spent += chance.end - start
        return None


def _office_hours(piece: Stretch, opens: time, closes: time) -> Iterator[tuple[datetime, datetime]]:
    ahead = timedelta(seconds=piece.ahead)
    start = max(piece.start + ahead, piece.highest)  # what the clock showed before is over
    end = piece.end + ahead
    day = start.date()
    while day <= end.date():
        if works(day):
            begin = max(datetime.combine(day, opens, start.tzinfo), start)
            finish = min(datetime.combine(day, closes, start.tzinfo), end)
            if begin < finish:
                yield begin - ahead, finish - ahead
        day += timedelta(days=1)
