"""A daemon that stands still for a while, as on a machine that is paused and goes on."""

from __future__ import annotations

import os
import signal
import time

from tests.support.nodes import LETTERS, Node, StartNode, message_ids
from tests.support.smtp import FaultyServer

_TIME_OUT_SECONDS = 1
_AT = 5


def test_f06_an_answer_that_came_while_the_daemon_stood_still_is_heard(
    start_node: StartNode, faulty: FaultyServer
) -> None:
    """The letter that was under way for longer than the time-out is not sent again."""
    running: list[Node] = []

    def pause(count: int) -> None:
        if count == _AT:
            os.kill(running[0].pid, signal.SIGSTOP)
            os.waitpid(running[0].pid, os.WUNTRACED)

    def go_on(count: int) -> None:
        if count == _AT:
            over = time.monotonic() + 2 * _TIME_OUT_SECONDS
            while time.monotonic() < over:  # the time-out passes
                time.sleep(0.01)
            os.kill(running[0].pid, signal.SIGCONT)

    faulty.before_answer, faulty.after_answer = pause, go_on
    running.append(start_node(smtp_connections=1, smtp_timeout_seconds=_TIME_OUT_SECONDS))
    running[0].until("letter.sent", LETTERS)
    assert running[0].stop() == 0
    assert set(message_ids(faulty).values()) == {1}
