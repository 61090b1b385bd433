"""Poison: whatever bytes arrive, reading ends soon and gives a value."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.reader.mail import Received, read
from mailroom.reader.parameters import parameters
from mailroom.reader.parts import parse
from mailroom.reader.quoting import own_words
from tests.support.mails import OURS, bounced, file_part, hand_in, mail, multipart, part, text

CORPUS = [
    hand_in(),
    bounced(),
    text("月报如下：\n> 原来的信", charset="gbk"),
    mail(b"Subject: =?gb2312?B?1MKxqA==?= =?gbk?Q?=D4?=", b"From: \xb2\xc6\xce\xf1 <a@b.example>"),
    multipart([part(b"x", "Content-Disposition: attachment; filename*0*=gbk''%D4; filename*1=b")]),
    multipart([b"Content-Type: message/rfc822\r\n\r\n" + hand_in()], f"In-Reply-To: {OURS}"),
    mail("Content-Type: text/html; charset=gb2312", body="<p>月报<blockquote>".encode("gbk")),
    mail("Content-Type: text/plain; format=flowed", body=b"a \r\n> b \r\n>> c"),
]
SNIPPETS = [
    *(
        b"\r\n",
        b"\n\n",
        b"--frontier\r\n",
        b"--frontier--",
        b"=?",
        b"?=",
        b'"',
        b"\\",
        b"\0",
        b"\xff",
    ),
    *(
        b"Content-Type: multipart/mixed; boundary=frontier\r\n\r\n",
        b"charset=idna",
        b"charset=utf-7",
    ),
    *(b"Content-Type: message/rfc822\r\n\r\n", b"Content-Type: message/delivery-status\r\n\r\n"),
    *(
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"begin 6",
    ),
    *(
        b"filename*999*=%",
        b"filename*=''",
        b"<![CDATA[",
        b"<!--",
        b"&#xffffffff;",
        b"From: ",
        b"\xa1\xa1",
    ),
    *(
        b"Date: Thu, 32 Foo 99999 99:99 +9999\r\n",
        b"Content-Type: text/plain; charset=\xb2\xc6\r\n",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A mail of the corpus with bytes cut out, put in, or moved."""
    raw = draw(st.sampled_from(CORPUS))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(raw)))
        end = draw(
            st.integers(start, min(len(raw), start + draw(st.sampled_from((0, 1, 40, 400)))))
        )
        put = draw(st.sampled_from(SNIPPETS) | st.binary(max_size=8) | st.just(raw[start:end] * 2))
        raw = raw[:start] + put + raw[end:]
    return raw


@given(mutated() | st.binary(max_size=200))
@settings(max_examples=400)
def test_f45_no_mail_whatever_raises_or_gives_what_cannot_be_stored(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Received)
    for shown in (found.subject, found.sender_name, found.words, *(f.name for f in found.files)):
        shown.encode()  # no halves of surrogate pairs
        assert "\0" not in shown


@given(mutated())
@settings(max_examples=200)
def test_f45_the_standard_parser_itself_is_hardly_ever_overwhelmed(raw: bytes) -> None:
    parse(raw)


@given(st.text(max_size=300))
def test_own_words_are_part_of_the_text(body: str) -> None:
    lines = [line.rstrip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    assert all(line.strip() in "\n".join(lines) for line in own_words(body).split("\n"))


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=200))
def test_any_header_has_parameters(raw: str) -> None:
    assert isinstance(parameters(raw), dict)


BOMBS = {
    "comments in HTML": mail("Content-Type: text/html", body=b"<!--" * 60_000),
    "open tags": mail("Content-Type: text/html", body=b"<a " * 80_000),
    "numbers": mail("Content-Type: text/html", body=b"&#" + b"9" * 150_000),
    "entities": mail("Content-Type: text/html", body=b"&" * 250_000),
    "quotes in a header": mail('Content-Type: text/plain; name="' + '\\"' * 200_000),
    "parameters": multipart([part(b"x", "Content-Disposition: attachment" + "; a*1*=%" * 50_000)]),
    "encoded words": mail("Subject: " + "=?utf-8?q?a?= " * 50_000),
    "half encoded words": mail("Subject: " + "=?" * 200_000),
    "senders": mail("From: " + "(" * 300_000),
    "attributions": mail(
        "Content-Type: text/plain", body=(b"On 1 " + b"1 " * 180 + b"wrote :\r\n") * 500
    ),
    "many small parts": multipart([file_part("a.pdf")] * 3000),
    "a long date": mail("Date: " + "1:" * 200_000),
    "references": mail("References: " + "<a" * 200_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_f45_a_mail_made_to_be_slow_is_read_all_the_same(name: str) -> None:
    begun = time.process_time()
    read(BOMBS[name])
    # a hundred times what the slowest takes here: a guard against quadratic work, no benchmark
    assert time.process_time() - begun < 5
