"""Composed mails against what Python's own EmailMessage makes of the same letter."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Light
from mailroom.compose import Envelope, HeaderError, compose, encoded_words, html_of
from mailroom.render import Rendered
from mailroom.wire import Wire, wire
from tests.mailroom.letters import NOW

SIMPLE = Rendered("【黄】3月专报", "正文\n", "<p>正文</p>\n")
HEADERS = (
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "Importance", "X-Priority"),
)


def envelope(**more: Any) -> Envelope:
    base: dict[str, Any] = {
        "sender": "bangongshi@qzedu.example",
        "sender_name": "泉州市教育局办公室",
        "recipient": "caiwu@qzedu.example",
        "recipient_name": "财务科",
        "reply_to": "bangongshi@qzedu.example",
        "message_id": "<l.1@qzedu.example>",
        "date": NOW,
    }
    return Envelope(**(base | more))


def parse(content: bytes) -> EmailMessage:
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def by_the_library(e: Envelope, rendered: Rendered) -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(e.sender_name, addr_spec=e.sender)
    message["To"] = Address(e.recipient_name, addr_spec=e.recipient)
    message["Reply-To"] = e.reply_to
    message["Subject"] = rendered.subject
    message["Date"] = e.date
    message["Message-ID"] = e.message_id
    if e.in_reply_to:
        message["In-Reply-To"] = message["References"] = e.in_reply_to
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if e.light is Light.RED:
        message["Importance"], message["X-Priority"] = "high", "1"
    message.set_content(rendered.text, charset="utf-8", cte="base64")
    message.add_alternative(rendered.html, subtype="html", charset="utf-8", cte="base64")
    return message.as_bytes()


def seen(message: EmailMessage) -> Any:
    headers = {name: str(message[name]) for name in HEADERS if message[name] is not None}
    parts = [
        (p.get_content_type(), p.get_content_charset(), p.get_content())
        for p in message.iter_parts()
        if isinstance(p, EmailMessage)
    ]
    return headers, message.get_content_type(), parts, message.defects


OFFICE_TEXT = st.text(
    alphabet=st.sampled_from(
        "泉州市教育局【红】，。“”《》（）·…0123456789 abcXYZ-_=?@<>\"'\\;:,.𠮷é"
    ),
    max_size=90,
).map(lambda s: " ".join(s.split()))
# A longer one takes two encoded words, which Python 3.11 wrongly joins with a space in a name.
OFFICE_NAME = OFFICE_TEXT.filter(lambda s: len(s.encode()) <= 42)
BODY = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=400
).map(lambda s: s + "\n")


@given(
    subject=OFFICE_TEXT.filter(bool),
    names=st.tuples(OFFICE_NAME, OFFICE_NAME),
    text=BODY,
    html=BODY,
    thread=st.sampled_from([None, "<l.0@qzedu.example>"]),
    light=st.sampled_from([None, *Light]),
)
def test_a_mail_parses_to_what_the_library_would_have_made(
    subject: str, names: tuple[str, str], text: str, html: str, thread: str | None, light: Light
) -> None:
    rendered = Rendered(subject, text, html)
    e = envelope(sender_name=names[0], recipient_name=names[1], in_reply_to=thread, light=light)
    ours, theirs = parse(compose(e, rendered)), parse(by_the_library(e, rendered))
    assert seen(ours) == seen(theirs)


@given(OFFICE_TEXT.filter(bool))
def test_any_name_comes_back_from_its_header(name: str) -> None:
    raw = message_from_bytes(compose(envelope(recipient_name=name), SIMPLE))["To"]
    decoded = str(make_header(decode_header(parseaddr(raw.replace("\r\n", ""))[0])))
    assert decoded == name


@given(text=st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs")), min_size=1))
def test_any_subject_comes_back_from_its_header(text: str) -> None:
    line = " ".join(text.split())
    content = compose(envelope(), Rendered(line, "x\n", "x\n"))
    assert str(parse(content)["Subject"] or "") == line


@given(
    text=st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs"))), used=st.integers(4, 20)
)
def test_header_lines_stay_within_76_columns_and_words_within_75(text: str, used: int) -> None:
    lines = encoded_words(text, used).split("\r\n")
    assert used + len(lines[0]) <= 76
    assert all(len(line) <= 76 for line in lines[1:])
    assert all(len(word) <= 75 for line in lines if "=?utf-8?" in line for word in line.split())


def test_a_word_never_splits_a_character_and_has_at_most_75_columns() -> None:
    for word in encoded_words("督办" * 60, 9).split("\r\n "):
        assert len(word) <= 75
        assert str(parse(f"Subject: {word}\r\n\r\n".encode())["Subject"]).strip("督办") == ""


@given(text=BODY, html=BODY)
def test_every_line_is_ascii_and_ends_with_crlf_alone(text: str, html: str) -> None:
    content = compose(envelope(), Rendered("x", text, html))
    lines = content.split(b"\r\n")
    assert content.isascii()
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 78


@given(
    subject=OFFICE_TEXT.filter(bool),
    names=st.tuples(OFFICE_NAME, OFFICE_NAME),
    bodies=st.tuples(BODY, BODY),
    key=st.text(alphabet=".财务科/a-", min_size=1),
)
def test_what_is_written_needs_no_change_to_go_over_the_wire(
    subject: str, names: tuple[str, str], bodies: tuple[str, str], key: str
) -> None:
    e = envelope(sender_name=names[0], recipient_name=names[1], kind="reminder", obligations=(key,))
    content = compose(e, Rendered(subject, *bodies))
    assert isinstance(content, Wire)
    assert wire(bytes(content)) == content


def test_a_body_that_fills_its_last_line_has_no_empty_line_after_it() -> None:
    content = compose(envelope(), Rendered("x", "x\n", "a" * 55 + "\n"))  # 57 bytes with its CRLF
    first, second, *_ = content.rpartition(b"\r\n\r\n")[2].split(b"\r\n")
    assert len(first) == 76
    assert second.startswith(b"--")


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert compose(envelope(), SIMPLE) == compose(envelope(), SIMPLE)


def test_another_message_id_gives_another_boundary() -> None:
    boundaries = {
        parse(compose(envelope(message_id=f"<{n}@x.example>"), SIMPLE)).get_boundary()
        for n in range(5)
    }
    assert len(boundaries) == 5


def test_the_date_has_the_plans_zone() -> None:
    assert b"\r\nDate: Wed, 22 Mar 2023 09:00:00 +0800\r\n" in compose(envelope(), SIMPLE)


@given(html=BODY)
def test_the_html_body_can_be_taken_out_again(html: str) -> None:
    assert html_of(compose(envelope(), Rendered("x", "x\n", html))) == html


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender_name": "办公室\r\nBcc: a@b.example"},
        {"recipient_name": "科\n室"},
        {"recipient_name": "科\u2028室"},
        {"recipient": "a@b.example, c@d.example"},
        {"recipient": "a@b.example>\r\nBcc: <c@d.example"},
        {"sender": "办公室@qzedu.example"},
        {"reply_to": "not an address"},
        {"message_id": "<a@b>\r\nX: y"},
        {"message_id": "no-brackets"},
        {"in_reply_to": "<a@b> <c@d>"},
        {"date": NOW.replace(tzinfo=None)},
    ],
)
def test_f34_a_value_that_would_forge_a_header_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(HeaderError):
        compose(envelope(**wrong), SIMPLE)


def test_f34_a_subject_of_two_lines_is_refused() -> None:
    with pytest.raises(HeaderError):
        compose(envelope(), Rendered("a\r\nBcc: c@d.example", "x", "x"))


def test_a_mail_says_in_headers_of_its_own_what_it_is_and_which_obligations_it_speaks_of() -> None:
    keys = tuple(f"monthly/2023-{month:02d}/初幼教科" for month in range(1, 13))
    mail = compose(envelope(kind="reminder", obligations=keys), SIMPLE)
    head = mail.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 78
    parsed = parse(mail)
    assert parsed["X-Duban-Kind"] == "reminder"
    assert tuple(str(parsed["X-Duban-Obligations"]).split(", ")) == keys


def test_a_mail_about_no_obligation_has_no_such_header() -> None:
    assert b"X-Duban-Obligations" not in compose(envelope(kind="digest"), SIMPLE)
