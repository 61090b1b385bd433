"""What every relay promises: one mail to one recipient, and an outcome that can be acted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of one attempt to hand a mail to a relay."""

    ACCEPTED = "accepted"
    """The relay has taken the mail over."""
    TEMPORARY = "temporary"
    """It has not, and the same mail may be tried later."""
    PERMANENT = "permanent"
    """It refuses this recipient or this mail; trying again does not help."""
    UNKNOWN = "unknown"
    """The whole mail went out and no answer came back: it may have been taken."""
    HELD = "held"
    """Nothing can be sent until the office mends the settings (TLS, password, sender)."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient: the SMTP envelope and the exact bytes, 7-bit with CRLF.

    `not_after` is the event loop's time after which it must not be begun: its turn is over. One
    that has to wait for a connection is begun only if it is still `wanted` then, and one for which
    a connection has to be made only if what it says `holds` still.
    """

    sender: str
    recipient: str
    message_id: str
    content: bytes
    not_after: float | None = None
    wanted: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)
    holds: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)


class NotBegunError(Exception):
    """A mail had to wait for a connection, and was not wanted any more, or does not hold."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome, the relay's words (one clean line) and its code, where it gave one.

    `barred`: encryption or login failed, so that no other letter gets through either.
    """

    outcome: Outcome
    text: str
    code: int | None = None
    barred: bool = False


class Relay(Protocol):
    """Somewhere that mail is handed to."""

    async def send(self, mail: Mail) -> Reply:
        """Hand over one mail. Does not raise for anything that a relay or network may do.

        Raises NotBegunError for one that was not wanted any more when its turn came.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; the relay may be used again."""
        ...
