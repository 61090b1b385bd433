"""How this process is: kept in memory, since a ledger that cannot be written tells no one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from board.context import Vitals
from mailroom.relay import Mail, Outcome, Relay, Reply
from scheduler.clock import Clock

_BEATS_MISSED: Final = 3
_GRACE_SECONDS: Final = 60.0


def patience(tick_seconds: float) -> timedelta:
    """How long a daemon may be silent before it counts as dead or hanging."""
    return timedelta(seconds=_BEATS_MISSED * tick_seconds + _GRACE_SECONDS)


class Health:
    """What went well and what did not; ages are by the monotonic clock, which never jumps."""

    def __init__(self, tick_seconds: float, elapsed: Callable[[], float] = monotonic) -> None:
        self._patience = patience(tick_seconds).total_seconds()
        self._elapsed = elapsed
        self._born = elapsed()
        self._ticked: float | None = None
        self._failing: set[str] = set()
        self._ticks, self._took = 0, 0.0
        self._answer: tuple[datetime, Outcome] | None = None

    def ticked(self, took_s: float) -> None:
        """A tick ended well after so many seconds."""
        self._ticked = self._elapsed()
        self._ticks += 1
        self._took += took_s
        self.good("tick")

    def good(self, job: str) -> None:
        """A job (`tick`, `mail`) ended well."""
        self._failing.discard(job)

    def bad(self, job: str) -> None:
        """A job failed; the process is `failing` until it ends well."""
        self._failing.add(job)

    def answered(self, at: datetime, outcome: Outcome) -> None:
        """The relay answered an attempt, or did not."""
        self._answer = at, outcome

    @property
    def state(self) -> str:
        """`ok`, `starting` (no tick yet), `failing` (a job did), or `late` (ticks are missing)."""
        if (
            self._elapsed() - (self._born if self._ticked is None else self._ticked)
            > self._patience
        ):
            return "late"
        if self._failing:
            return "failing"
        return "starting" if self._ticked is None else "ok"

    def vitals(self) -> Vitals:
        """The same as one value."""
        at, outcome = self._answer or (None, None)
        return Vitals(
            state=self.state,
            tick_age_s=None if self._ticked is None else self._elapsed() - self._ticked,
            ticks=self._ticks,
            ticks_took_s=self._took,
            answered_at=at,
            answer=outcome,
        )


class Watched:
    """A relay whose answers `health` gets to know."""

    def __init__(self, relay: Relay, health: Health, clock: Clock) -> None:
        self._relay, self._health, self._clock = relay, health, clock

    async def send(self, mail: Mail) -> Reply:
        """Hand over one mail."""
        reply = await self._relay.send(mail)
        self._health.answered(self._clock.now(), reply.outcome)
        return reply

    async def close(self) -> None:
        """Let go of connections."""
        await self._relay.close()
