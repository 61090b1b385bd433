"""A sign of life to the outside: who misses it knows that the daemon is dead (a dead man's switch).

Only a good tick sends one. It never disturbs: a thread of its own, a time-out, one line in the log.
"""

from __future__ import annotations

import logging
import threading
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from time import monotonic
from typing import Final
from urllib.error import HTTPError, URLError

from jobs.log import event

_EVERY_SECONDS: Final = 60.0
_TIMEOUT_SECONDS: Final = 10.0


class Ping:
    """Asks for `url` at most once a minute. The address may be a key and is never logged."""

    def __init__(self, url: str, elapsed: Callable[[], float] = monotonic) -> None:
        self._url, self._elapsed = url, elapsed
        self._last: float | None = None
        self._failing = False
        self._under_way: threading.Thread | None = None

    def alive(self) -> None:
        """Send a sign of life if it is time; returns at once."""
        now = self._elapsed()
        if self._last is not None and now - self._last < _EVERY_SECONDS:
            return
        if self._under_way is not None and self._under_way.is_alive():
            return
        self._last = now
        # a daemon thread: the process may end while it waits
        self._under_way = threading.Thread(target=self._ask, name="ping", daemon=True)
        self._under_way.start()

    def _ask(self) -> None:
        try:
            # the settings take http and https only
            with urllib.request.urlopen(self._url, timeout=_TIMEOUT_SECONDS):  # noqa: S310
                pass
        except (OSError, HTTPException, ValueError) as error:
            if not self._failing:
                event("ping.failed", logging.WARNING, reason=_reason(error))
            self._failing = True
            return
        if self._failing:
            event("ping.recovered")
        self._failing = False


def _reason(error: Exception) -> str:
    """What went wrong, without the words of the error: they may repeat the address."""
    if isinstance(error, HTTPError):
        return f"HTTP {error.code}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__
