"""The socket of the pages, bound before the daemon starts: a busy port is found then."""

from __future__ import annotations

import os
import socket
from typing import Final

from config.listening import host_and_port

_BACKLOG: Final = 200


class ListenError(OSError):
    """The address of the pages cannot be had; the message says why and what to do."""


def bind(listen: str) -> socket.socket:
    """A socket that holds the address `listen` (the setting `http_listen`); raises ListenError."""
    host, port = host_and_port(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
    except OSError as error:
        raise ListenError(_why(listen, error)) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise ListenError(_why(listen, error)) from error
    return made


def _why(listen: str, error: OSError) -> str:
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return (
        f"the pages cannot be served on {listen} ({reason}); "
        "end what uses that address, or set another http_listen"
    )
