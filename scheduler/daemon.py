"""The daemon: a heartbeat that looks at the ledger, and nothing that the ledger does not know.

APScheduler only beats: two interval jobs in memory. What is due is decided from the database at
every beat, so a missed beat, a restart or a jump of the clock loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from jobs.circulate import circulate
from jobs.deliver import deliver
from jobs.log import event
from jobs.marking import Sent
from jobs.remind import remind
from jobs.trouble import BARRED
from ledger import highwater
from ledger import plans as marks
from ledger.engine import Ledger, LedgerError
from ledger.leader import Leader
from scheduler import systemd
from scheduler.clock import Clock, SystemClock
from scheduler.collector import Collector
from scheduler.health import Health, Watched
from scheduler.jumps import ClockWatch
from scheduler.lock import AlreadyRunningError, DaemonLock
from scheduler.logs import set_up
from scheduler.pages import board_of, listening
from scheduler.ping import Ping
from scheduler.plans import NoPlanError, Plans
from scheduler.wiring import carrier_of, mailbox_of, relay_of

if TYPE_CHECKING:
    from board.server import Board
    from config.settings import Settings
    from mailroom.relay import Relay

TICK = "tick"
PATIENCE_S = 3
"""So long the heart stands still where the ledger is locked, and so do pages and probes."""
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Daemon:
    """One process's work: `tick` decides, `mail` delivers, `stop` ends both gracefully."""

    def __init__(
        self, ledger: Ledger, folders: list[Path], settings: Settings, relay: Relay, clock: Clock
    ) -> None:
        self.ledger, self.clock, self.relay = ledger, clock, relay
        self.health = Health(settings.tick_seconds)
        self._ping = Ping(settings.ping_url) if settings.ping_url else None
        self.leader = Leader(ledger)
        self.plans = Plans(ledger, folders)
        self._watch = ClockWatch(ledger, clock)
        self.stopped = asyncio.Event()
        self.failed = False
        self.hasten: Callable[[], object] = lambda: None
        """Beat at once; safe in any thread. Before the first beat there is nothing to hasten."""
        self._mailing = asyncio.Lock()
        mailbox = mailbox_of(settings)
        stopping = self.stopped.is_set
        self.collector = (
            Collector(mailbox, ledger, self.plans, settings, clock, stopping) if mailbox else None
        )
        self._carrier = carrier_of(
            settings, Watched(relay, self.health, clock), clock, _log_sent, self.stopped.is_set
        )

    def start(self) -> None:
        """Load the plans and bring the ledger to them. Raises NoPlanError, LedgerError."""
        highwater.check(self.ledger, self.clock.now())
        self._look_who_leads()
        self.plans.start(self.clock.now())
        with self.ledger.write() as connection:
            marks.set_mark(connection, BARRED, None, self.clock.now())  # perhaps it is mended

    async def tick(self) -> None:
        """Follow the files, queue what counts now, and say that we live."""
        begun = perf_counter()
        try:
            now = self.clock.now()
            self._look_who_leads()
            self.plans.follow(now)
            if self.plans.decides:
                doubted = self._watch.look(self.plans.bureaus.values())
                circulate(self.ledger, self.plans.bureaus, now)
                fresh = self.collector.fresh if self.collector else None
                remind(self.ledger, self.plans.bureaus, now, fresh=fresh, doubted=doubted)
            with self.ledger.write() as connection:
                marks.set_mark(connection, TICK, now.isoformat(), now)
            highwater.advance(self.ledger, now)
            self.health.ticked(perf_counter() - begun)
            systemd.notify("WATCHDOG=1")
            if self._ping:
                self._ping.alive()
        except Exception as error:  # noqa: BLE001 - the top of a job: say it, and beat on
            self.health.bad("tick")
            self._report("tick.failed", error)
            if isinstance(error, LedgerError):
                # we beat: a restart brings no ledger back, but loses what the relay said meanwhile
                systemd.notify("WATCHDOG=1")

    async def mail(self) -> None:
        """Send what is due. At most one delivery runs at a time."""
        if self.stopped.is_set():
            return
        async with self._mailing:
            try:
                await deliver(self.ledger, self.plans.bureaus, self._carrier)
                self.health.good("mail")
            except Exception as error:  # noqa: BLE001 - the top of a job: say it, and beat on
                self.health.bad("mail")
                self._report("delivery.failed", error)

    async def collect(self) -> None:
        """Take in what came to the mailbox, where there is one: of several nodes one reads it."""
        if self.collector is None or not self.plans.decides:
            return
        try:
            await self.collector.collect()
            self.health.good("collect")
        except Exception as error:  # noqa: BLE001 - the top of a job: say it, and beat on
            self.health.bad("collect")
            self._report("collecting.failed", error)

    def _look_who_leads(self) -> None:
        leads = self.leader.leads()
        if leads != self.plans.decides:
            event("daemon.leads" if leads else "daemon.follows")
        self.plans.decides = leads

    def reload(self) -> None:
        """Read the plans' files at the next beat, whether they look changed or not."""
        self.plans.look_again()

    async def finish(self) -> None:
        """Wait for the letters in flight, then let go of the connections."""
        if self.collector is not None:
            await self.collector.finish()
        self.leader.close()
        async with self._mailing:
            await self.relay.close()
            if self._carrier.scribe is not None:
                await self._carrier.scribe.close()

    def _report(self, what: str, error: Exception) -> None:
        if isinstance(error, LedgerError):
            event(what, logging.ERROR, reason=str(error))
            if error.fatal:
                # a disk that lies: nothing that we would write could be believed
                self.failed = True
                self.stopped.set()
            return
        event(what, logging.ERROR, raised=error)


