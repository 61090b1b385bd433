"""Bounces: which mail did not arrive, by the report of RFC 3464 or by a provider's own page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_IDS: Final = 50
MESSAGE_ID: Final = re.compile(r"<[^<>\s@\"]{1,200}@[^<>\s@\"]{1,200}>")
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
)
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_CODE: Final = re.compile(r"\b([45])\d\d\b")
_SUBJECT: Final = re.compile(
    r"退信|退回通知|系统退信|投递失败|发送失败|无法(?:投递|送达|发送)|未送达|未能送达"
    r"|undeliver|delivery (?:status|has failed|failure|failed)|mail delivery"
    r"|failure notice|returned mail|delivery incomplete|systems? bounce",
    re.IGNORECASE,
)
_POSTMASTER: Final = re.compile(r"(?i)^(?:mailer-daemon|postmaster|bounces?)(?:[-+].*)?@")


class Fate(StrEnum):
    """What a report says of the mail."""

    FAILED = "failed"
    DELAYED = "delayed"
    """The relay goes on trying: no bounce yet."""
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A report about a mail: the Message-IDs that it names, the first the likeliest.

    `status` is as in RFC 3463 (`5.1.1`), `said` the server's own words; empty where unknown.
    """

    fate: Fate
    message_ids: tuple[str, ...]
    recipient: str = ""
    status: str = ""
    said: str = ""


def standard(fields: Iterable[Mapping[str, str]], message_ids: Iterable[str]) -> Bounce | None:
    """The bounce in the blocks of a `message/delivery-status`; None where no block has an action.

    The worst recipient counts: our letters have just one.
    """
    found = [block for block in fields if block.get("action")]
    if not found:
        return None
    block = min(found, key=lambda b: _RANK.get(_fate(b["action"]), 9))
    named = block.get("original-recipient") or block.get("final-recipient") or ""
    status = _STATUS.search(block.get("status", ""))
    return Bounce(
        fate=_fate(block["action"]),
        message_ids=_few(message_ids),
        recipient=_first(_ADDRESS, named.partition(";")[2] or named),
        status=status[1] if status else "",
        said=block.get("diagnostic-code", "").partition(";")[2].strip(),
    )


def by_its_page(
    subject: str, sender: str, null_sender: bool, text: str, message_ids: Iterable[str]
) -> Bounce | None:
    """The bounce that a provider writes as an ordinary mail; None for any other mail.

    It needs both a sender that is no person and a subject that says so.
    """
    if not (_SUBJECT.search(subject) and (null_sender or _POSTMASTER.match(sender))):
        return None
    status = _STATUS.search(text)
    code = _CODE.search(text)
    temporary = (status and status[1][0] == "4") or (not status and code and code[1] == "4")
    said = next((line.strip() for line in text.split("\n") if _CODE.search(line)), "")
    return Bounce(
        fate=Fate.DELAYED if temporary and not _GIVEN_UP.search(text) else Fate.FAILED,
        message_ids=_few((*message_ids, *MESSAGE_ID.findall(text))),
        recipient=next((a for a in _ADDRESS.findall(text) if a.lower() != sender.lower()), ""),
        status=status[1] if status else "",
        said=said[:300],
    )


_GIVEN_UP: Final = re.compile(
    r"退信|放弃|退回|无法|失败|giv(?:e|en|ing) up|permanent", re.IGNORECASE
)
_RANK: Final = {Fate.FAILED: 0, Fate.DELAYED: 1, Fate.DELIVERED: 2}


def _fate(action: str) -> Fate:
    word = action.strip().lower()
    if word.startswith("failed"):
        return Fate.FAILED
    return Fate.DELAYED if word.startswith("delayed") else Fate.DELIVERED


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0] if found else ""


def _few(message_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(message_ids))[:MAX_IDS]
