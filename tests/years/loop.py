"""An event loop whose time passes only while nothing else can happen: the same run every time."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _Impatient(selectors.DefaultSelector):
    """Instead of sleeping it lets the loop's time pass."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """What is ready now."""
        if timeout:
            self.passed_s += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop for `asyncio.Runner`: sleeps and time-outs cost nothing and end in their order."""

    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        """The seconds that were waited for."""
        return self._impatient.passed_s
