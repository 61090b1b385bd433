"""A line to a server on loopback that can fall silent: packets are lost, and nobody is told.

The kernel throws away what arrives before it acknowledges it (a socket filter that lets nothing
pass), as if the cable were drawn. It needs no rights.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from contextlib import suppress

_ATTACH, _DETACH = 26, 27  # SO_ATTACH_FILTER and SO_DETACH_FILTER, which Python does not name
_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))  # BPF_RET: keep 0 bytes
_LOSE_ALL = struct.pack("HP", 1, ctypes.addressof(_NOTHING))

PATIENCE = "connect_timeout=2&keepalives_idle=1&keepalives_interval=1&tcp_user_timeout=2000"
"""For an address: silence is found out in 2 s, and not in 35; a connection waits no longer."""


class Line:
    """Carries connections from a free port of 127.0.0.1 to the port `to`, until it falls silent."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._go_on(self._accept)

    def fall_silent(self) -> None:
        """Lose every packet from now on, of the old connections and of new ones."""
        for one in (self._listening, *self._ends):
            one.setsockopt(socket.SOL_SOCKET, _ATTACH, _LOSE_ALL)

    def speak(self) -> None:
        """Let packets through again: a connection that both sides still hold goes on."""
        for one in (self._listening, *self._ends):
            one.setsockopt(socket.SOL_SOCKET, _DETACH, 0)

    def stop(self) -> None:
        """End every connection and stop listening."""
        for one in (self._listening, *self._ends):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for one in (self._listening, *self._ends):
            one.close()

    def _go_on(self, what: object, *with_these: socket.socket) -> None:
        self._threads.append(threading.Thread(target=what, args=with_these, daemon=True))  # type: ignore[arg-type]
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._ends += near, far
                self._go_on(_carry, near, far)
                self._go_on(_carry, far, near)


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while said := one.recv(65536):
            other.sendall(said)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)
