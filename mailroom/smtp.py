"""The relay over SMTP: aiosmtplib's connections, kept and reused, one recipient per transaction.

aiosmtplib's `sendmail` raises the same error whether a connection drops before or after the final
dot, returns normally on partial refusal, and counts time per command. Here it opens the connection;
the commands and answers are our own, so that the phase is known, commands can be pipelined, and the
whole attempt has one time-out.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, replace

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from mailroom.conversation import NOT_SMTP, Conversation
from mailroom.relay import Mail, Outcome, Reply
from mailroom.replies import OUT_OF_STEP, Phase, answered, failed, without_secrets
from mailroom.settings import RelaySettings
from mailroom.wire import wire

_QUIT_TIMEOUT_S = 2
_GLANCE_S = 0.05
_IDLE_MAX_S = 30
"""A connection idle for longer is not trusted: firewalls forget it and tell neither side."""
_PARTING = OUT_OF_STEP | {421}
"""After these nothing more is said on the connection."""
_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")
# ValueError: a challenge at login that is not base64. AttributeError: aiosmtplib 5.1 looks at a
# connection that was lost in the moment after STARTTLS.
_FAULTS = (SMTPException, OSError, ValueError, AttributeError)


class _Stale(Exception):  # noqa: N818, a signal, not an error
    """A kept connection turned out to be dead, or of no more use, before the mail left."""


@dataclass(slots=True)
class _Line:
    """One connection.

    `in_step`: every command has its answer, so that another mail may follow. `unfinished`: the
    server still holds a mail that was refused half-way. `since`: the loop's time when it fell idle.
    """

    client: SMTP
    conversation: Conversation | None = None
    pipelining: bool = False
    phase: Phase = Phase.CONNECT
    carried: int = 0
    fresh: bool = True
    in_step: bool = False
    unfinished: bool = False
    since: float = 0

    @property
    def talk(self) -> Conversation:
        """The conversation of an open connection; raises SMTPServerDisconnected before that."""
        if self.conversation is None:
            raise SMTPServerDisconnected("not connected")
        return self.conversation

    @property
    def good(self) -> bool:
        """Whether the connection can carry another mail."""
        return self.client.is_connected and self.conversation is not None and self.talk.quiet


class SmtpRelay:
    """Hands mails to one SMTP server over at most `connections` kept connections.

    `send` may be called by many tasks at once; each waits for a free connection, and its time-out
    starts when it has one. Raises OSError if `ca_file` cannot be read.
    """

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._tls = _tls_context(settings)
        self._idle: list[_Line] = []
        self._slots = asyncio.Semaphore(settings.connections)
        self._hostname = settings.local_hostname or _own_name()

    async def send(self, mail: Mail) -> Reply:
        """Hand over one mail: never raises for what a server or network does.

        A mail that cannot go out as it is (bare CR or LF, a bad address) is refused: PERMANENT.
        """
        try:
            fit = _fit(mail)
        except ValueError as error:
            return Reply(Outcome.PERMANENT, str(error))
        async with self._slots:
            return without_secrets(await self._attempt(fit), self._settings)

    async def probe(self) -> Reply:
        """Connect, encrypt and log in but send nothing: ACCEPTED if a mail could be sent."""
        line = _Line(self._client())
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._open(line)
            reply = Reply(Outcome.ACCEPTED, "connected", 250)
        except _FAULTS as error:
            reply = failed(line.phase, error)
        await _hang_up(line)
        return without_secrets(reply, self._settings)

    async def close(self) -> None:
        """Say goodbye on the connections that are idle and close them."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_hang_up(line) for line in idle))

    async def _attempt(self, mail: Mail) -> Reply:
        line = self._take()
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                try:
                    return await self._carry(line, mail)
                except _Stale:
                    line.client.close()
                    line = _Line(self._client())
                    return await self._carry(line, mail)
        except _FAULTS as error:
            late = isinstance(error, TimeoutError) and line.phase is Phase.CONTENT
            return (late and await _lying_there(line)) or _failed(line, error)
        finally:
            self._put_back(line)

    async def _carry(self, line: _Line, mail: Mail) -> Reply:
        """One transaction; raises _Stale if a kept connection fails before the content went out."""
        line.fresh, line.in_step = not line.client.is_connected, False
        try:
            if line.fresh:
                await self._open(line)
            reply = await _transact(line, mail)
        except (SMTPServerDisconnected, ConnectionError):
            if line.fresh or line.phase is Phase.CONTENT:
                raise
            raise _Stale from None
        if reply.code == 421 and not line.fresh and line.phase is Phase.SENDER:
            raise _Stale
        return reply

    async def _open(self, line: _Line) -> None:
        """Connect, say hello, encrypt and log in; raises aiosmtplib's and OS errors."""
        client = line.client
        line.phase = Phase.CONNECT
        await client.connect()
        line.phase = Phase.HELLO
        await client.ehlo()
        if self._settings.tls == "starttls":
            line.phase = Phase.TLS
            if not client.supports_extension("starttls"):
                raise SMTPException(
                    "the server does not offer STARTTLS, or somebody in between hides it: not sent "
                    "unencrypted"
                )
            await client.starttls()
            await client.ehlo()
        if self._settings.username is not None and self._settings.password is not None:
            line.phase = Phase.LOGIN
            await client.login(self._settings.username, self._settings.password)
        if client.transport is None:
            raise SMTPServerDisconnected("connection lost")
        line.pipelining = client.supports_extension("pipelining")
        line.conversation = Conversation(client.transport)

    def _take(self) -> _Line:
        """The connection used last, if it is still good, or a new one."""
        oldest = asyncio.get_running_loop().time() - _IDLE_MAX_S
        while self._idle:
            line = self._idle.pop()
            if line.good and line.since >= oldest:
                return line
            _part(line)
        return _Line(self._client())

    def _put_back(self, line: _Line) -> None:
        """Keep a connection that is in step and has not carried its share of mails."""
        worn = line.carried >= self._settings.messages_per_connection
        if line.good and line.in_step and not worn:
            line.since = asyncio.get_running_loop().time()
            self._idle.append(line)
        else:
            _part(line)

    def _client(self) -> SMTP:
        s = self._settings
        return SMTP(
            hostname=s.host,
            port=s.port,
            timeout=None,  # the whole attempt has one
            use_tls=s.tls == "implicit",
            start_tls=False,  # None, the default, would fall back to sending in clear
            tls_context=self._tls,
            local_hostname=self._hostname,
        )


