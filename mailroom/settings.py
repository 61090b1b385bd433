"""How to reach the relay."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """One relay. `timeout_s` bounds a whole attempt to send, however the server drips.

    Without TLS only a loopback host is allowed, or `allow_plain` must say so: raises ValueError.
    `ca_file` names an authority to trust instead of the system's.
    """

    host: str
    port: int = 587
    tls: Tls = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 60
    ca_file: Path | None = None
    connections: int = 8
    messages_per_connection: int = 100
    local_hostname: str | None = None
    allow_plain: bool = False

    def __post_init__(self) -> None:
        if self.tls == "none" and not (self.allow_plain or is_loopback(self.host)):
            raise ValueError(
                f"mail to {self.host} would go unencrypted: set tls to 'starttls' or 'implicit', "
                "or allow_plain if that network is trusted"
            )
        if bool(self.username) != bool(self.password):
            raise ValueError("a relay's username and password go together: set both or neither")
        if self.timeout_s <= 0 or self.connections < 1 or self.messages_per_connection < 1:
            raise ValueError("the relay's timeout, connections and messages must be above zero")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name alone; nothing is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSettings:
    """One mailbox over IMAP. `timeout_s` bounds each answer; a larger mail is not fetched.

    Without TLS only a loopback host is allowed, or `allow_plain` must say so: raises ValueError.
    """

    host: str
    port: int = 993
    tls: Tls = "implicit"
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    timeout_s: float = 20
    ca_file: Path | None = None
    allow_plain: bool = False
    largest_bytes: int = 75_000_000

    def __post_init__(self) -> None:
        if self.tls == "none" and not (self.allow_plain or is_loopback(self.host)):
            raise ValueError(
                f"mail and password would go from {self.host} unencrypted: set tls to 'starttls' "
                "or 'implicit', or allow_plain if that network is trusted"
            )
