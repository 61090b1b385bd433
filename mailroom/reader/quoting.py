"""What the sender wrote: the quoted original, signatures and a client's own lines cut off."""

from __future__ import annotations

import re
from typing import Final

_RULE: Final = re.compile(
    r"^[>\s]*[-—_=]{2,}\s*"
    r"(?:原始邮件|原邮件|回复的原邮件|回复的邮件|转发的邮件|转发邮件信息|邮件原文"
    r"|Original(?: Message| Email)?|Replied Message|Forwarded Message|Reply Message)"
    r"\s*[-—_=]{2,}\s*$",
    re.IGNORECASE,
)
"""`------------------ 原始邮件 ------------------` and its kin of many clients."""

_ATTRIBUTION: Final = re.compile(
    r"^[>\s]*(?:"
    r"(?:在|于)?\s*\d{4}\s*[-年/.].{0,120}(?:写道|写到|编写|wrote)\s*[:：]"
    r"|在\s*.{0,120}\d.{0,80}写道\s*[:：]"
    r"|(?:On|At|Am|Le)\s.{0,200}\d.{0,200}wrote\s*[:：]"
    r"|.{1,100}[<＜][^<>\s]{3,100}@[^<>\s]{3,100}[>＞]\s*(?:于|在).{0,80}写道\s*[:：]"
    r")\s*$"
)
_HEADER: Final = re.compile(
    r"^[>\s*]*(发件人|发信人|发送时间|发件时间|发送日期|收件人|抄送|抄送人|主题|日期|时间|"
    r"From|Sent|Date|To|Cc|Subject)\s*\**\s*[:：]",
    re.IGNORECASE,
)
_FROM: Final = re.compile(r"^[>\s*]*(?:发件人|发信人|From)\s*\**\s*[:：]", re.IGNORECASE)
_CLIENT: Final = re.compile(
    r"^(?:发自我的|发自.{0,20}(?:iPhone|iPad|邮箱|邮件|手机|大师|Outlook|微信)|获取.{0,10}Outlook|"
    r"来自.{0,20}(?:手机|客户端|邮箱)|Sent from (?:my|Mail|Outlook|Yahoo)|Get Outlook for).{0,80}$",
    re.IGNORECASE,
)
_WRAPPED_LINES: Final = 3
_MAX_ATTRIBUTION_CHARACTERS: Final = 400


def own_words(text: str) -> str:
    """The sender's own words of a plain text body; empty where he wrote none.

    Everything from the client's separator on is the original, unless the original is marked with
    `>` throughout: then what stands below it counts as well.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    index = 0
    while index < len(lines):
        length = _separator(lines, index)
        if length and not _is_marked(lines, index + length):
            break
        if not length and not lines[index].lstrip().startswith((">", "＞")):
            kept.append(lines[index].rstrip())
        index += length or 1
    return "\n".join(_without_signature(kept)).strip()


def _separator(lines: list[str], index: int) -> int:
    """How many lines from here on announce the original; 0 where none does."""
    line = lines[index]
    if _RULE.match(line):
        return 1
    if _FROM.match(line) and _headers_follow(lines, index):
        return 1
    return _attribution(lines[index : index + _WRAPPED_LINES])


def _attribution(lines: list[str]) -> int:
    """How many of these lines are one `On … wrote:`, which clients wrap."""
    for length in range(1, len(lines) + 1):
        part = lines[length - 1].strip()
        if not part:
            break
        if part.endswith((":", "：")) and _is_attribution(lines[:length]):
            # the sender's own last line may stand right above it
            own = length > 1 and _is_attribution(lines[1:length]) and not _named(lines[0])
            return 0 if own else length
    return 0


def _named(line: str) -> bool:
    return line.rstrip().endswith((">", "＞")) and "@" in line


def _is_attribution(lines: list[str]) -> bool:
    joined = " ".join(line.strip() for line in lines)
    return len(joined) <= _MAX_ATTRIBUTION_CHARACTERS and bool(_ATTRIBUTION.match(joined))


def _headers_follow(lines: list[str], index: int) -> bool:
    """Whether an Outlook-like block follows: a sender, and two more header lines soon after."""
    near = lines[index + 1 : index + 8]
    return sum(bool(_HEADER.match(line)) for line in near) >= 2


def _is_marked(lines: list[str], index: int) -> bool:
    """Whether the original below is marked with `>`, so that it can be told from an answer."""
    below = [line.strip() for line in lines[index:] if line.strip()]
    return bool(below) and below[0].startswith((">", "＞"))


def _without_signature(lines: list[str]) -> list[str]:
    for index, line in enumerate(lines):
        if line in ("--", "-- "):
            lines = lines[:index]
            break
    while lines and (not lines[-1].strip(" _-—　") or _CLIENT.match(lines[-1].strip())):
        lines = lines[:-1]
    return [line for line in lines if not _CLIENT.match(line.strip())]
