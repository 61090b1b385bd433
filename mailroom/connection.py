"""One connection to an SMTP server: where a mail stands on it, what is said and what it means."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from aiosmtplib import SMTP, SMTPException, SMTPResponse, SMTPServerDisconnected

from mailroom.conversation import Conversation
from mailroom.places import Waiting
from mailroom.relay import Mail, Outcome, Reply
from mailroom.replies import OUT_OF_STEP, Phase, answered, failed

_QUIT_TIMEOUT_S = 2
_GLANCE_S = 0.05
_PARTING = OUT_OF_STEP | {421}
"""After these nothing more is said on the connection."""
# ValueError: a challenge at login that is not base64. AttributeError: aiosmtplib 5.1 looks at a
# connection that was lost in the moment after STARTTLS.
FAULTS = (SMTPException, OSError, ValueError, AttributeError)


@dataclass(slots=True)
class Line:
    """One connection.

    `in_step`: every command has its answer, so that another mail may follow. `unfinished`: the
    server still holds a mail that was refused half-way. `announced`: the next mail's commands went
    out with the last one's content; it is `following`. `since`: the loop's time when it fell idle.
    """

    client: SMTP
    conversation: Conversation | None = None
    pipelining: bool = False
    phase: Phase = Phase.CONNECT
    carried: int = 0
    fresh: bool = True
    in_step: bool = False
    unfinished: bool = False
    announced: bool = False
    following: Waiting[Line] | None = None
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


Commands = tuple[tuple[Phase, bytes], ...]


def commands_of(mail: Mail) -> Commands:
    """MAIL, RCPT and DATA of a mail, each with its phase."""
    return (
        (Phase.SENDER, b"MAIL FROM:<" + mail.sender.encode("ascii") + b">\r\n"),
        (Phase.RECIPIENT, b"RCPT TO:<" + mail.recipient.encode("ascii") + b">\r\n"),
        (Phase.DATA, b"DATA\r\n"),
    )


async def one_by_one(line: Line, commands: Commands) -> Reply | None:
    """Each command after the answer to the one before; gives the first refusal."""
    for phase, command in commands:
        line.phase = phase
        response = await ask(line, command)
        if not agreed(phase, response):
            line.unfinished = phase is not Phase.SENDER
            return reply_to(line, response)
    return None


async def all_at_once(line: Line, commands: Commands) -> Reply | None:
    """All commands in one write (RFC 2920), then their answers; gives the first refusal."""
    line.phase = Phase.SENDER
    if not line.announced:
        line.talk.say(*(command for _, command in commands))
    line.announced = False
    refused: Reply | None = None
    for phase, _ in commands:
        if refused is None:
            line.phase = phase
        response = await line.talk.hear()
        if refused is None and not agreed(phase, response):
            refused = reply_to(line, response)
            line.unfinished = True
            if not line.in_step:
                break
        elif refused is not None and phase is Phase.DATA and response.code == 354:
            # It waits for a mail that must not come. A lone dot could be a mail of its own; a
            # connection that closes here is none (RFC 5321 4.1.1.4).
            line.in_step = False
    return refused


def agreed(phase: Phase, response: SMTPResponse) -> bool:
    """Whether an answer lets the mail go on."""
    return response.code // 100 == (3 if phase is Phase.DATA else 2)


async def ask(line: Line, command: bytes) -> SMTPResponse:
    """One command and its answer."""
    line.talk.say(command)
    return await line.talk.hear()


def failure_of(line: Line, error: BaseException) -> Reply:
    """What an attempt comes to that ended without an answer."""
    reply = failed(line.phase, error)
    barred = reply.outcome is Outcome.HELD and line.phase < Phase.SENDER
    return replace(reply, barred=barred)


async def lying_there(line: Line) -> Reply | None:
    """The answer that came in time, where it was we who stood still and not the server.

    A loop that comes to again may see that time is over before it sees what came.
    """
    with suppress(*FAULTS):
        async with asyncio.timeout(_GLANCE_S):
            return reply_to(line, await line.talk.hear())
    return None


def reply_to(line: Line, response: SMTPResponse) -> Reply:
    """What an answer means; after one that makes sense the connection may be used again."""
    final = 2 if line.phase is Phase.CONTENT else 0
    line.in_step = response.code // 100 in (final, 4, 5) and response.code not in _PARTING
    return answered(line.phase, response.code, response.message)


def part(line: Line) -> None:
    """Close without waiting; a server that is in step is told."""
    if line.in_step and not line.announced and line.conversation is not None:
        with suppress(*FAULTS):
            line.conversation.say(b"QUIT\r\n")
    line.client.close()


async def hang_up(line: Line) -> None:
    """Say goodbye and wait for the end: closing TLS takes a word from the other side too."""
    talk = line.conversation
    with suppress(*FAULTS):
        async with asyncio.timeout(_QUIT_TIMEOUT_S):
            if talk is not None:
                await ask(line, b"QUIT\r\n")
                line.client.close()
                await talk.lost()
            elif line.client.is_connected:
                await line.client.quit()
    line.client.close()
    if talk is not None:
        talk.abort()
