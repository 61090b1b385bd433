"""The daemon's pages, where the settings want them; without them nothing of the web is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from board.listening import bind
from jobs.log import event

if TYPE_CHECKING:
    import socket

    from board.server import Board
    from config.settings import Settings
    from scheduler.daemon import Daemon


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket | None]:
    """The socket of the pages, or None where they are not wanted. Raises ListenError."""
    if settings.http_listen is None:
        yield None
        return
    with bind(settings.http_listen) as bound:
        yield bound


def board_of(daemon: Daemon, settings: Settings, socket: socket.socket) -> Board:
    """The pages of a daemon that was started, ready to be served on `socket`."""
    from board.app import app_of
    from board.context import Context
    from board.server import Board
    from config.linkkeys import link_keys
    from scheduler.wiring import archive_of, links_of

    token = settings.metrics_token
    context = Context(
        ledger=daemon.ledger,
        bureaus=lambda: daemon.plans.bureaus,
        clock=daemon.clock.now,
        vitals=daemon.health.vitals,
        say=event,
        archive=archive_of(settings),
        files_at_once=settings.files_at_once,
        keys=link_keys(settings),
        folders=daemon.plans.folders,
        hasten=lambda: daemon.hasten(),
        links=links_of(settings),
        public_url=settings.public_url,
        metrics_token=token.get_secret_value() if token else None,
    )
    return Board(app_of(context), socket)
