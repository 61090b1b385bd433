"""Against a real relay: Postfix on loopback takes, defers, refuses, and offers encryption."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from email import message_from_string
from typing import Any

import pytest
import trustme

from mailroom.places import Places, Waiting
from mailroom.relay import Mail, Outcome, Reply
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.ledgers import Desk
from tests.support.strict_postfix import StartPostfix, StrictPostfix

_CONTENT = b"Message-ID: <1@edu.example>\r\nSubject: x\r\n\r\nx\r\n"


def relay_to(postfix: StrictPostfix, **more: Any) -> SmtpRelay:
    usual: dict[str, Any] = {"host": "127.0.0.1", "port": postfix.port, "tls": "none"}
    return SmtpRelay(RelaySettings(**(usual | {"timeout_s": 20} | more)))


def send(postfix: StrictPostfix, *recipients: str, **more: Any) -> list[Reply]:
    async def work() -> list[Reply]:
        relay = relay_to(postfix, **more)
        try:
            return [
                await relay.send(Mail("duban@edu.example", to, "<1@edu.example>", _CONTENT))
                for to in recipients
            ]
        finally:
            await relay.close()

    return asyncio.run(work())


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def pem(authority: trustme.CA) -> bytes:
    """A certificate of this authority for the relay, with its key."""
    made = authority.issue_cert("127.0.0.1")
    return b"".join(
        [made.private_key_pem.bytes(), *(blob.bytes() for blob in made.cert_chain_pems)]
    )


def test_f03_f04_postfix_defers_one_refuses_another_and_takes_the_third(
    start_postfix: StartPostfix,
) -> None:
    postfix = start_postfix()
    replies = send(postfix, "grey@edu.example", "nobody@edu.example", "s1@edu.example")
    assert [(reply.outcome, reply.code) for reply in replies] == [
        (Outcome.TEMPORARY, 450),
        (Outcome.PERMANENT, 550),
        (Outcome.ACCEPTED, 250),
    ]
    assert "greylisted, come back later" in replies[0].text
    assert "queued as" in replies[2].text
    assert len(postfix.queued()) == 1


def test_letters_announced_with_the_one_before_reach_a_real_queue_each_once(
    start_postfix: StartPostfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    postfix, announced = start_postfix(), list[Mail]()
    pass_on = Places.pass_on

    def passed(self: Places[Any], waiting: Waiting[Any], line: Any) -> None:
        announced.extend([waiting.mail] if line is not None else [])
        pass_on(self, waiting, line)

    monkeypatch.setattr(Places, "pass_on", passed)
    mails = [
        Mail("duban@edu.example", f"s{n}@edu.example", f"<{n}@edu.example>", _CONTENT)
        for n in range(20)
    ]
    mails[7:7] = [replace(mails[0], recipient="nobody@edu.example")]

    async def work() -> list[Reply]:
        relay = relay_to(postfix, connections=2)
        try:
            return await asyncio.gather(*map(relay.send, mails))
        finally:
            await relay.close()

    refused = [
        m.recipient for m, r in zip(mails, asyncio.run(work()), strict=True) if r.code != 250
    ]
    assert refused == ["nobody@edu.example"]
    assert len(postfix.queued()) == 20
    assert len(announced) > 10


def test_a_letter_reaches_a_real_queue_as_it_was_written(
    desk: Desk, start_postfix: StartPostfix
) -> None:
    postfix = start_postfix()
    desk.go("03-17 09:00").remind()
    (sent,) = desk.deliver(relay=relay_to(postfix))
    (queued,) = postfix.queued()
    mail = message_from_string(queued)
    assert mail["Message-ID"] == sent.mail.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    (row,) = desk.letters()
    assert "queued as" in row.reply


def test_f08_a_certificate_of_an_unknown_authority_holds_and_nothing_is_sent(
    start_postfix: StartPostfix, authority: trustme.CA
) -> None:
    postfix = start_postfix(pem(authority))
    (reply,) = send(postfix, "s1@edu.example", tls="starttls")
    assert reply.outcome is Outcome.HELD
    assert postfix.queued() == []


def test_f08_a_certificate_of_a_known_authority_is_taken(
    start_postfix: StartPostfix, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    postfix = start_postfix(pem(authority))
    (reply,) = send(postfix, "s1@edu.example", tls="starttls", ca_file=ca_file)
    assert reply.outcome is Outcome.ACCEPTED
    assert "with ESMTPS" in postfix.queued()[0]  # its Received line


def test_f09_a_relay_that_offers_no_encryption_gets_nothing(start_postfix: StartPostfix) -> None:
    postfix = start_postfix()
    (reply,) = send(postfix, "s1@edu.example", tls="starttls")
    assert reply.outcome is Outcome.HELD
    assert postfix.queued() == []


def test_f10_a_relay_that_is_not_there_is_tried_again(start_postfix: StartPostfix) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))  # bound, and nobody listens
        gone = replace(start_postfix(), port=busy.getsockname()[1])
        (reply,) = send(gone, "s1@edu.example")
    assert reply.outcome is Outcome.TEMPORARY
    assert reply.code is None
