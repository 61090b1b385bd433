"""Reading the mailbox beside everything else: in a thread, at its own interval."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.listen import listen
from jobs.log import event
from scheduler.wiring import intake_of, links_of

if TYPE_CHECKING:
    from config.settings import Settings
    from ledger.engine import Ledger
    from mailroom.imap import Mailbox
    from scheduler.clock import Clock
    from scheduler.plans import Plans


class Collector:
    """Takes in what comes to one mailbox; deliveries and ticks go on meanwhile."""

    def __init__(
        self,
        mailbox: Mailbox,
        ledger: Ledger,
        plans: Plans,
        settings: Settings,
        clock: Clock,
        stopping: Callable[[], bool],
    ) -> None:
        self.mailbox, self.ledger, self.plans = mailbox, ledger, plans
        self.settings, self.clock, self.stopping = settings, clock, stopping
        self.seconds = settings.imap_poll_seconds
        self.fresh = timedelta(minutes=settings.imap_fresh_minutes)
        self._links = links_of(settings)
        self._reading = asyncio.Lock()

    async def collect(self) -> None:
        """Read what is new. Raises LedgerError."""
        if self.stopping():
            return
        async with self._reading:
            desk = intake_of(self.settings, self.ledger, dict(self.plans.bureaus), self._links)
            reading = await asyncio.to_thread(
                listen, desk, self.mailbox, self.clock.now, self.stopping
            )
        for state in reading.states:
            event("mail.read", state=state.value)
        if reading.trouble and not self.stopping():
            event("mailbox.trouble", logging.WARNING, reason=reading.trouble)

    async def finish(self) -> None:
        """End a reading that is under way; what it has not committed is read again."""
        self.mailbox.abort()
        async with self._reading:
            pass
