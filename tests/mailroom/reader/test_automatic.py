"""Who wrote a mail: a person, a program that answers, or a relay that could not deliver."""

from __future__ import annotations

import pytest

from mailroom.reader.bounces import Fate
from mailroom.reader.mail import read
from tests.support.mails import OURS, bounced, hand_in, mail, multipart, text, words_part


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; type=vacation",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "X-Autorespond: 1",
        "Return-Path: <>",
        "List-Id: <all.jyj.example>",
        "From: MAILER-DAEMON@mx.jyj.example",
        "From: noreply@jyj.example",
        "Subject: 自动回复: 【黄】3月月报",
        "Subject: 【自动回复】您好，来信已收到",
        "Subject: 外出自动回复",
        "Subject: 休假自动回复：月报",
        "Subject: Automatic reply: report",
        "Subject: Out of Office: report",
        "Subject: 已读: 3月月报",
        "Subject: Read: report",
    ],
)
def test_f39_automatic_answers_are_known(header: str) -> None:
    assert read(text("我正在休假，四月一日回来。", header)).automatic


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no",
        "Precedence: first-class",
        "Return-Path: <caiwuke@jyj.example>",
        "Subject: 回复: 关于自动回复设置的月报",
        "Subject: Re: read the report",
        "Subject: 出差前报送3月月报",
    ],
)
def test_what_a_person_wrote_is_not_called_automatic(header: str) -> None:
    assert read(text("月报如下", header)).automatic is None
    assert read(hand_in()).automatic is None


def test_f39_a_read_receipt_is_automatic_and_no_bounce() -> None:
    kind = "report; report-type=disposition-notification"
    notice = b"Content-Type: message/disposition-notification\r\n\r\nDisposition: manual-action\r\n"
    found = read(multipart([words_part("已读"), notice], kind=kind))
    assert found.automatic == "report: disposition-notification"
    assert found.bounce is None
    assert found.files == ()


def test_f40_a_standard_report_names_the_letter_and_why() -> None:
    bounce = read(bounced()).bounce
    assert bounce is not None
    assert bounce.fate is Fate.FAILED
    assert bounce.message_ids == (OURS,)
    assert bounce.recipient == "caiwuke@jyj.example"
    assert bounce.status == "5.1.1"
    assert bounce.said == "550 5.1.1 mailbox unavailable"


def test_f40_a_report_of_delay_is_not_yet_a_failure() -> None:
    bounce = read(bounced(action="delayed", status="4.4.1")).bounce
    assert bounce is not None
    assert bounce.fate is Fate.DELAYED


def test_f40_the_whole_original_within_a_report_names_the_letter_too() -> None:
    status = b"Content-Type: message/delivery-status\r\n\r\n\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    original = b"Content-Type: message/rfc822\r\n\r\n" + mail(f"Message-ID: {OURS}", body=b"x")
    kind = "report; report-type=delivery-status"
    bounce = read(multipart([words_part("full"), status, original], kind=kind)).bounce
    assert bounce is not None
    assert (bounce.message_ids, bounce.status) == ((OURS,), "5.2.2")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        (
            "系统退信/Systems bounce",
            f"很抱歉您的邮件被退回来了……\n收件人：caiwuke@jyj.example\n"
            f"退信原因：550 Mailbox not found\nMessage-ID: {OURS}",
        ),
        ("退信：3月月报", f"<p>您发往 caiwuke@jyj.example 的邮件无法投递 {OURS}</p>"),
        (
            "Undelivered Mail Returned to Sender",
            f"<caiwuke@jyj.example>: 550 5.1.1\nMessage-Id: {OURS}",
        ),
    ],
)
def test_f40_a_providers_own_page_is_a_bounce(subject: str, body: str) -> None:
    found = read(text(body, "From: PostMaster@mx.example", f"Subject: {subject}"))
    assert found.bounce is not None
    assert found.bounce.fate is Fate.FAILED
    assert OURS in found.bounce.message_ids
    assert found.bounce.recipient == "caiwuke@jyj.example"


def test_f40_a_person_who_writes_about_a_bounce_sends_none() -> None:
    assert read(text("昨天收到退信 550", "Subject: 退信")).bounce is None
