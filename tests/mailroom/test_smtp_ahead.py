"""Mails that wait for a connection are announced with the content of the one before (RFC 2920)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from mailroom import smtp
from mailroom.relay import Mail, NotBegunError, Outcome, Reply
from mailroom.smtp import SmtpRelay
from tests.mailroom.sending import mail, settings
from tests.support.relays import announced
from tests.support.smtp import FaultyServer

ACCEPTED, UNKNOWN = Outcome.ACCEPTED, Outcome.UNKNOWN
TEMPORARY, PERMANENT = Outcome.TEMPORARY, Outcome.PERMANENT


def mails(count: int) -> list[Mail]:
    return [mail(f"s{n}@qzedu.example", b"Subject: %d\r\n\r\nx\r\n" % n) for n in range(count)]


def with_relay(
    server: FaultyServer, work: Callable[[SmtpRelay], Awaitable[Any]], **more: Any
) -> Any:
    """What some work with a relay of one connection gives."""

    async def run() -> Any:
        relay = SmtpRelay(settings(server, **({"connections": 1} | more)))
        try:
            return await work(relay)
        finally:
            await relay.close()

    return asyncio.run(run())


def together(server: FaultyServer, count: int, **more: Any) -> list[Outcome]:
    """What becomes of mails that are handed over at once, though there is one connection."""

    async def work(relay: SmtpRelay) -> list[Outcome]:
        replies = await asyncio.gather(*map(relay.send, mails(count)))
        return [reply.outcome for reply in replies]

    found: list[Outcome] = with_relay(server, work, **more)
    return found


def subjects(server: FaultyServer) -> list[int]:
    """Which mails came, in order."""
    return [int(content.split(b"\r\n")[0].removeprefix(b"Subject: ")) for content in server.mails]


@pytest.fixture
def faulty(make_faulty: Callable[..., FaultyServer]) -> FaultyServer:
    """A server that offers PIPELINING."""
    return make_faulty()


def test_mails_that_wait_are_announced_and_each_arrives_once(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    assert together(faulty, 5) == [ACCEPTED] * 5
    assert subjects(faulty) == [0, 1, 2, 3, 4]
    assert len(faulty.said) == 1
    assert announced(writes) == 4


def test_a_mail_that_comes_when_nobody_waits_is_not_held_up(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    async def work(relay: SmtpRelay) -> list[Reply]:
        return [await relay.send(one) for one in mails(3)]

    assert [reply.outcome for reply in with_relay(faulty, work)] == [ACCEPTED] * 3
    assert announced(writes) == 0


def test_without_pipelining_nothing_is_announced(
    make_faulty: Callable[..., FaultyServer], writes: list[bytes]
) -> None:
    server = make_faulty(pipelining=False)
    assert together(server, 4) == [ACCEPTED] * 4
    assert (subjects(server), announced(writes)) == ([0, 1, 2, 3], 0)


def test_a_connection_that_has_carried_its_share_announces_no_other(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    assert together(faulty, 5, messages_per_connection=2) == [ACCEPTED] * 5
    assert [said.count("DATA") for said in faulty.said] == [2, 2, 1]
    assert announced(writes) == 2


@pytest.mark.parametrize("action", ["drop", "reset"])
def test_f06_a_connection_lost_after_the_dot_leaves_only_that_mail_in_doubt(
    faulty: FaultyServer, writes: list[bytes], action: Any
) -> None:
    faulty.script("DOT", action)
    assert together(faulty, 4) == [UNKNOWN, ACCEPTED, ACCEPTED, ACCEPTED]
    assert subjects(faulty) == [0, 1, 2, 3]
    assert announced(writes) == 1  # nothing more is, for a while


def test_after_a_while_mails_are_announced_again(
    faulty: FaultyServer, writes: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "_CAUTION_S", 0)
    faulty.script("DOT", "drop")
    assert together(faulty, 4) == [UNKNOWN, ACCEPTED, ACCEPTED, ACCEPTED]
    assert announced(writes) == 3


@pytest.mark.parametrize(
    ("verb", "action"),
    [
        ("MAIL", "drop"),
        ("MAIL", "reset"),
        ("MAIL", b"421 enough\r\n"),
        ("MAIL", b"451 not together\r\n"),
        ("MAIL", b"550 not together\r\n"),
        ("RCPT", b"503 what was that?\r\n"),
    ],
)
def test_a_mail_that_was_refused_as_announced_goes_out_by_itself_and_so_do_the_next(
    faulty: FaultyServer, writes: list[bytes], verb: str, action: Any
) -> None:
    faulty.script(verb, b"250 ok\r\n", action)
    assert together(faulty, 4) == [ACCEPTED] * 4
    assert subjects(faulty) == [0, 1, 2, 3]
    assert announced(writes) == 1


def test_a_sender_that_is_refused_by_itself_too_is_refused(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    refusal = b"550 5.7.1 not this sender\r\n"
    faulty.script("MAIL", b"250 ok\r\n", refusal, refusal)
    assert together(faulty, 3) == [ACCEPTED, Outcome.HELD, ACCEPTED]
    assert subjects(faulty) == [0, 2]
    assert announced(writes) == 1


def test_f03_a_mail_refused_for_now_does_not_hold_up_the_one_announced(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    faulty.script("DOT", b"451 greylisted\r\n")
    assert together(faulty, 3) == [TEMPORARY, ACCEPTED, ACCEPTED]
    assert len(faulty.said) == 1
    assert announced(writes) == 2


def test_a_mail_refused_for_what_follows_it_is_to_be_tried_again_by_itself(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    refusal = b"554 5.5.1 nothing may follow a mail\r\n"
    faulty.script("DOT", refusal, b"250 ok\r\n", refusal)
    assert together(faulty, 4) == [TEMPORARY, ACCEPTED, PERMANENT, ACCEPTED]
    assert announced(writes) == 1


def test_f04_a_refused_recipient_is_refused_alone(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    faulty.script("RCPT", b"250 ok\r\n", b"550 5.1.1 nobody\r\n")
    assert together(faulty, 4) == [ACCEPTED, PERMANENT, ACCEPTED, ACCEPTED]
    assert subjects(faulty) == [0, 2, 3]
    assert announced(writes) == 2  # the one after it comes with nobody's content


def test_f04_a_refused_recipient_s_mail_never_leaves_even_if_the_server_waits_for_it(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    faulty.script("RCPT", b"250 ok\r\n", b"550 5.1.1 nobody\r\n")
    faulty.script("DATA", b"354 go on\r\n", b"354 go on\r\n")
    assert together(faulty, 4) == [ACCEPTED, PERMANENT, ACCEPTED, ACCEPTED]
    assert subjects(faulty) == [0, 2, 3]
    assert announced(writes) == 1


def test_an_answer_too_many_is_taken_for_no_mail_s_acceptance(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    faulty.script("DOT", b"250 taken\r\n250 once more\r\n")
    outcomes = together(faulty, 3)
    assert outcomes[0] is ACCEPTED
    came = subjects(faulty)
    assert [n for n, outcome in enumerate(outcomes) if outcome is ACCEPTED and n not in came] == []
    assert outcomes[1] is not UNKNOWN
    assert announced(writes) == 1


def test_a_server_that_forgets_what_came_with_the_content_gets_the_others_singly(
    make_faulty: Callable[..., FaultyServer], writes: list[bytes]
) -> None:
    server = make_faulty(deaf=True)
    outcomes = together(server, 4, timeout_s=1)
    assert outcomes == [ACCEPTED, TEMPORARY, ACCEPTED, ACCEPTED]
    assert subjects(server) == [0, 2, 3]
    assert announced(writes) == 1


def test_a_mail_that_is_not_wanted_any_more_when_its_turn_comes_is_not_begun(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    def once() -> Callable[[], bool]:
        wanted = [True, False]  # when it comes next, and when its turn has come
        return lambda: wanted.pop(0)

    async def work(relay: SmtpRelay) -> list[Reply | BaseException]:
        waiting = [replace(one, wanted=once()) for one in mails(3)]
        return await asyncio.gather(*map(relay.send, waiting), return_exceptions=True)

    first, *others = with_relay(faulty, work)
    assert first.outcome is ACCEPTED
    assert [type(other) for other in others] == [NotBegunError] * 2
    assert subjects(faulty) == [0]
    assert b"QUIT\r\n" not in writes  # the server waits for a mail: the word would be its text


def test_a_mail_that_is_not_wanted_any_more_is_not_announced(
    faulty: FaultyServer, writes: list[bytes]
) -> None:
    async def work(relay: SmtpRelay) -> list[Reply | BaseException]:
        first, second, third = mails(3)
        waiting = [first, replace(second, wanted=lambda: False), third]
        return await asyncio.gather(*map(relay.send, waiting), return_exceptions=True)

    first, second, third = with_relay(faulty, work)
    assert (first.outcome, third.outcome) == (ACCEPTED, ACCEPTED)
    assert isinstance(second, NotBegunError)
    assert (subjects(faulty), len(faulty.said)) == ([0, 2], 1)
    assert announced(writes) == 1


def test_a_mail_that_does_not_hold_any_more_when_a_connection_was_made_is_not_begun(
    faulty: FaultyServer,
) -> None:
    async def work(relay: SmtpRelay) -> Reply:
        late, fit = mails(2)
        with pytest.raises(NotBegunError):
            await relay.send(replace(late, holds=lambda: False))
        return await relay.send(fit)

    assert with_relay(faulty, work).outcome is ACCEPTED
    assert subjects(faulty) == [1]
    assert len(faulty.said) == 1  # the connection is as good as new


@pytest.mark.parametrize("place", [1, 2])
def test_who_gives_up_waiting_keeps_nobody_s_place(faulty: FaultyServer, place: int) -> None:
    async def work(relay: SmtpRelay) -> list[Reply | BaseException]:
        sending = [asyncio.create_task(relay.send(one)) for one in mails(4)]
        loop = asyncio.get_running_loop()

        def give_up(_count: int) -> None:
            loop.call_soon_threadsafe(sending[place].cancel)

        faulty.before_answer = give_up
        replies = await asyncio.gather(*sending, return_exceptions=True)
        return [*replies, await relay.send(mail("last@qzedu.example", b"Subject: 4\r\n\r\nx\r\n"))]

    replies = with_relay(faulty, work)
    assert isinstance(replies.pop(place), asyncio.CancelledError)
    assert [reply.outcome for reply in replies] == [ACCEPTED] * 4
    assert subjects(faulty) == [n for n in range(5) if n != place]


def test_many_mails_over_few_connections_all_arrive(faulty: FaultyServer) -> None:
    assert together(faulty, 60, connections=4) == [ACCEPTED] * 60
    assert sorted(subjects(faulty)) == list(range(60))
    assert len(faulty.said) == 4
