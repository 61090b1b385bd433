"""What the pages need to know, in one frozen value that every endpoint can reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from duban.bureau import Bureau
from jobs.links import Links
from ledger.archive import Archive
from ledger.engine import Ledger
from mailroom.relay import Outcome

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How the daemon is. `state` is one word: `ok`, or `starting`, `failing`, `late`.

    Durations are in seconds; `tick_age_s` counts from the last good tick.
    """

    state: str
    tick_age_s: float | None = None
    ticks: int = 0
    ticks_took_s: float = 0.0
    answered_at: datetime | None = None
    answer: Outcome | None = None

    @property
    def well(self) -> bool:
        """Whether the daemon does its work."""
        return self.state == "ok"


@dataclass(frozen=True, kw_only=True)
class Context:
    """The house as the pages see it.

    `bureaus` gives the running plans by their row ids, `clock` the present instant, `say` logs an
    event with its fields. `keys` sign what browsers keep, from the oldest to the newest. `folders`
    are those of the plans' files, by the same ids, where this machine decides; `hasten` has the
    daemon look at once. A page that takes long to make may be as old as `fresh`.
    """

    ledger: Ledger
    bureaus: Callable[[], Mapping[int, Bureau]]
    clock: Callable[[], datetime]
    vitals: Callable[[], Vitals]
    say: Callable[..., None]
    archive: Archive
    files_at_once: int
    keys: tuple[str, ...] = field(repr=False)
    folders: Callable[[], Mapping[int, Path]] = dict
    hasten: Callable[[], object] = lambda: None
    links: Links | None = None
    public_url: str | None = None
    fresh: timedelta = timedelta(seconds=3)
    metrics_token: str | None = field(default=None, repr=False)

    @property
    def root(self) -> str:
        """What stands before each path where a proxy serves the pages below one of its own."""
        return urlsplit(self.public_url or "").path

    @property
    def https(self) -> bool:
        """Whether people reach the pages over an encrypted connection."""
        return (self.public_url or "").startswith("https:")


def context_of(request: Request) -> Context:
    """The context of the application that got this request."""
    found: Any = request.app.state.context
    assert isinstance(found, Context)  # noqa: S101 - board.app sets it
    return found