async def run(folders: list[Path], settings: Settings, clock: Clock | None = None) -> int:
    """Run the daemon on these plans until it is told to stop; gives the exit code.

    Raises SettingsError, LedgerError, NoPlanError, AlreadyRunningError and ListenError before
    anything was sent.
    """
    set_up(settings.log_format, settings.log_level)
    relay = relay_of(settings)
    with (
        closing(Ledger(settings.database, patience_s=PATIENCE_S)) as ledger,
        DaemonLock(ledger.path),
        listening(settings) as socket,
    ):
        highwater.check_there(ledger.path)
        with closing(Ledger(settings.database)) as at_leisure:  # another node may be at it
            at_leisure.prepare()
        daemon = Daemon(ledger, folders, settings, relay, clock or SystemClock())
        daemon.start()
        board = board_of(daemon, settings, socket) if socket else None
        await _beat(daemon, _period(settings.tick_seconds), board)
    return 1 if daemon.failed else 0


def _period(seconds: float) -> float:
    """The heart's period: twice as quick as a watchdog wants, which else kills a healthy daemon."""
    watchdog = systemd.watchdog_seconds()
    return min(seconds, watchdog / 2) if watchdog else seconds


def _beats(daemon: Daemon, seconds: float) -> AsyncIOScheduler:
    beats = AsyncIOScheduler(
        timezone="UTC",
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    beats.add_job(daemon.tick, "interval", seconds=seconds, id="tick", next_run_time=None)
    beats.add_job(daemon.mail, "interval", seconds=seconds, id="mail", next_run_time=None)
    if daemon.collector is not None:
        every = daemon.collector.seconds
        beats.add_job(daemon.collect, "interval", seconds=every, id="collect", next_run_time=None)
    return beats


async def _beat_on(beats: AsyncIOScheduler, seconds: float) -> None:
    """A clock that is set back leaves the next beat at its old hour, days ahead: beat now."""
    while True:
        await asyncio.sleep(seconds)
        now = SystemClock().now()
        for job in beats.get_jobs():
            if job.next_run_time > now + job.trigger.interval:
                beats.modify_job(job.id, next_run_time=now)


async def _beat(daemon: Daemon, seconds: float, board: Board | None) -> None:
    beats = _beats(daemon, seconds)

    def hasten() -> None:
        for job in beats.get_jobs():
            # the machine's time, by which APScheduler beats, whatever clock the daemon decides by
            beats.modify_job(job.id, next_run_time=SystemClock().now())

    def reload() -> None:
        daemon.reload()
        hasten()

    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, daemon.stopped.set)
    before = signal.getsignal(signal.SIGHUP)
    loop.add_signal_handler(signal.SIGHUP, reload)
    daemon.hasten = lambda: loop.call_soon_threadsafe(hasten)
    beats.start()
    hasten()
    beating = asyncio.create_task(_beat_on(beats, seconds))
    if board:
        board.start()
        event("pages.ready", address=board.address)
    systemd.notify("READY=1")
    event("daemon.ready", plans=",".join(b.plan.id for b in daemon.plans.bureaus.values()))
    await daemon.stopped.wait()
    systemd.notify("STOPPING=1")
    # never shutdown(wait=True): it cancels the coroutine that is sending a letter
    beating.cancel()
    beats.pause()
    if board:
        await board.stop()
    await daemon.finish()
    beats.shutdown(wait=False)
    for number in (*_STOP_SIGNALS, signal.SIGHUP):
        loop.remove_signal_handler(number)
    signal.signal(signal.SIGHUP, before)
    event("daemon.stopped")


def _log_sent(sent: Sent) -> None:
    event(
        "letter.sent",
        kind=sent.ready.row.kind,
        to=sent.mail.recipient,
        subject=sent.written.subject,
        message_id=sent.mail.message_id,
    )


__all__ = ["AlreadyRunningError", "Daemon", "NoPlanError", "run"]
