"""uvicorn inside the daemon's loop: the daemon keeps the signals, the socket is bound before."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette

_THREADS: Final = 4
"""Endpoints that run side by side: fewer than the ledger's connections, so that the daemon's own
work never waits for one, and few enough for a machine with two cores."""
_GOODBYE_SECONDS: Final = 10
_MOST_CONNECTIONS: Final = 200


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: uvicorn would raise SIGTERM again at its end and so kill the daemon in its own."""
        yield


class Board:
    """The pages on their socket, from `start` to `stop`."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        self._listening = listening
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # a proxy on this machine says whom it speaks for; nobody else is believed
                proxy_headers=True,
                forwarded_allow_ips=["127.0.0.1", "::1"],
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GOODBYE_SECONDS,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it serves, as `127.0.0.1:8026`; the port is the one that the system gave for 0."""
        host, port, *_ = self._listening.getsockname()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Serve from now on, beside whatever else the loop does."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listening]))

    async def stop(self) -> None:
        """Take no more requests, and end when those under way are answered."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._listening.close()
