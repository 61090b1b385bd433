"""What the sender wrote himself, in the ways that clients quote the original."""

from __future__ import annotations

import pytest

from mailroom.reader.quoting import own_words

ORIGINAL = "财务科：\n3月月报3月24日截止。\n报送请直接回复本邮件。"
MARKED = "\n".join(f"> {line}" for line in ORIGINAL.split("\n"))
SENDER = "督办 <duban@jyj.example>"

SEPARATORS = {
    "QQ": '------------------ 原始邮件 ------------------\n发件人: "督办";',
    "QQ, with hard spaces": "------------------\xa0原始邮件\xa0------------------",
    "QQ, on a phone": f"---原始邮件---\n发件人: {SENDER}",
    "163": f"At 2023-03-22 09:00:00, {SENDER} wrote:",
    "163, in Chinese": f"在 2023-03-22 09:00:00，{SENDER} 写道：",
    "NetEase's app": f"---- 回复的原邮件 ----\n| 发件人 | {SENDER} |",
    "Outlook": f"发件人: {SENDER}\n发送时间: 2023年3月22日 9:00\n收件人: 财务科\n主题: 月报",
    "Outlook, in English": f"From: {SENDER}\nSent: Wednesday, March 22\nTo: x\nSubject: y",
    "Outlook, old": "-----Original Message-----\nFrom: duban@jyj.example",
    "Foxmail": "发件人： 督办\n发送时间： 2023-03-22 09:00\n收件人： 财务科\n主题： 3月月报",
    "Apple": f"> 在 2023年3月22日，上午9:00，{SENDER} 写道：",
    "Apple, in English": f"On 22 Mar 2023, at 09:00, {SENDER} wrote:",
    "Gmail, wrapped": f"{SENDER}\n于2023年3月22日周三 09:00写道：",
    "Gmail, in English, wrapped": "On Wed, Mar 22, 2023 at 9:00 AM x\n<duban@jyj.example> wrote:",
    "WeChat": '------------------ Original ------------------\nFrom: "督办"',
    "Coremail": '-----原始邮件-----\n发件人:"督办"',
}


@pytest.mark.parametrize("client", SEPARATORS)
@pytest.mark.parametrize("original", [ORIGINAL, MARKED], ids=["plain", "marked"])
def test_the_quoted_original_of_every_client_is_cut_off(client: str, original: str) -> None:
    body = f"月报已附，请查收。\n财务科\n{SEPARATORS[client]}\n{original}\n"
    words = own_words(body)
    assert words.startswith("月报已附，请查收。\n财务科")
    assert "截止" not in words


@pytest.mark.parametrize("client", SEPARATORS)
def test_a_mail_that_only_quotes_has_no_words(client: str) -> None:
    assert own_words(f"\n{SEPARATORS[client]}\n{ORIGINAL}") == ""


def test_answers_between_and_below_a_marked_original_count() -> None:
    body = f"On 22 Mar 2023, {SENDER} wrote:\n{MARKED}\n3月月报如下。\n> 联系\n电话照旧"
    assert own_words(body) == "3月月报如下。\n电话照旧"


def test_a_client_that_advertises_itself_says_nothing() -> None:
    assert own_words("\n\n发自我的iPhone\n") == ""
    assert own_words("收到\n\n获取 Outlook for iOS") == "收到"
    assert own_words("月报如下\n-- \n财务科 电话 1234") == "月报如下"


@pytest.mark.parametrize(
    "words",
    [
        "主题：三月工作进展\n日期：3月24日\n内容：均已完成",
        "在3月20日的会上，领导要求如下：\n一、完成招生",
        "一、工作进展\n----------\n二、存在问题",
        "from: 财务科，数据已核",
    ],
)
def test_a_report_in_the_body_is_not_taken_for_a_quotation(words: str) -> None:
    assert own_words(words) == words
