"""Mails as sections' clients send them, byte for byte."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from email import message_from_bytes
from email.policy import default

OURS = "<0123456789abcdef@jyj.example>"
"""The Message-ID of a letter of ours."""

CLERK = "Clerk <caiwuke@jyj.example>"


def mail(*headers: str | bytes, body: bytes = b"", usual: bool = True) -> bytes:
    """A mail with these header lines; the usual ones stand before them."""
    given = [h.encode() if isinstance(h, str) else h for h in headers]
    names = {h.partition(b":")[0].lower() for h in given}
    usuals = (
        f"From: {CLERK}",
        "To: ob@jyj.example",
        "Subject: Re: 3",
        "Date: Thu, 23 Mar 2023 10:00:00 +0800",
        "Message-ID: <reply@jyj.example>",
    )
    lines = [u.encode() for u in usuals if u.partition(":")[0].lower().encode() not in names]
    return b"\r\n".join([*(lines if usual else []), *given, b"", body])


def text(words: str, *headers: str | bytes, charset: str = "utf-8") -> bytes:
    """A mail of plain text."""
    kind = f"Content-Type: text/plain; charset={charset}"
    coding = "Content-Transfer-Encoding: 8bit"
    return mail(*headers, kind, coding, body=words.replace("\n", "\r\n").encode(charset))


def part(content: bytes, *headers: str | bytes) -> bytes:
    """One part of a multipart, in base64."""
    given = [h.encode() if isinstance(h, str) else h for h in headers]
    coded = b"\r\n".join(b64encode(content)[i : i + 76] for i in range(0, 4 * len(content), 76))
    return b"\r\n".join([*given, b"Content-Transfer-Encoding: base64", b"", coded.rstrip()])


def words_part(words: str, kind: str = "text/plain") -> bytes:
    """A body as a part."""
    return part(words.encode(), f"Content-Type: {kind}; charset=utf-8")


def file_part(name: str, content: bytes = b"%PDF-1.7 report", **more: str) -> bytes:
    """An attachment with a plain UTF-8 name."""
    kind = more.get("kind", "application/pdf")
    disposition = f'Content-Disposition: attachment; filename="{name}"'
    return part(content, f"Content-Type: {kind}", disposition)


def multipart(parts: Sequence[bytes], *headers: str | bytes, kind: str = "mixed") -> bytes:
    """A mail of several parts."""
    body = b"".join(b"--frontier\r\n" + p + b"\r\n" for p in parts) + b"--frontier--\r\n"
    return mail(*headers, f'Content-Type: multipart/{kind}; boundary="frontier"', body=body)


def hand_in(words: str = "3月月报已附，请查收。", *names: str, answers: str = OURS) -> bytes:
    """A section's answer to a letter of ours, with files of these names."""
    parts = [words_part(words), *(file_part(name) for name in names or ("3月月报.pdf",))]
    return multipart(parts, f"In-Reply-To: {answers}", f"References: {answers}")


def bounced(original: str = OURS, action: str = "failed", status: str = "5.1.1") -> bytes:
    """A relay's report (RFC 3464) about a letter of ours."""
    report = (
        "Reporting-MTA: dns; mx.jyj.example\r\n\r\n"
        "Original-Recipient: rfc822;caiwuke@jyj.example\r\n"
        "Final-Recipient: rfc822; caiwuke@jyj.example\r\n"
        f"Action: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 mailbox unavailable\r\n"
    )
    parts = [
        b"Content-Type: text/plain\r\n\r\nYour mail did not arrive.",
        b"Content-Type: message/delivery-status\r\n\r\n" + report.encode(),
        b"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: " + original.encode() + b"\r\n",
    ]
    sender = "From: MAILER-DAEMON@mx.jyj.example (Mail Delivery System)"
    kind = "report; report-type=delivery-status"
    return multipart(parts, sender, "Return-Path: <>", "Auto-Submitted: auto-replied", kind=kind)


def text_of(content: bytes) -> str:
    """The plain text of one of our own letters."""
    body = message_from_bytes(content, policy=default).get_body(("plain",))
    assert body is not None
    said: str = body.get_content()
    return said.replace("\r\n", "\n")