async def _transact(line: _Line, mail: Mail) -> Reply:
    """MAIL, RCPT, DATA and the content, each with its answer; one recipient.

    Where the server offers PIPELINING the commands go out in one write. The content waits for its
    354 all the same: a letter is never sent to a server that has not asked for it.
    """
    if mail.not_after is not None and asyncio.get_running_loop().time() > mail.not_after:
        line.in_step = True
        return Reply(Outcome.TEMPORARY, "connecting took longer than the letter's turn")
    line.carried += 1
    if line.unfinished:
        line.phase = Phase.SENDER
        if not _agreed(line.phase, await _ask(line, b"RSET\r\n")):
            raise _Stale  # the refused mail's recipient may still stand
        line.unfinished = False
    commands = (
        (Phase.SENDER, b"MAIL FROM:<" + mail.sender.encode("ascii") + b">\r\n"),
        (Phase.RECIPIENT, b"RCPT TO:<" + mail.recipient.encode("ascii") + b">\r\n"),
        (Phase.DATA, b"DATA\r\n"),
    )
    if line.pipelining:
        refused = await _all_at_once(line, commands)
    else:
        refused = await _one_by_one(line, commands)
    if refused is not None:
        return refused
    return _reply(line, await _content(line, mail.content))


Commands = tuple[tuple[Phase, bytes], ...]


async def _one_by_one(line: _Line, commands: Commands) -> Reply | None:
    """Each command after the answer to the one before; gives the first refusal."""
    for phase, command in commands:
        line.phase = phase
        response = await _ask(line, command)
        if not _agreed(phase, response):
            line.unfinished = phase is not Phase.SENDER
            return _reply(line, response)
    return None


