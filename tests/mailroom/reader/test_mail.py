"""What is read out of a section's mail, whatever its client makes of the standards."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from duban.filenames import UNNAMED, shown_name
from mailroom.reader.mail import Problem, read
from mailroom.reader.parts import MAX_FILES, MAX_PARTS
from tests.support.mails import (
    OURS,
    file_part,
    hand_in,
    mail,
    multipart,
    part,
    text,
    words_part,
)

NAME = "第三季度报告.docx"


def test_an_ordinary_answer_gives_sender_words_files_and_what_it_answers() -> None:
    found = read(hand_in("3月月报已附。", "月报.pdf"))
    assert found.sender == "caiwuke@jyj.example"
    assert found.words == "3月月报已附。"
    assert [(f.name, f.content) for f in found.files] == [("月报.pdf", b"%PDF-1.7 report")]
    assert found.answers == (OURS,)
    assert found.date == datetime(2023, 3, 23, 2, tzinfo=UTC)
    assert found.automatic is None
    assert found.bounce is None
    assert found.problems == ()


@pytest.mark.parametrize("label", ["gb2312", "GBK", "gb18030", "x-gbk", "cp936", "'gb2312'"])
def test_all_chinese_labels_are_read_as_gb18030(label: str) -> None:
    body = "朱镕基、㐂和𠮷都在".encode("gb18030")
    found = read(mail(f"Content-Type: text/plain; charset={label}", body=body))
    assert found.words == "朱镕基、㐂和𠮷都在"


@pytest.mark.parametrize("label", ["utf-8", "us-ascii", "x-unknown-9", "rot13", "idna", ""])
def test_bytes_outweigh_a_wrong_or_unknown_label(label: str) -> None:
    found = read(mail(f"Content-Type: text/plain; charset={label}", body="材料".encode("gbk")))
    assert found.words == "材料"


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb18030"])
def test_a_subject_without_any_encoding_is_read(charset: str) -> None:
    assert read(mail("Subject: 回复：月报".encode(charset))).subject == "回复：月报"


def test_encoded_words_split_within_a_character_are_joined() -> None:
    data = "三月月报".encode()
    words = [b64encode(data[:4]).decode(), b64encode(data[4:]).decode()]
    raw = f"Subject: =?utf-8?B?{words[0]}?=\r\n =?UTF-8?B?{words[1]}?= ok"
    assert read(mail(raw)).subject == "三月月报 ok"


def test_encoded_words_in_quoted_printable_are_read() -> None:
    assert read(mail("Subject: =?gb2312?Q?=D4=C2=B1=A8_3?=")).subject == "月报 3"


@pytest.mark.parametrize(
    "disposition",
    [
        f'attachment; filename="=?gb2312?B?{b64encode(NAME.encode("gbk")).decode()}?="',
        f"attachment; filename==?utf-8?B?{b64encode(NAME.encode()).decode()}?=",
        "attachment; filename*=UTF-8''" + "".join(f"%{b:02X}" for b in NAME.encode()),
        "attachment; filename*=gb2312''" + "".join(f"%{b:02X}" for b in NAME.encode("gbk")),
        "attachment;\r\n filename*0*=utf-8''"
        + "".join(f"%{b:02X}" for b in NAME.encode()[:7])
        + ";\r\n filename*1*="
        + "".join(f"%{b:02X}" for b in NAME.encode()[7:]),
        f'attachment; filename="{NAME}"'.encode("gbk"),
        f'attachment; filename="{NAME}"'.encode(),
        f'attachment; filename="../../etc/{NAME}"'.encode(),
        f'attachment; filename="C:\\\\报送\\{NAME}"'.encode(),
    ],
)
def test_file_names_are_read_in_every_way_that_clients_write_them(disposition: str | bytes) -> None:
    given = disposition.encode() if isinstance(disposition, str) else disposition
    found = read(multipart([part(b"x", b"Content-Disposition: " + given)]))
    assert [shown_name(f.name) for f in found.files] == [NAME]


def test_the_name_of_the_content_type_serves_where_the_disposition_has_none() -> None:
    found = read(multipart([part(b"x", f'Content-Type: application/msword; name="{NAME}"')]))
    assert [f.name for f in found.files] == [NAME]


def test_f46_a_name_with_folders_and_hidden_marks_is_cleaned_for_display() -> None:
    found = read(multipart([file_part("..\\../..//\u202efdp.exe"), file_part("../..")]))
    assert [shown_name(f.name) for f in found.files] == ["fdp.exe", UNNAMED]


def test_an_html_body_is_read_as_text_without_its_quotation() -> None:
    html = (
        "<html><head><style>p{}</style></head><body><p>月报&nbsp;已附</p><p>请查收<br>谢谢</p>"
        "<blockquote><p>原来的信</p></blockquote></body></html>"
    )
    found = read(mail("Content-Type: text/html; charset=utf-8", body=html.encode()))
    assert found.words == "月报 已附\n\n请查收\n谢谢"
    assert "> 原来的信" in found.text


def test_a_broken_html_declaration_still_gives_the_words() -> None:
    found = read(mail("Content-Type: text/html", body="<![foo[ <p>月报已附</p>".encode()))
    assert "月报已附" in found.words


def test_flowed_text_gets_its_lines_back() -> None:
    head = "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes"
    found = read(mail(head, body="本月工作进 \r\n展顺利。\r\n-- \r\n财务科".encode()))
    assert found.words == "本月工作进展顺利。"


def test_pictures_that_belong_to_the_html_are_no_files() -> None:
    logo = part(b"png", "Content-Type: image/png", "Content-ID: <logo>")
    photo = part(b"jpg", 'Content-Type: image/jpeg; name="盖章件.jpg"', "Content-ID: <photo>")
    html = words_part('<p>已报</p><img src="cid:logo">', "text/html")
    assert [f.name for f in read(multipart([html, logo, photo])).files] == ["盖章件.jpg"]


def test_tnef_and_archives_are_kept_as_they_are() -> None:
    archive = file_part("材料.zip", b"PK\x03\x04 never opened", kind="application/zip")
    tnef = file_part("winmail.dat", b"\x78\x9f\x3e\x22", kind="application/ms-tnef")
    found = read(multipart([archive, tnef]))
    assert [f.content for f in found.files] == [b"PK\x03\x04 never opened", b"\x78\x9f\x3e\x22"]


def test_a_mail_that_was_passed_on_is_a_file() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\n" + text("原件", "Subject: 3月月报".encode())
    (file,) = read(multipart([words_part("转发"), inner])).files
    assert (file.name, file.content_type) == ("3月月报.eml", "message/rfc822")
    assert "原件".encode() in file.content


def test_a_signature_is_no_file() -> None:
    sign = file_part("smime.p7s", kind="application/pkcs7-signature")
    assert read(multipart([words_part("x"), sign])).files == ()


@pytest.mark.parametrize(
    "sender",
    [
        ("From: a@jyj.example, b@jyj.example",),
        ("From: a@jyj.example", "From: b@jyj.example"),
        ("From: caiwuke@jyj.example <evil@elsewhere.example>",),
    ],
)
def test_f41_a_mail_has_exactly_one_sender_or_none_that_counts(sender: tuple[str, ...]) -> None:
    found = read(mail(*sender))
    assert found.sender == ""
    assert {Problem.SEVERAL_SENDERS, Problem.NO_SENDER} & set(found.problems)


def test_f41_a_display_name_is_never_the_sender() -> None:
    named = b64encode(b"caiwuke@jyj.example").decode()
    for shown in ('"caiwuke@jyj.example"', f"=?utf-8?B?{named}?="):
        found = read(mail(f"From: {shown} <evil@elsewhere.example>"))
        assert found.sender == "evil@elsewhere.example"
        assert found.sender_name == "caiwuke@jyj.example"


@pytest.mark.parametrize(
    "value", ["", "yesterday", "Thu, 99 Mar 2023 10:00:00 +0800", "Thu, 1 Jan 1970 00:00:00 +0000"]
)
def test_f45_an_absurd_date_is_no_date(value: str) -> None:
    found = read(mail(f"Date: {value}"))
    assert found.date is None
    assert Problem.BAD_DATE in found.problems


@pytest.mark.parametrize("value", ["", "none", "<a b@c>", "<a@b> <c@d>", f"<{'a' * 300}@b>"])
def test_f45_a_bad_message_id_is_none(value: str) -> None:
    found = read(mail(f"Message-ID: {value}"))
    assert found.message_id == ""
    assert Problem.BAD_MESSAGE_ID in found.problems


def test_the_nearest_letter_comes_first_among_what_a_mail_answers() -> None:
    found = read(mail("References: <first@a> <second@a>\r\n <third@a>", "In-Reply-To: <third@a>"))
    assert found.answers == ("<third@a>", "<second@a>", "<first@a>")


def test_f45_deep_nesting_is_bounded_and_said() -> None:
    raw = words_part("深")
    for level in range(2000):
        mark = f"b{level}".encode()
        raw = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\r\n\r\n--"
            + mark
            + b"\r\n"
            + raw
        )
    found = read(b"From: caiwuke@jyj.example\r\n" + raw)
    assert found.problems[0] is Problem.UNREADABLE
    assert found.sender == "caiwuke@jyj.example"


def test_f45_some_nesting_is_read_to_its_bound() -> None:
    raw = words_part("深")
    for level in range(30):
        mark = f"b{level}".encode()
        raw = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\r\n\r\n--"
            + mark
            + b"\r\n"
            + raw
        )
    found = read(b"From: caiwuke@jyj.example\r\n" + raw)
    assert Problem.TOO_MANY_PARTS in found.problems


def test_f46_files_beyond_the_limit_are_left_and_said() -> None:
    found = read(multipart([file_part(f"{n}.pdf") for n in range(MAX_FILES + 1)]))
    assert len(found.files) == MAX_FILES
    assert Problem.TOO_MANY_PARTS in found.problems


def test_f46_parts_beyond_the_limit_are_left_and_said() -> None:
    found = read(multipart([words_part("x")] * (MAX_PARTS + 1)))
    assert Problem.TOO_MANY_PARTS in found.problems


def test_a_body_beyond_the_limit_is_cut_and_said() -> None:
    found = read(mail("Content-Type: text/plain", body=b"a" * 300_000))
    assert len(found.text) == 200_000
    assert Problem.CUT_TEXT in found.problems
