"""Who may use the relay's connections: so many mails at once, and which comes next on which."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from mailroom.relay import Mail, NotBegunError

Line = TypeVar("Line")


class Waiting(Generic[Line]):
    """A mail in the queue. `line` is the connection that knows of it already, None for any."""

    def __init__(self, mail: Mail) -> None:
        self.mail = mail
        self.line: asyncio.Future[Line | None] = asyncio.get_running_loop().create_future()

    @property
    def gone(self) -> bool:
        """Whether nobody waits here any more."""
        return self.line.done()


class Places(Generic[Line]):
    """At most `count` mails at once; the others wait, first come, first served.

    `forsake` gets a connection that was handed over to a mail that is not wanted any more.
    """

    def __init__(self, count: int, forsake: Callable[[Line], None]) -> None:
        self._free, self._forsake = count, forsake
        self._queue: deque[Waiting[Line]] = deque()

    @property
    def full(self) -> bool:
        """Whether who comes now has to wait."""
        return self._free == 0

    async def enter(self, mail: Mail) -> Line | None:
        """Wait for a place; gives the connection that was handed over with it, if any.

        Raises NotBegunError for a mail that is not wanted any more when it would come next.
        """
        if self._free:
            self._free -= 1
            return None
        waiting: Waiting[Line] = Waiting(mail)
        self._queue.append(waiting)
        try:
            return await waiting.line
        except asyncio.CancelledError:
            came = not waiting.line.cancelled() and waiting.line.exception() is None
            if came:  # just now
                self.leave(waiting.line.result())
            raise

    def next(self) -> Waiting[Line] | None:
        """Which mail comes next, out of the queue: whoever asks passes his place on to it.

        Those that are not wanted any more are told so.
        """
        while self._queue:
            waiting = self._queue.popleft()
            if waiting.gone:
                continue
            if waiting.mail.wanted():
                return waiting
            waiting.line.set_exception(NotBegunError())
        return None

    def pass_on(self, waiting: Waiting[Line], line: Line | None) -> None:
        """Give a place to a mail that came out of the queue, with a connection or without."""
        if waiting.gone:
            self.leave(line)
        else:
            waiting.line.set_result(line)

    def leave(self, line: Line | None = None) -> None:
        """Give a place up, to the mail that comes next; forsake the line that came with it."""
        if line is not None:
            self._forsake(line)
        following = self.next()
        if following is None:
            self._free += 1
        else:
            following.line.set_result(None)
