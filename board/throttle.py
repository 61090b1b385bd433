"""A brake on guessing: after so many failures within a while, no more attempts for that while."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

WINDOW: Final = timedelta(minutes=15)
_MOST_KEYS: Final = 10_000


class Throttle:
    """Counts failures of a key (an account, an address) in memory; the oldest keys are forgotten.

    May be used from several threads.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._failures: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._lock = Lock()

    def blocked(self, key: str, now: datetime) -> bool:
        """Whether the key has failed too often within the present window."""
        with self._lock:
            return self._count(key, now) >= self._most

    def failed(self, key: str, now: datetime) -> None:
        """Count one failure. The first one opens the window."""
        with self._lock:
            count = self._count(key, now)
            since = self._failures[key][0] if count else now
            self._failures[key] = since, count + 1
            self._failures.move_to_end(key)
            while len(self._failures) > _MOST_KEYS:
                self._failures.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Forget a key's failures."""
        with self._lock:
            self._failures.pop(key, None)

    def _count(self, key: str, now: datetime) -> int:
        since, count = self._failures.get(key, (now, 0))
        return count if now - since < WINDOW else 0
