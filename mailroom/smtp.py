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
from dataclasses import replace

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from mailroom.connection import (
    FAULTS,
    Line,
    agreed,
    all_at_once,
    ask,
    commands_of,
    failure_of,
    hang_up,
    lying_there,
    one_by_one,
    part,
    reply_to,
)
from mailroom.conversation import NOT_SMTP, Conversation
from mailroom.places import Places
from mailroom.relay import Mail, NotBegunError, Outcome, Reply
from mailroom.replies import OUT_OF_STEP, Phase, failed, without_secrets
from mailroom.settings import RelaySettings
from mailroom.wire import wire

_IDLE_MAX_S = 30
"""A connection idle for longer is not trusted: firewalls forget it and tell neither side."""
_CAUTION_S = 3600
"""So long no mail is announced with another's content once something went wrong with one that was:
perhaps the server does not bear that."""
_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")


class _Stale(Exception):  # noqa: N818, a signal, not an error
    """A kept connection turned out to be dead, or of no more use, before the mail left."""


class SmtpRelay:
    """Hands mails to one SMTP server over at most `connections` kept connections.

    `send` may be called by many tasks at once; each waits for a free connection, and its time-out
    starts when it has one. Raises OSError if `ca_file` cannot be read.
    """

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._tls = _tls_context(settings)
        self._idle: list[Line] = []
        self._places: Places[Line] = Places(settings.connections, part)
        self._ahead_from = 0.0
        self._hostname = settings.local_hostname or _own_name()

    async def send(self, mail: Mail) -> Reply:
        """Hand over one mail: never raises for what a server or network does.

        A mail that cannot go out as it is (bare CR or LF, a bad address) is refused: PERMANENT.
        Raises NotBegunError for one that waited and is not wanted any more, or holds no more.
        """
        try:
            fit = _fit(mail)
        except ValueError as error:
            return Reply(Outcome.PERMANENT, str(error))
        waits = self._places.full
        line = await self._places.enter(fit)
        if waits and not fit.wanted():
            self._places.leave(line)
            raise NotBegunError
        return without_secrets(await self._attempt(fit, line), self._settings)

    async def probe(self) -> Reply:
        """Connect, encrypt and log in but send nothing: ACCEPTED if a mail could be sent."""
        line = Line(self._client())
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._open(line)
            reply = Reply(Outcome.ACCEPTED, "connected", 250)
        except FAULTS as error:
            reply = failed(line.phase, error)
        await hang_up(line)
        return without_secrets(reply, self._settings)

    async def close(self) -> None:
        """Say goodbye on the connections that are idle and close them."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(hang_up(line) for line in idle))

    async def _attempt(self, mail: Mail, handed_over: Line | None) -> Reply:
        line = handed_over or self._take()
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                try:
                    return await self._carry(line, mail)
                except _Stale:
                    if line is handed_over:
                        self._be_cautious()
                    line.client.close()
                    line = Line(self._client())
                    return await self._carry(line, mail)
        except FAULTS as error:
            late = isinstance(error, TimeoutError) and line.phase is Phase.CONTENT
            return (late and await lying_there(line)) or failure_of(line, error)
        finally:
            if not line.in_step and (line.following is not None or line is handed_over):
                self._be_cautious()
            self._put_back(line)

    def _be_cautious(self) -> None:
        self._ahead_from = _now_s() + _CAUTION_S

    async def _carry(self, line: Line, mail: Mail) -> Reply:
        """One transaction; raises _Stale if a kept connection fails before the content went out.

        So it does for an announced mail that the server refuses without a look at the recipient:
        it may have been the announcement that the server did not bear.
        """
        line.fresh, line.in_step = line.conversation is None, False
        announced = line.announced
        try:
            if line.fresh:
                await self._open(line)
                if not mail.holds():
                    line.in_step = True
                    raise NotBegunError
            reply = await self._transact(line, mail)
        except (SMTPServerDisconnected, ConnectionError):
            if line.fresh or line.phase is Phase.CONTENT:
                raise
            raise _Stale from None
        if line.phase is Phase.SENDER and not line.fresh and (announced or reply.code == 421):
            raise _Stale
        if announced and line.phase < Phase.CONTENT and reply.code in OUT_OF_STEP:
            raise _Stale
        if reply.outcome is Outcome.PERMANENT and line.following is not None:
            # perhaps it is what followed that the server refuses: a try by itself will tell
            self._be_cautious()
            return replace(reply, outcome=Outcome.TEMPORARY)
        return reply

    async def _open(self, line: Line) -> None:
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

    async def _transact(self, line: Line, mail: Mail) -> Reply:
        """MAIL, RCPT, DATA and the content, each with its answer; one recipient.

        Where the server offers PIPELINING the commands go out in one write. The content waits for
        its 354 all the same: a letter is never sent to a server that has not asked for it.
        """
        if mail.not_after is not None and _now_s() > mail.not_after:
            line.in_step = not line.announced
            return Reply(Outcome.TEMPORARY, "connecting took longer than the letter's turn")
        line.carried += 1
        if line.unfinished:
            line.phase = Phase.SENDER
            if not agreed(line.phase, await ask(line, b"RSET\r\n")):
                raise _Stale  # the refused mail's recipient may still stand
            line.unfinished = False
        commands = commands_of(mail)
        if line.pipelining:
            refused = await all_at_once(line, commands)
        else:
            refused = await one_by_one(line, commands)
        if refused is not None:
            return refused
        return reply_to(line, await self._content(line, mail.content))

    async def _content(self, line: Line, content: bytes) -> SMTPResponse:
        """The mail and the final dot, then the answer.

        A content may be the first of a group (RFC 2920 3.1): the commands of a mail that waits for
        a connection follow at once, which saves it a way to the server and back. Where the server
        has already said more than it was asked, what comes next cannot be told from an answer to
        this mail: it is not sent.
        """
        if not line.talk.quiet:
            raise SMTPResponseException(NOT_SMTP, "the server answers more than it was asked")
        line.talk.say(content, b".\r\n")
        line.phase = Phase.CONTENT
        if line.pipelining and not self._worn(line) and _now_s() >= self._ahead_from:
            line.following = self._places.next()
        if line.following is not None:
            line.talk.say(*(command for _, command in commands_of(line.following.mail)))
        return await line.talk.hear()

    def _take(self) -> Line:
        """The connection used last, if it is still good, or a new one."""
        oldest = _now_s() - _IDLE_MAX_S
        while self._idle:
            line = self._idle.pop()
            if line.good and line.since >= oldest:
                return line
            part(line)
        return Line(self._client())

    def _put_back(self, line: Line) -> None:
        """Keep a connection that is in step and has not carried its share of mails."""
        following, line.following = line.following, None
        if following is not None:
            line.announced = True  # what the server has said since is answers to that
            kept = line.in_step and line.client.is_connected
            if not kept:
                part(line)
            self._places.pass_on(following, line if kept else None)
            return
        if line.good and line.in_step and not self._worn(line):
            line.since = _now_s()
            self._idle.append(line)
        else:
            part(line)
        self._places.leave()

    def _worn(self, line: Line) -> bool:
        return line.carried >= self._settings.messages_per_connection

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


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _fit(mail: Mail) -> Mail:
    """The mail as it may leave; raises ValueError where it must not."""
    if not (_ADDRESS.fullmatch(mail.sender) and _ADDRESS.fullmatch(mail.recipient)):
        raise ValueError("the sender's or recipient's address is not one plain address; not sent")
    fit = wire(mail.content)
    return mail if fit is mail.content else replace(mail, content=fit)


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
