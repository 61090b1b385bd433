"""A scripted SMTP server that fails on purpose, and certificates for it.

It runs on a loop of its own in a thread, so that tests with or without a loop, and daemons in
processes of their own, can use it. What a client says is kept as it came.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

import pytest
import trustme

Action = bytes | Literal["drop", "reset", "hang", "drip"]
"""What the server does instead of its usual answer: says these bytes, closes, resets, is silent, or
answers one byte at a time without an end."""

_USUAL: dict[str, bytes] = {
    "CONNECT": b"220 faulty.example ESMTP\r\n",
    "HELO": b"250 faulty.example\r\n",
    "MAIL": b"250 sender ok\r\n",
    "RCPT": b"250 recipient ok\r\n",
    "DATA": b"354 go ahead\r\n",
    "DOT": b"250 2.0.0 queued\r\n",
    "AUTH": b"235 2.7.0 accepted\r\n",
    "RSET": b"250 flushed\r\n",
    "STARTTLS": b"220 go ahead\r\n",
    "QUIT": b"221 bye\r\n",
}
_NOBODY = b"503 5.5.1 no valid recipients\r\n"


class _Gone(Exception):  # noqa: N818, ends a connection
    pass


_DEAF_S = 0.05
"""How long a deaf server waits for what came with the end of a mail."""


@dataclass
class FaultyServer:
    """A server on loopback. `script(verb, …)` queues what it does at the next such verbs.

    Verbs are those of SMTP, CONNECT (the greeting) and DOT (the end of a mail). `said` has the
    commands of every connection in order, `mails` the content of each mail that reached its final
    dot, as bytes on the wire without the dot. DATA without a recipient is refused. `tls` makes it
    speak TLS from the start; with `starttls` it offers it. `deaf`: it forgets what came together
    with the end of a mail.
    """

    tls: ssl.SSLContext | None = None
    starttls: ssl.SSLContext | None = None
    auth: bool = False
    pipelining: bool = True
    deaf: bool = False
    port: int = 0
    before_answer: Callable[[int], None] = lambda count: None
    after_answer: Callable[[int], None] = lambda count: None
    said: list[list[str]] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    _scripts: dict[str, deque[Action]] = field(default_factory=lambda: defaultdict(deque))
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    # whether the latest RCPT of a connection was accepted
    _taken: dict[asyncio.StreamWriter, bool] = field(default_factory=dict)
    _came: threading.Condition = field(default_factory=threading.Condition)

    def script(self, verb: str, *actions: Action) -> Self:
        """Queue actions for the next times that `verb` comes; afterwards it answers as usual."""
        self._scripts[verb].extend(actions)
        return self

    @property
    def recipients(self) -> list[str]:
        """The addresses of all RCPT commands, in order."""
        lines = [line for connection in self.said for line in connection]
        return [line[9:-1] for line in lines if line.startswith("RCPT TO:<")]

    def wait_for(self, count: int, seconds: float = 60) -> None:
        """Wait until so many mails came; raises AssertionError where they do not."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.mails) >= count, seconds)
        assert came, f"{len(self.mails)} of {count} mails came in {seconds} s"

    def start(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)
        return self

    def stop(self) -> None:
        """Drop every connection and stop listening."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(start)
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        self._server.close()
        self._loop.run_until_complete(_settle())
        # a connection that was accepted a moment ago gets its task only now
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self._loop.run_until_complete(_settle())
        self._loop.close()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said: list[str] = []
        self.said.append(said)
        try:
            if self.tls:
                await writer.start_tls(self.tls)
            await self._answer("CONNECT", writer)
            while line := await reader.readline():
                said.append(line.decode("latin-1").rstrip("\r\n"))
                await self._obey(said[-1], reader, writer)
        except (_Gone, OSError):
            pass
        finally:
            writer.transport.abort()

    async def _obey(
        self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            encrypted = writer.get_extra_info("sslcontext") is not None
            await self._answer("EHLO", writer, self._extensions(encrypted))
            return
        recipient = verb != "DATA" or self._taken.pop(writer, False)
        answer = await self._answer(verb, writer, None if recipient else _NOBODY)
        if verb == "RCPT":
            self._taken[writer] = answer.startswith(b"2")
        if verb == "DATA" and answer.startswith(b"354"):
            content = await _content(reader)
            with self._came:
                self.mails.append(content)
                self._came.notify_all()
            if self.deaf:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_DEAF_S):
                        await reader.read(1 << 16)
            self.before_answer(len(self.mails))
            await self._answer("DOT", writer)
            self.after_answer(len(self.mails))
        elif verb == "STARTTLS" and answer.startswith(b"220") and self.starttls:
            await writer.start_tls(self.starttls)
        elif verb == "QUIT":
            raise _Gone

    def _extensions(self, encrypted: bool) -> bytes:
        offered = [b"faulty.example"]
        if self.pipelining:
            offered.append(b"PIPELINING")
        if self.starttls and not encrypted:
            offered.append(b"STARTTLS")
        if self.auth:
            offered.append(b"AUTH PLAIN LOGIN")
        return b"".join(b"250-%s\r\n" % o for o in offered) + b"250 HELP\r\n"

    async def _answer(
        self, verb: str, writer: asyncio.StreamWriter, usual: bytes | None = None
    ) -> bytes:
        queued = self._scripts[verb]
        default = usual or _USUAL.get(verb, b"500 what?\r\n")
        action: Action = queued.popleft() if queued else default
        if isinstance(action, bytes):
            writer.write(action)
            await writer.drain()
            return action
        await _misbehave(action, writer)
        raise _Gone


async def _settle() -> None:
    """Let the transports that were aborted close their sockets."""
    for _ in range(5):
        await asyncio.sleep(0)


async def _misbehave(action: str, writer: asyncio.StreamWriter) -> None:
    if action == "hang":
        await asyncio.Event().wait()
    while action == "drip":
        writer.write(b"2")
        await asyncio.sleep(0.02)
    if action == "drop":
        writer.close()
        await writer.wait_closed()
    writer.transport.abort()


async def _content(reader: asyncio.StreamReader) -> bytes:
    """The mail up to its final dot, by the letter of RFC 5321: only CRLF . CRLF ends it."""
    content = b""
    while not content.endswith(b"\r\n.\r\n"):
        more = await reader.readline()
        if not more:
            raise _Gone
        content += more
    return content[: -len(b".\r\n")]


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    """A plain server without TLS that answers as usual until it is scripted."""
    server = FaultyServer().start()
    yield server
    server.stop()


@pytest.fixture
def make_faulty() -> Iterator[Callable[..., FaultyServer]]:
    """Makes and starts servers with other settings; all are stopped after the test."""
    servers: list[FaultyServer] = []

    def make(**settings: object) -> FaultyServer:
        servers.append(FaultyServer(**settings).start())  # type: ignore[arg-type]
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@dataclass(frozen=True)
class Certificates:
    """An authority made for the tests: its file for a client, contexts for a server."""

    ca_file: Path
    server: ssl.SSLContext
    expired: ssl.SSLContext
    other_name: ssl.SSLContext


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One authority, and certificates of it: good, expired, and for another name."""
    authority = trustme.CA()
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    return Certificates(
        ca_file,
        _context(authority.issue_cert("127.0.0.1", "localhost")),
        _context(authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))),
        _context(authority.issue_cert("elsewhere.example")),
    )


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
