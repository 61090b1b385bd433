"""What systemd wants to hear (sd_notify(3)): ready, reloading, alive, stopping."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Send one state, such as `READY=1`; does nothing where systemd does not listen.

    Nobody waits for a service manager that does not read: the state is dropped.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.setblocking(False)
            to.connect(address)
            to.sendall(state.encode())
    except OSError:
        return  # the service manager went away, or reads no more: nothing to end or to wait for


def watchdog_seconds() -> float | None:
    """Within which time systemd wants to hear `WATCHDOG=1` (WatchdogSec), None where never."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    of_us = os.environ.get("WATCHDOG_PID") in (None, str(os.getpid()))
    return int(microseconds) / 1e6 if microseconds.isdecimal() and of_us else None
