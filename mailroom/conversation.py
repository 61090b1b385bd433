"""An SMTP conversation in which several commands may go out before their answers come (RFC 2920).

aiosmtplib connects, encrypts and logs in. Its protocol then loses answers that it was not waiting
for, so the conversation takes over the connection: what was said and what was answered stay in
step.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import cast

from aiosmtplib import SMTPResponse, SMTPResponseException, SMTPServerDisconnected

_LINE_MAX_BYTES = 4096
"""Far more than the 512 of RFC 5321 4.5.3.1.5: real servers are talkative."""
_ANSWER_MAX_LINES = 100
NOT_SMTP = -1
"""The code of what is no answer, as aiosmtplib has it."""


class Conversation(asyncio.Protocol):
    """What is said over one connection; takes `transport` over from its present protocol."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._half = bytearray()
        self._lines: list[bytes] = []
        self._answers: deque[SMTPResponse | Exception] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._transport.set_protocol(self)

    @property
    def quiet(self) -> bool:
        """Whether the server has said nothing that nobody asked for, such as a farewell."""
        return not (self._answers or self._half or self._lines or self._lost)

    def say(self, *parts: bytes) -> None:
        """Write without waiting; raises SMTPServerDisconnected where the connection is gone."""
        if self._lost is not None or self._transport.is_closing():
            raise SMTPServerDisconnected("connection lost")
        self._transport.write(b"".join(parts))

    async def hear(self) -> SMTPResponse:
        """The next answer, in the order of the commands.

        Raises SMTPServerDisconnected where none will come, and SMTPResponseException for one that
        is not SMTP.
        """
        while not self._answers:
            if self._lost is not None:
                raise SMTPServerDisconnected("connection lost") from self._lost
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def lost(self) -> None:
        """Wait until the connection has ended; what the server still says is not read."""
        with suppress(SMTPServerDisconnected, SMTPResponseException):
            while True:
                await self.hear()

    def abort(self) -> None:
        """End the connection now; without effect on one that has ended."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, and lines into answers."""
        self._half += data
        *lines, rest = self._half.split(b"\n")
        self._half = rest
        for line in lines:
            self._take(bytes(line))
        if len(self._half) > _LINE_MAX_BYTES or len(self._lines) > _ANSWER_MAX_LINES:
            self._nonsense("the server's answer is too long")
        self._wake()

    def eof_received(self) -> bool:
        """The server has said its last word: the connection is closed."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """No further answer will come."""
        self._lost = exc or SMTPServerDisconnected("connection closed by the server")
        self._wake()

    def _take(self, line: bytes) -> None:
        code = line[:3]
        if not (len(code) == 3 and code.isdigit()) or len(line) > _LINE_MAX_BYTES:
            said = line.decode("utf-8", "replace").strip()
            self._nonsense(f"not an answer of SMTP: {said[:100]}")
            return
        self._lines.append(line[4:].strip(b" \t\r"))
        if line[3:4] != b"-":
            text = b"\n".join(self._lines).decode("utf-8", "surrogateescape")
            self._answers.append(SMTPResponse(int(code), text))
            self._lines = []

    def _nonsense(self, said: str) -> None:
        self._answers.append(SMTPResponseException(NOT_SMTP, said))
        self._lines, self._half = [], bytearray()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
