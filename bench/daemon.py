"""One daemon for a benchmark: `duban run` with a clock that begins on a working day.

    python -m bench.daemon '{"folder": …, "now": …, "since": …, "figures": …, …settings}'

At its end it writes to `figures` the milliseconds from each of the relay's answers to the commit
of the ledger that records it.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import scheduler.daemon
from config.settings import Settings
from jobs.marking import Sent
from mailroom.relay import Mail, Relay, Reply
from scheduler.clock import SystemClock
from scheduler.loops import run
from scheduler.wiring import relay_of


class Going(SystemClock):
    """The machine's clock, moved: at `since` (seconds of the machine) it says `start`."""

    def __init__(self, start: datetime, since: float) -> None:
        self._start, self._since = start, since

    def now(self) -> datetime:
        """The present instant."""
        return self._start + timedelta(seconds=SystemClock().now().timestamp() - self._since)


class Timed:
    """A relay that remembers when each mail was answered."""

    def __init__(self, relay: Relay, answered: dict[str, float]) -> None:
        self._relay, self._answered = relay, answered

    async def send(self, mail: Mail) -> Reply:
        """Hand over, and note the time."""
        reply = await self._relay.send(mail)
        self._answered[mail.message_id] = time.perf_counter()
        return reply

    async def close(self) -> None:
        """Let go of connections."""
        await self._relay.close()


def main() -> int:
    """Run until told to stop."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    clock = Going(datetime.fromisoformat(given.pop("now")), given.pop("since"))
    folder, figures = Path(given.pop("folder")), Path(given.pop("figures"))
    answered: dict[str, float] = {}
    lags: list[float] = []
    say = scheduler.daemon._log_sent

    def committed(sent: Sent) -> None:
        lags.append((time.perf_counter() - answered.pop(sent.mail.message_id)) * 1e3)
        say(sent)

    scheduler.daemon._log_sent = committed
    # SIGHUP wakes it; that it reads the plan again is not what is measured
    scheduler.daemon.Daemon.reload = lambda self: None  # type: ignore[method-assign]
    vars(scheduler.daemon)["relay_of"] = lambda settings: Timed(relay_of(settings), answered)
    code = run(scheduler.daemon.run([folder], Settings(**given), clock))
    figures.write_text(json.dumps(lags))
    return code


if __name__ == "__main__":
    sys.exit(main())
