"""What a relay's answer, or the lack of one, means for a mail."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from dataclasses import replace
from enum import IntEnum

from aiosmtplib import SMTPConnectError, SMTPResponseException

from mailroom.relay import Outcome, Reply
from mailroom.settings import RelaySettings

MAX_TEXT_CHARACTERS = 300
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_IMPOSSIBLE = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_OUR_FAULT = re.compile(
    r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not permitted|not allowed|prohibited)"
    r"|(?:unable|not permitted|not allowed) to relay|authenticat|认证",
    re.IGNORECASE,
)
OUT_OF_STEP = frozenset((500, 502, 503))
"""Not understood, not known, not now: of the conversation, and not of the recipient or the mail."""
_NOT_OF_THE_PROTOCOL = re.compile(r"5\.(?!5\.)\d")
"""A status of RFC 3463 about the address, the mailbox, the mail or a policy."""
_AUTH_CODES = frozenset((530, 534, 535, 538))


class Phase(IntEnum):
    """How far one attempt has come; each begins when its command may have left."""

    CONNECT = 0
    HELLO = 1
    TLS = 2
    LOGIN = 3
    SENDER = 4
    RECIPIENT = 5
    DATA = 6
    CONTENT = 7
    """The final dot may have left: without an answer, nobody knows."""


def answered(phase: Phase, code: int, text: str) -> Reply:
    """The outcome of an answer in words that the ledger can keep; `code` is the server's."""
    outcome, said = _outcome(phase, code, text), clean(text) or str(code)
    if phase is Phase.LOGIN and outcome is Outcome.HELD:
        said = f"login refused: {said}"
    return Reply(outcome, said, code)


def _outcome(phase: Phase, code: int, text: str) -> Outcome:
    if 200 <= code < 300 and phase is Phase.CONTENT:
        return Outcome.ACCEPTED
    if 400 <= code < 500:
        return Outcome.TEMPORARY
    if not 500 <= code < 600:
        return Outcome.UNKNOWN if phase is Phase.CONTENT else Outcome.TEMPORARY
    ours = phase < Phase.RECIPIENT or code in _AUTH_CODES
    if ours or (phase is Phase.RECIPIENT and _OUR_FAULT.search(text)):
        return Outcome.HELD
    confused = code in OUT_OF_STEP and not _NOT_OF_THE_PROTOCOL.match(text)
    return Outcome.TEMPORARY if confused else Outcome.PERMANENT


def failed(phase: Phase, error: BaseException) -> Reply:
    """The outcome of an attempt that ended without an answer: an error of the network or of TLS."""
    if isinstance(error, SMTPResponseException):
        reply = answered(phase, error.code, error.message)
        # what is no answer of SMTP has no code, though aiosmtplib gives it one below zero
        return replace(reply, code=None) if error.code < 0 else reply
    if _distrusted(error):
        return Reply(Outcome.HELD, f"TLS failed: {clean(str(error))}")
    if isinstance(error, TimeoutError):
        return _broken(phase, f"no answer in time ({phase.name.lower()})")
    if isinstance(error, OSError):
        return _broken(phase, f"connection failed ({phase.name.lower()}): {clean(str(error))}")
    return Reply(Outcome.HELD, clean(str(error)))


def _broken(phase: Phase, text: str) -> Reply:
    return Reply(Outcome.UNKNOWN if phase is Phase.CONTENT else Outcome.TEMPORARY, text)


def _distrusted(error: BaseException) -> bool:
    """Whether TLS itself failed, by the certificate or the protocol, rather than the connection."""
    cause = error.__cause__ if isinstance(error, SMTPConnectError) else error
    lost = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, lost)


def clean(text: str) -> str:
    """A server's words as one line of real characters, bounded.

    aiosmtplib decodes UTF-8 with surrogates for other bytes; Chinese servers also answer in GBK.
    """
    raw = _IMPOSSIBLE.sub("?", text).encode("utf-8", "surrogateescape")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        decoded = raw.decode("gb18030", "replace")
    line = _UNSAFE.sub(" ", decoded).strip()
    return line if len(line) <= MAX_TEXT_CHARACTERS else line[: MAX_TEXT_CHARACTERS - 1] + "…"


def without_secrets(reply: Reply, settings: RelaySettings) -> Reply:
    """The reply, in case a server repeats what it was told at login."""
    if settings.password is None or settings.username is None:
        return reply
    user, password = settings.username.encode(), settings.password.encode()
    told = (password, b64encode(password), b64encode(b"\0" + user + b"\0" + password))
    text = reply.text
    for secret in told:
        text = text.replace(secret.decode(), "***")
    return replace(reply, text=text)