async def _all_at_once(line: _Line, commands: Commands) -> Reply | None:
    """All commands in one write (RFC 2920), then their answers; gives the first refusal."""
    line.phase = Phase.SENDER
    line.talk.say(*(command for _, command in commands))
    refused: Reply | None = None
    for phase, _ in commands:
        if refused is None:
            line.phase = phase
        response = await line.talk.hear()
        if refused is None and not _agreed(phase, response):
            refused = _reply(line, response)
            line.unfinished = True
            if not line.in_step:
                break
        elif refused is not None and phase is Phase.DATA and response.code == 354:
            # It waits for a mail that must not come. A lone dot could be a mail of its own; a
            # connection that closes here is none (RFC 5321 4.1.1.4).
            line.in_step = False
    return refused


def _agreed(phase: Phase, response: SMTPResponse) -> bool:
    return response.code // 100 == (3 if phase is Phase.DATA else 2)


async def _ask(line: _Line, command: bytes) -> SMTPResponse:
    line.talk.say(command)
    return await line.talk.hear()


async def _content(line: _Line, content: bytes) -> SMTPResponse:
    """The mail and the final dot in one write, then the answer.

    Where the server has already said more than it was asked, what comes next cannot be told from an
    answer to this mail: it is not sent.
    """
    if not line.talk.quiet:
        raise SMTPResponseException(NOT_SMTP, "the server answers more than it was asked")
    line.talk.say(content, b".\r\n")
    line.phase = Phase.CONTENT
    return await line.talk.hear()


def _failed(line: _Line, error: BaseException) -> Reply:
    reply = failed(line.phase, error)
    barred = reply.outcome is Outcome.HELD and line.phase < Phase.SENDER
    return replace(reply, barred=barred)


async def _lying_there(line: _Line) -> Reply | None:
    """The answer that came in time, where it was we who stood still and not the server.

    A loop that comes to again may see that time is over before it sees what came.
    """
    with suppress(*_FAULTS):
        async with asyncio.timeout(_GLANCE_S):
            return _reply(line, await line.talk.hear())
    return None


def _reply(line: _Line, response: SMTPResponse) -> Reply:
    """What an answer means; after one that makes sense the connection may be used again."""
    final = 2 if line.phase is Phase.CONTENT else 0
    line.in_step = response.code // 100 in (final, 4, 5) and response.code not in _PARTING
    return answered(line.phase, response.code, response.message)


def _part(line: _Line) -> None:
    """Close without waiting; a server that is in step is told."""
    if line.in_step and line.conversation is not None:
        with suppress(*_FAULTS):
            line.conversation.say(b"QUIT\r\n")
    line.client.close()


def _fit(mail: Mail) -> Mail:
    """The mail as it may leave; raises ValueError where it must not."""
    if not (_ADDRESS.fullmatch(mail.sender) and _ADDRESS.fullmatch(mail.recipient)):
        raise ValueError("the sender's or recipient's address is not one plain address; not sent")
    fit = wire(mail.content)
    return mail if fit is mail.content else replace(mail, content=fit)


async def _hang_up(line: _Line) -> None:
    """Say goodbye and wait for the end: closing TLS takes a word from the other side too."""
    talk = line.conversation
    with suppress(*_FAULTS):
        async with asyncio.timeout(_QUIT_TIMEOUT_S):
            if talk is not None:
                await _ask(line, b"QUIT\r\n")
                line.client.close()
                await talk.lost()
            elif line.client.is_connected:
                await line.client.quit()
    line.client.close()
    if talk is not None:
        talk.abort()


def _tls_context(settings: RelaySettings) -> ssl.SSLContext | None:
    """Certificates and names are always checked; TLS 1.2 at least."""
    if settings.tls == "none":
        return None
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _own_name() -> str:
    """The name for EHLO: the host's, without asking the DNS, or an address literal."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.-]{1,255}", name) else "[127.0.0.1]"
