"""Claim, send, mark: letters leave the ledger for the relay, and what the relay said comes back.

Marking comes after sending. A crash between the relay's answer and the mark means a second copy
with the same Message-ID; marking first would mean a lost letter.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from duban import pace
from duban.bureau import Bureau
from jobs.athand import AtHand
from jobs.marking import Carried, Sent, mark, note
from jobs.outcome import FIRST_BACKOFF, put_off
from jobs.prepare import Claimed, Claims, any_due, at_work, barred, claim
from jobs.saying import StaleError, Voice
from jobs.scribe import Scribe
from jobs.underway import UnderWay
from jobs.wording import Wording
from ledger import letters
from ledger.engine import Ledger, LedgerError
from ledger.letters import Letter
from mailroom.relay import Mail, NotBegunError, Relay
from mailroom.render import Speaker

_GLANCE_S = 0.2
"""How often a letter that waits for its turn looks whether the daemon is to stop."""
_GATHER_S = 0.01
"""How long the marks of accepted letters wait for one another."""
_AT_STAKE = 20
"""So many letters at most are sent again after a crash: those under way, and those not marked."""
_ANEW = timedelta(minutes=1)
"""When a letter is claimed anew that changed, or grew old, before it could leave."""
_SLOW_S = 0.25
"""So long letters that leave one by one may take before one more leaves beside them."""


@dataclass(frozen=True, slots=True)
class Basket:
    """What outlives a delivery that the ledger stopped: letters not tried, answers not written."""

    waiting: deque[Claimed] = field(default_factory=deque)
    finished: list[Carried] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """What delivery needs: a relay, a voice, and a clock.

    `side_by_side` letters are under way at once; where many are due so many more are `at_hand`,
    and the relay may tell the server of them with the letter before. The lease of the `claims` must
    be at least twice the relay's total time-out. A `scribe` words letters where many are due.

    With `careful`, fewer letters than a batch leave one by one, each marked before the next: a
    crash sends one of them again and not several. Where the relay is slow more leave at once.
    """

    relay: Relay
    speaker: Speaker
    clock: Callable[[], datetime]
    claims: Claims
    voice: Voice
    side_by_side: int = 8
    at_hand: int = 0
    scribe: Scribe | None = None
    careful: bool = True
    on_sent: Callable[[Sent], None] = lambda sent: None
    stopping: Callable[[], bool] = lambda: False
    basket: Basket = field(default_factory=Basket)


async def deliver(ledger: Ledger, bureaus: Mapping[int, Bureau], carrier: Carrier) -> int:
    """Send every letter that is due; gives how many the relay accepted.

    When told to stop, letters in flight are finished and claimed ones are given back. A letter that
    cannot be worded is put off; the others go out. Raises LedgerError where the ledger cannot be
    written: nothing more is sent, and what the relay said is kept in the carrier's basket and
    written before anything else the next time.
    """
    return await _Delivery(ledger, bureaus, carrier).run()


class _Delivery:
    """One stream of letters: claimed in batches, sent side by side, marked together.

    What finished within a few milliseconds is committed at once: with every commit the disk is
    waited for, and a letter whose mark a crash swallows is sent twice.
    """

    def __init__(self, ledger: Ledger, bureaus: Mapping[int, Bureau], carrier: Carrier) -> None:
        self._ledger, self._bureaus, self._carrier = ledger, bureaus, carrier
        self._claims, self._owner = carrier.claims, carrier.claims.owner
        self._waiting, self._finished = carrier.basket.waiting, carrier.basket.finished
        self._wording = Wording(ledger, bureaus, carrier.voice, carrier.speaker, carrier.scribe)
        self._at_hand = AtHand(ledger, bureaus)
        self._under_way = UnderWay(self._owner)
        self._more, self._halted, self._mute = False, False, False
        self._looked: tuple[datetime, letters.Open] | None = None
        self._room, self._sent, self._ended = 1, 0, 0
        self._first_at, self._any_finished = 0.0, asyncio.Event()

    async def run(self) -> int:
        self._give_back()
        now = self._carrier.clock()
        self._more = any_due(self._ledger, self._bureaus, now)
        self._wording.prepare()  # the ledger is there: a scribe may read it too
        until = barred(self._ledger) if self._more else None
        if until is not None and now < until <= now + FIRST_BACKOFF:  # else the clock was set back
            return self._sent
        self._refill()
        one_by_one = self._carrier.careful and not self._more
        at_once = self._carrier.side_by_side + (self._carrier.at_hand if self._more else 0)
        most = min(at_once, len(self._waiting))
        self._room = 1 if one_by_one else max(_AT_STAKE - self._carrier.side_by_side, 1)
        first = min(most, 1) if one_by_one or until is not None else most
        self._under_way.ahead = 1 if one_by_one else 2 * _AT_STAKE
        workers = [self._begin() for _ in range(first)]
        working, marking = set(workers), asyncio.create_task(self._mark_in_time())
        try:
            while working:
                ended = self._ended
                done, _ = await asyncio.wait(
                    {*working, marking},
                    timeout=_SLOW_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    task.result()
                working -= done
                in_doubt = until is not None and not self._sent  # one letter tries the door
                slow = not done and self._ended == ended
                if slow and len(workers) < most and not in_doubt:
                    workers.append(self._begin())
                    working.add(workers[-1])
        except LedgerError:
            await self._halt(workers)
            raise
        finally:
            for task in (*working, marking):
                task.cancel()
            await self._wording.close()
        self._give_back()
        return self._sent

    def _begin(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._work())

    async def _halt(self, workers: list[asyncio.Task[None]]) -> None:
        """Begin nothing new; a letter under way is heard out, so that it is not sent again."""
        self._halted = True
        await asyncio.gather(*workers, return_exceptions=True)

    @property
    def _ending(self) -> bool:
        """Whether no other letter is to be begun."""
        return self._halted or self._carrier.stopping()

    async def _work(self) -> None:
        """Carry one letter after the other until none is left."""
        while not self._ending:
            if self._more and self._few():
                self._refill()
            if not self._waiting:
                return
            wait = self._wait()
            if wait > timedelta():
                await asyncio.sleep(min(wait.total_seconds(), _GLANCE_S))
            elif self._late():
                # to be claimed anew: at once, or when there are turns again
                self._more = self._more or self._waiting[0].turn is None
                self._give_back()
            else:
                try:
                    await self._try(self._next())
                except NotBegunError:
                    return  # we are to stop, or the server is too slow for so many at hand

    def _next(self) -> Claimed:
        """The next letter, of which the ledger says that it may leave."""
        if not self._under_way.known(self._waiting[0].row.id):
            with self._ledger.write() as connection:
                self._under_way.say(connection, self._waiting, self._carrier.clock())
        claimed = self._waiting.popleft()
        self._under_way.begin(claimed.row.id)
        return claimed

    def _wait(self) -> timedelta:
        """How long until the next letter's turn."""
        turn = self._waiting[0].turn
        return timedelta() if turn is None else turn - self._carrier.clock()

    def _late(self) -> bool:
        first, now = self._waiting[0], self._carrier.clock()
        missed = first.turn is not None and pace.missed(first.turn, now)
        return missed or not self._claims.begun_in_time(first, now)

    async def _try(self, claimed: Claimed) -> None:
        try:
            carried = await self._carried(claimed)
            self._ended += 1
        except (LedgerError, NotBegunError):
            self._waiting.appendleft(claimed)  # nothing has come of it
            self._under_way.end(claimed.row.id)
            raise
        self._at_hand.let_go(claimed.row.id)
        if carried is None:
            self._under_way.end(claimed.row.id)
            return
        self._finished.append(carried)
        self._halted = self._halted or carried.reply.barred
        if len(self._finished) >= self._room:
            self._mark()
        elif len(self._finished) == 1:
            self._first_at = _now_s()
            self._any_finished.set()

    async def _carried(self, claimed: Claimed) -> Carried | None:
        """Carry a letter; None for one that was withdrawn or put off instead."""
        try:
            carried = await self._carry(claimed)
        except LedgerError:
            raise
        except (NotBegunError, StaleError) as error:
            if isinstance(error, NotBegunError) and self._at_hand.holds(claimed.row.id):
                raise
            with self._ledger.write() as connection:
                again = self._carrier.clock() + _ANEW
                letters.give_back(connection, claimed.row, self._owner, again)
            return None
        except Exception as error:  # noqa: BLE001 - one letter must not hold up the others
            self._put_off(claimed.row, error)
            return None
        if isinstance(carried, str):
            self._withdraw(claimed.row, carried)
            return None
        return carried

    def _put_off(self, row: Letter, error: Exception) -> None:
        bureau, now = self._bureaus[row.plan_id], self._carrier.clock()
        with self._ledger.write() as connection:
            put_off(connection, self._ledger, bureau, row, error, self._owner, now)

    def _withdraw(self, row: Letter, reason: str) -> None:
        with self._ledger.write() as connection:
            if letters.withdraw(connection, row.id, reason, owner=self._owner):
                now = self._carrier.clock()
                note(connection, row, now, "letter.withdrawn", reason=reason)

    async def _mark_in_time(self) -> None:
        """Mark what no other letter came to join; for ever."""
        while True:
            await self._any_finished.wait()
            left = self._first_at + _GATHER_S - _now_s()
            if self._finished and left > 0:
                await asyncio.sleep(left)
                continue
            self._any_finished.clear()
            self._mark()

    async def _carry(self, claimed: Claimed) -> Carried | str:
        """Hand a letter over; gives the reason instead where it has nothing to say."""
        worded = await self._wording.of(claimed)
        if isinstance(worded, str):
            return worded
        ready, written = worded

        def in_time() -> bool:
            return self._claims.begun_in_time(claimed, self._carrier.clock())

        def holds() -> bool:
            return self._at_hand.holds(claimed.row.id)

        def wanted() -> bool:
            return in_time() and holds() and not self._ending

        if self._ending:
            raise NotBegunError
        if not (in_time() and holds()):  # the words came late, or a report did
            raise StaleError
        sender = self._carrier.voice.address(self._bureaus[ready.row.plan_id])
        mail = Mail(
            sender,
            ready.address,
            ready.row.message_id,
            written.content,
            wanted=wanted,
            holds=holds,
        )
        if ready.turn is not None:
            left = (ready.turn + pace.MARGIN - self._carrier.clock()).total_seconds()
            mail = replace(mail, not_after=_now_s() + left)
        return Carried(ready, written, mail, await self._carrier.relay.send(mail))

    def _refill(self) -> None:
        self._mark()
        while self._more and self._few() and not self._carrier.stopping():
            now = self._carrier.clock()

            def also(connection: Connection, claimed: list[Claimed], now: datetime = now) -> None:
                self._at_hand.take(connection, [one.row for one in claimed])
                waiting = [*self._waiting, *claimed]
                self._under_way.say(connection, waiting, now, more=bool(claimed))

            claimed, self._more = claim(
                self._ledger, self._bureaus, self._open(now), self._claims, now, also
            )
            self._waiting.extend(claimed)
            self._wording.expect(claimed)

    def _open(self, now: datetime) -> letters.Open:
        """The plans at work, looked at once a minute: a province has thousands."""
        minute = now.replace(second=0, microsecond=0)
        if self._looked is None or self._looked[0] != minute:
            self._looked = minute, at_work(self._bureaus, now)
        return self._looked[1]

    def _few(self) -> bool:
        """Whether more is to be claimed: with a scribe before the last is gone, to keep it busy."""
        return len(self._waiting) <= (self._claims.batch if self._wording.ahead else 0)

    def _mark(self) -> None:
        """Write down what has finished; once the ledger failed it is kept for the next time.

        Each attempt may wait as long as the ledger is locked, and everything else with it.
        """
        finished = list(self._finished)
        if not finished or self._mute:
            return
        try:
            now, ids = self._carrier.clock(), [one.ready.row.id for one in finished]
            waiting = self._more or bool(self._waiting) or self._under_way.others(ids)
            others = self._sent > 0 or waiting

            def also(connection: Connection) -> None:
                self._under_way.say(connection, self._waiting, now, ids, more=self._more)

            sent = mark(
                self._ledger,
                self._bureaus,
                self._owner,
                finished,
                now,
                others=others,
                also=also,
            )
        except LedgerError:
            self._mute = self._halted = True
            raise
        del self._finished[: len(finished)]
        for letter_id in ids:
            self._under_way.end(letter_id)
        self._sent += len(sent)
        for one in sent:
            self._carrier.on_sent(one)

    def _give_back(self) -> None:
        """Let go of what was claimed and not tried: we were told to stop, or had to."""
        self._mark()
        if self._waiting:
            with self._ledger.write() as connection:
                for row, _, _ in self._waiting:
                    letters.give_back(connection, row, self._owner)
                    self._at_hand.let_go(row.id)
                self._under_way.say(connection, (), self._carrier.clock())
            self._waiting.clear()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
