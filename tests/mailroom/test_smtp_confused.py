"""The relay against a server whose answers do not fit what it was told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from mailroom.relay import Outcome, Reply
from mailroom.smtp import SmtpRelay
from tests.mailroom.sending import mail, send, settings
from tests.support.smtp import FaultyServer

MakeFaulty = Callable[..., FaultyServer]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("answer", [b"502 what?\r\n", b"451 not now\r\n", b"421 bye\r\n"])
def test_after_a_refused_rset_the_next_mail_has_a_connection_of_its_own(
    make_faulty: MakeFaulty, answer: bytes, pipelining: bool
) -> None:
    """What the server still holds of a refused mail, above all its recipient, meets no other."""
    server = make_faulty(pipelining=pipelining)
    server.script("RCPT", b"450 later\r\n").script("RSET", answer)
    first, second = send(server, mail("a@b.example"), mail("c@d.example"))
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert [sum("RCPT" in line for line in said) for said in server.said] == [1, 1]


@pytest.mark.parametrize("more", [b"250 2.0.0 queued\r\n", b"354 go ahead\r\n", b"hello\r\n"])
@pytest.mark.parametrize("pipelining", [True, False])
def test_f06_an_answer_that_came_before_the_mail_is_none_to_it(
    make_faulty: MakeFaulty, more: bytes, pipelining: bool
) -> None:
    """A 250 that the server said before it had the mail would lose the mail."""
    server = make_faulty(pipelining=pipelining).script("DATA", b"354 go ahead\r\n" + more)
    first, second = send(server, mail(), mail())
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert len(server.mails) == 1


@pytest.mark.parametrize("code", [500, 502, 503])
@pytest.mark.parametrize("verb", ["RCPT", "DATA", "DOT"])
def test_f04_a_server_that_has_lost_the_thread_has_not_refused_the_recipient(
    faulty: FaultyServer, verb: str, code: int
) -> None:
    """The mail is tried again, and the next one gets a new connection."""
    faulty.script(verb, b"%d 5.5.1 bad sequence of commands\r\n" % code)
    first, second = send(faulty, mail(), mail())
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert len(faulty.said) == 2


def test_f04_a_503_that_names_the_address_is_a_refusal(faulty: FaultyServer) -> None:
    """The enhanced status says more than the code."""
    faulty.script("RCPT", b"503 5.1.1 no such user\r\n")
    assert send(faulty)[0].outcome is Outcome.PERMANENT


def test_what_is_not_smtp_is_told_without_a_code(faulty: FaultyServer) -> None:
    """The office reads the server's words, and no number that nobody sent."""
    faulty.script("MAIL", b"HTTP/1.1 400 Bad Request\r\n")
    assert send(faulty) == [
        Reply(Outcome.TEMPORARY, "not an answer of SMTP: HTTP/1.1 400 Bad Request")
    ]


def test_f06_an_answer_that_came_in_time_counts_after_the_process_was_stopped(
    faulty: FaultyServer,
) -> None:
    """A machine that is paused for longer than the time-out sends nothing twice."""
    timeout_s, stopped, answered = 0.5, threading.Event(), threading.Event()
    faulty.before_answer = lambda _count: _happens(stopped)
    faulty.after_answer = lambda _count: answered.set()

    def stand_still() -> None:
        stopped.set()
        _happens(answered)
        over = time.monotonic() + timeout_s
        while time.monotonic() < over:  # the time-out passes
            time.sleep(0.01)

    async def run() -> Reply:
        relay = SmtpRelay(settings(faulty, timeout_s=timeout_s))
        sending = asyncio.create_task(relay.send(mail()))
        await asyncio.to_thread(faulty.wait_for, 1)
        stand_still()
        reply = await sending
        await relay.close()
        return reply

    assert asyncio.run(run()) == Reply(Outcome.ACCEPTED, "2.0.0 queued", 250)
    assert len(faulty.mails) == 1


def _happens(what: threading.Event) -> None:
    assert what.wait(10)
