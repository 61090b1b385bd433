"""What a run gave, and on what machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.clock import SystemClock

if TYPE_CHECKING:
    from bench.machinery import Machinery

_OURS = ("aiosmtplib", "sqlalchemy", "psycopg", "uvloop", "jinja2")


@dataclass(frozen=True)
class Figures:
    """How many letters, the seconds that they took to send, and to queue before.

    With it milliseconds from the relay's 250 to the commit, and the largest memory.
    """

    letters: int
    sending_s: float
    queueing_s: float = 0
    lags_ms: Sequence[float] = field(default=())
    memory_mb: float = 0

    @property
    def rate(self) -> float:
        """Letters sent a second, from due to accepted."""
        return self.letters / self.sending_s

    @property
    def whole_rate(self) -> float:
        """Letters queued and sent a second."""
        return self.letters / (self.queueing_s + self.sending_s)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[min(int(len(values) * percent / 100), len(values) - 1)]


def machine(machinery: Machinery) -> str:
    """The day, the machine and the versions, in plain words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = dict(
        line.split(":", 1)
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if ":" in line
    )
    model = next((v.strip() for k, v in facts.items() if k.startswith("model name")), "unknown")
    ours = ", ".join(f"{name} {version(name)}" for name in _OURS)
    peers = machinery.peers_file.read_text(encoding="utf-8").splitlines()
    theirs = ", ".join(line.replace("==", " ") for line in peers if not line.startswith("#"))
    return (
        f"{SystemClock().now():%-d %B %Y}, {os.cpu_count()} cores ({model}) that sender and server "
        f"share, {memory:.0f} GiB of memory, Python {platform.python_version()}, {ours}; "
        f"peers: {theirs}."
    )
