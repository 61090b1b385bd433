"""The relay over SMTP against a server that fails on purpose, one behaviour at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd import smtp as aiosmtpd

from mailroom.relay import Outcome, Reply
from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.mailroom.sending import mail, send, settings
from tests.support.smtp import Certificates, FaultyServer

MakeFaulty = Callable[..., FaultyServer]
CANARY = "kanarienvogel-geheim"


def test_a_mail_that_the_server_queues_is_accepted_with_its_words(faulty: FaultyServer) -> None:
    assert send(faulty) == [Reply(Outcome.ACCEPTED, "2.0.0 queued", 250)]
    assert faulty.mails == [b"Subject: x\r\n\r\nx\r\n"]


def test_f03_a_greylisted_recipient_is_temporary(faulty: FaultyServer) -> None:
    faulty.script("RCPT", b"450 4.2.0 greylisted\r\n")
    assert send(faulty) == [Reply(Outcome.TEMPORARY, "4.2.0 greylisted", 450)]


def test_f03_after_a_refused_recipient_the_same_connection_carries_the_next_mail(
    faulty: FaultyServer,
) -> None:
    faulty.script("RCPT", b"450 later\r\n")
    first, second = send(faulty, mail("a@b.example"), mail("c@d.example"))
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert [line.split(" ")[0] for line in faulty.said[0]] == [
        *("EHLO", "MAIL", "RCPT"),
        *(["DATA"] if faulty.pipelining else []),
        *("RSET", "MAIL", "RCPT", "DATA", "QUIT"),
    ]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_f03_a_4xx_at_any_step_is_temporary(faulty: FaultyServer, verb: str) -> None:
    faulty.script(verb, b"451 try again\r\n")
    assert send(faulty)[0].outcome is Outcome.TEMPORARY


@pytest.mark.parametrize("verb", ["RCPT", "DOT"])
def test_f04_a_5xx_for_the_recipient_or_the_mail_is_permanent(
    faulty: FaultyServer, verb: str
) -> None:
    faulty.script(verb, b"550 5.1.1 User unknown in relay recipient table\r\n")
    assert send(faulty)[0].outcome is Outcome.PERMANENT


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("CONNECT", b"554 no service\r\n"),
        ("EHLO", b"550 who are you\r\n"),
        ("MAIL", b"553 sender not owned by user\r\n"),
        ("RCPT", b"554 5.7.1 <a@b.example>: Relay access denied\r\n"),
        ("RCPT", b"530 5.7.0 Must issue a STARTTLS command first\r\n"),
    ],
)
def test_f04_a_5xx_that_is_not_the_recipients_fault_holds_the_mail(
    faulty: FaultyServer, verb: str, answer: bytes
) -> None:
    faulty.script(verb, answer)
    assert send(faulty)[0].outcome is Outcome.HELD


def test_f05_each_mail_has_one_recipient_and_its_own_answer(faulty: FaultyServer) -> None:
    faulty.script("RCPT", b"250 ok\r\n", b"550 no such user\r\n")
    replies = send(faulty, mail("a@b.example"), mail("c@d.example"))
    assert [r.outcome for r in replies] == [Outcome.ACCEPTED, Outcome.PERMANENT]
    assert faulty.recipients == ["a@b.example", "c@d.example"]
    assert len(faulty.mails) == 1


def test_a_server_that_asks_for_a_mail_to_nobody_gets_none(make_faulty: MakeFaulty) -> None:
    server = make_faulty().script("RCPT", b"550 no such user\r\n").script("DATA", b"354 go on\r\n")
    first, second = send(server, mail("a@b.example"), mail("c@d.example"))
    assert first == Reply(Outcome.PERMANENT, "no such user", 550)
    assert second.outcome is Outcome.ACCEPTED
    assert (server.recipients, len(server.mails)) == (["a@b.example", "c@d.example"], 1)
    assert len(server.said) == 2  # the first connection was closed instead


def test_the_first_refusal_is_the_answer_and_what_follows_from_it_is_not(
    make_faulty: MakeFaulty,
) -> None:
    server = make_faulty().script("MAIL", b"451 too busy\r\n").script("RCPT", b"503 no sender\r\n")
    assert send(server)[0] == Reply(Outcome.TEMPORARY, "too busy", 451)
    assert server.mails == []


def test_commands_that_may_be_pipelined_leave_in_one_segment() -> None:
    segments: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        answers = {
            b"EHLO": b"250-server\r\n250 PIPELINING\r\n",
            b"MAIL": b"250 a\r\n250 b\r\n354 c\r\n",
            b"QUIT": b"221 bye\r\n",
        }
        while segment := await reader.read(65_536):
            segments.append(segment)
            writer.write(answers.get(segment[:4], b"250 taken\r\n"))
        writer.close()

    async def run() -> Reply:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        relay = SmtpRelay(
            RelaySettings(
                host="127.0.0.1", port=server.sockets[0].getsockname()[1], tls="none", timeout_s=5
            )
        )
        reply = await relay.send(mail())
        await relay.close()
        server.close()
        return reply

    assert asyncio.run(run()) == Reply(Outcome.ACCEPTED, "taken", 250)
    assert segments[1:3] == [
        b"MAIL FROM:<bgs@qzedu.example>\r\nRCPT TO:<caiwu@qzedu.example>\r\nDATA\r\n",
        b"Subject: x\r\n\r\nx\r\n.\r\n",
    ]


def test_a_farewell_that_came_while_a_connection_was_idle_costs_no_mail(
    faulty: FaultyServer,
) -> None:
    faulty.script("DOT", b"250 queued\r\n421 4.4.2 idle for too long\r\n")
    replies = send(faulty, mail(), mail())
    assert [r.outcome for r in replies] == [Outcome.ACCEPTED, Outcome.ACCEPTED]


@pytest.mark.parametrize("how", ["drop", "reset", "hang", "drip"])
def test_f06_silence_after_the_final_dot_is_unknown(faulty: FaultyServer, how: str) -> None:
    faulty.script("DOT", how)  # type: ignore[arg-type]
    assert send(faulty, timeout_s=1)[0].outcome is Outcome.UNKNOWN
    assert len(faulty.mails) == 1


@pytest.mark.parametrize("how", ["drop", "reset", "hang"])
@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
def test_f06_silence_before_the_final_dot_is_temporary(
    faulty: FaultyServer, verb: str, how: str
) -> None:
    faulty.script(verb, how)  # type: ignore[arg-type]
    assert send(faulty, timeout_s=1)[0].outcome is Outcome.TEMPORARY
    assert faulty.mails == []


def test_f06_an_answer_that_is_not_smtp_after_the_dot_is_unknown(faulty: FaultyServer) -> None:
    faulty.script("DOT", b"OK then\r\n")
    assert send(faulty)[0].outcome is Outcome.UNKNOWN


def test_f06_a_421_after_the_dot_means_that_it_was_not_taken(faulty: FaultyServer) -> None:
    faulty.script("DOT", b"421 shutting down\r\n")
    first, second = send(faulty, mail(), mail())
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert len(faulty.said) == 2


def test_f07_a_server_that_drips_is_cut_off_by_the_time_out_of_the_whole(
    faulty: FaultyServer,
) -> None:
    faulty.script("RCPT", "drip")

    async def run() -> float:
        loop = asyncio.get_running_loop()
        relay, start = SmtpRelay(settings(faulty, timeout_s=0.3)), loop.time()
        await relay.send(mail())
        await relay.close()
        return loop.time() - start

    assert asyncio.run(run()) < 2


def test_f07_a_connection_that_timed_out_is_not_used_again(faulty: FaultyServer) -> None:
    faulty.script("MAIL", "hang")
    first, second = send(faulty, mail("a@b.example"), mail("c@d.example"), timeout_s=1)
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert faulty.recipients == ["c@d.example"]


@pytest.mark.parametrize("way", ["starttls", "implicit"])
def test_f08_a_good_certificate_is_accepted(
    make_faulty: MakeFaulty, certificates: Certificates, way: str
) -> None:
    server = _tls_server(make_faulty, way, certificates.server)
    assert send(server, tls=way, ca_file=certificates.ca_file)[0].outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("way", ["starttls", "implicit"])
@pytest.mark.parametrize("fault", ["unknown authority", "expired", "other name"])
def test_f08_an_invalid_certificate_holds_the_mail_and_nothing_is_said_in_clear(
    make_faulty: MakeFaulty, certificates: Certificates, way: str, fault: str
) -> None:
    context = {"expired": certificates.expired, "other name": certificates.other_name}
    server = _tls_server(make_faulty, way, context.get(fault, certificates.server), auth=True)
    trusted = None if fault == "unknown authority" else certificates.ca_file
    [reply] = send(server, tls=way, ca_file=trusted, username="bgs", password=CANARY)
    assert reply.outcome is Outcome.HELD
    assert "certificate verify failed" in reply.text
    assert not any(line.startswith(("AUTH", "MAIL")) for said in server.said for line in said)


def _tls_server(make: MakeFaulty, way: str, context: Any, **more: Any) -> FaultyServer:
    return make(**{"tls" if way == "implicit" else "starttls": context}, **more)


def test_f09_where_starttls_is_stripped_neither_password_nor_mail_leaves(
    make_faulty: MakeFaulty,
) -> None:
    server = make_faulty(auth=True)
    [reply] = send(server, tls="starttls", username="bgs", password=CANARY)
    assert reply.outcome is Outcome.HELD
    assert "STARTTLS" in reply.text
    assert [line.split(" ")[0] for line in server.said[0]] in (["EHLO"], ["EHLO", "QUIT"])


def test_f09_a_refused_starttls_is_no_downgrade(
    make_faulty: MakeFaulty, certificates: Certificates
) -> None:
    server = make_faulty(starttls=certificates.server)
    server.script("STARTTLS", b"454 TLS not available\r\n", b"502 not here\r\n")
    first, second = send(server, mail(), mail(), tls="starttls", ca_file=certificates.ca_file)
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.HELD)
    assert server.mails == []


def test_f09_plain_smtp_to_another_machine_needs_an_explicit_setting() -> None:
    with pytest.raises(ValueError, match="allow_plain"):
        RelaySettings(host="relay.qzedu.example", tls="none")
    assert RelaySettings(host="relay.qzedu.example", tls="none", allow_plain=True).port == 587


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_f09_plain_smtp_to_this_machine_is_allowed(host: str) -> None:
    assert RelaySettings(host=host, tls="none").host == host


def test_f10_a_refused_connection_is_temporary(faulty: FaultyServer) -> None:
    faulty.stop()
    [reply] = send(faulty)
    assert reply.outcome is Outcome.TEMPORARY
    assert "connection failed" in reply.text


def test_f10_a_name_that_the_dns_does_not_know_is_temporary(faulty: FaultyServer) -> None:
    [reply] = send(faulty, host="no-such-host.invalid", allow_plain=True)
    assert reply.outcome is Outcome.TEMPORARY


def test_f11_an_answer_in_gbk_is_kept_in_real_characters(faulty: FaultyServer) -> None:
    faulty.script("RCPT", b"550-" + "用户不存在".encode("gbk") + b"\r\n550 \x07\x1b[31mend\r\n")
    [reply] = send(faulty)
    assert reply == Reply(Outcome.PERMANENT, "用户不存在 [31mend", 550)


@pytest.mark.parametrize(
    "wrong", [{"username": "bgs"}, {"timeout_s": 0}, {"connections": 0}, {"password": "x"}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="relay's"):
        RelaySettings(host="localhost", **wrong)


def test_a_wrong_password_holds_the_mail(make_faulty: MakeFaulty) -> None:
    server = make_faulty(auth=True).script("AUTH", *[b"535 5.7.8 bad credentials\r\n"] * 3)
    [reply] = send(server, username="bgs", password=CANARY)
    assert (reply.outcome, reply.barred) == (Outcome.HELD, True)


def test_a_refused_sender_bars_no_other_letter(faulty: FaultyServer) -> None:
    [reply] = send(faulty.script("MAIL", b"553 sender not owned by user\r\n"))
    assert (reply.outcome, reply.barred) == (Outcome.HELD, False)


def test_f38_a_server_that_repeats_the_password_does_not_get_it_into_the_reply(
    make_faulty: MakeFaulty,
) -> None:
    echo = b"535 no: " + CANARY.encode() + b" a2FuYXJpZW52b2dlbC1nZWhlaW0=\r\n"
    server = make_faulty(auth=True).script("AUTH", *[echo] * 3)
    [reply] = send(server, username="bgs", password=CANARY)
    assert reply.text == "login refused: no: *** ***"


def test_f38_the_settings_do_not_show_their_password() -> None:
    shown = repr(RelaySettings(host="localhost", username="bgs", password=CANARY))
    assert CANARY not in shown


def test_a_mail_that_is_not_7_bit_never_leaves(faulty: FaultyServer) -> None:
    assert send(faulty, mail(content="督办\r\n".encode()))[0].outcome is Outcome.PERMANENT
    assert faulty.said == []


SMUGGLED = (
    b"x\n.\nMAIL FROM:<evil@b.example>\r\n",
    b"x\r.\rMAIL FROM:<evil@b.example>\r\n",
    b"x\n.\r\nMAIL FROM:<evil@b.example>\r\n",
    b"x\r\n.\nMAIL FROM:<evil@b.example>\r\n",
    b"x\r\n.\rMAIL FROM:<evil@b.example>\r\n",
)


@pytest.mark.parametrize("content", SMUGGLED)
def test_f37_a_bare_cr_or_lf_never_leaves(faulty: FaultyServer, content: bytes) -> None:
    assert send(faulty, mail(content=content))[0].outcome is Outcome.PERMANENT
    assert faulty.said == []


@pytest.mark.parametrize(
    "content", [b"x\r\n.\r\ny\r\n", b".\r\n", b"..\r\n.x\r\n", b"x\r\n.", b"", b"no end"]
)
def test_f37_dots_at_the_start_of_a_line_arrive_as_they_were(
    faulty: FaultyServer, content: bytes
) -> None:
    first, second = send(faulty, mail(content=content), mail())
    assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    on_the_wire = faulty.mails[0].split(b"\r\n")
    received = b"\r\n".join(line.removeprefix(b".") for line in on_the_wire)
    assert received.removesuffix(b"\r\n") == content.removesuffix(b"\r\n")
    assert len(faulty.mails) == 2


@pytest.mark.parametrize("address", ["a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", ""])
def test_f37_an_address_that_could_be_a_command_never_leaves(
    faulty: FaultyServer, address: str
) -> None:
    assert send(faulty, mail(address))[0].outcome is Outcome.PERMANENT
    assert faulty.said == []


def test_mails_share_one_kept_connection(faulty: FaultyServer) -> None:
    send(faulty, *(mail() for _ in range(5)))
    assert len(faulty.said) == 1
    assert len(faulty.mails) == 5


def test_a_connection_that_carried_its_share_is_replaced(faulty: FaultyServer) -> None:
    send(faulty, *(mail() for _ in range(5)), messages_per_connection=2)
    assert [said.count("DATA") for said in faulty.said] == [2, 2, 1]


def test_no_more_connections_are_opened_than_allowed(faulty: FaultyServer) -> None:
    async def run() -> None:
        relay = SmtpRelay(settings(faulty, connections=2))
        await asyncio.gather(*(relay.send(mail()) for _ in range(20)))
        await relay.close()

    asyncio.run(run())
    assert len(faulty.said) == 2
    assert len(faulty.mails) == 20


@pytest.mark.parametrize("action", ["drop", "reset", b"421 idle too long\r\n"])
def test_a_kept_connection_that_died_is_replaced_without_loss(
    faulty: FaultyServer, action: Any
) -> None:
    faulty.script("MAIL", b"250 ok\r\n", action)
    replies = send(faulty, mail(), mail())
    assert [r.outcome for r in replies] == [Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert len(faulty.mails) == 2


def test_a_fresh_connection_that_dies_is_not_tried_again_at_once(faulty: FaultyServer) -> None:
    faulty.script("MAIL", b"421 too busy\r\n")
    assert send(faulty)[0].outcome is Outcome.TEMPORARY
    assert len(faulty.said) == 1


def test_probe_logs_in_and_sends_nothing(make_faulty: MakeFaulty) -> None:
    server = make_faulty(auth=True)

    async def run() -> Reply:
        return await SmtpRelay(settings(server, username="bgs", password=CANARY)).probe()

    assert asyncio.run(run()).outcome is Outcome.ACCEPTED
    assert [line.split(" ")[0] for line in server.said[0]] == ["EHLO", "AUTH", "QUIT"]


def test_probe_says_what_is_wrong(make_faulty: MakeFaulty) -> None:
    server = make_faulty()

    async def run() -> Reply:
        return await SmtpRelay(settings(server, tls="starttls")).probe()

    assert asyncio.run(run()).outcome is Outcome.HELD


class _Inbox:
    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(
        self, server: aiosmtpd.SMTP, session: aiosmtpd.Session, envelope: aiosmtpd.Envelope
    ) -> str:
        self.mails.append(envelope.content)
        return "250 OK"


def test_a_well_behaved_server_receives_the_very_bytes() -> None:
    content, inbox = b"Subject: x\r\n\r\n.dot\r\nend\r\n", _Inbox()

    async def run() -> Reply:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: aiosmtpd.SMTP(inbox), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        relay = SmtpRelay(RelaySettings(host="127.0.0.1", port=port, tls="none"))
        reply = await relay.send(mail(content=content))
        await relay.close()
        server.close()
        return reply

    assert asyncio.run(run()).outcome is Outcome.ACCEPTED
    assert inbox.mails == [content]


def test_a_mail_whose_turn_passed_while_connecting_is_not_begun(faulty: FaultyServer) -> None:
    late = replace(mail(), not_after=0)
    first, second = send(faulty, late, mail())
    assert (first.outcome, second.outcome) == (Outcome.TEMPORARY, Outcome.ACCEPTED)
    assert len(faulty.mails) == 1
    assert len(faulty.said) == 1  # the connection is kept for the next
