"""What a received mail means: a report handed in, a question back, or something for the office.

Only decisions: what the mail says comes from `mailroom.reader`, what is owed from the ledger.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailroom.reader.mail import Problem, Received


class Why(StrEnum):
    """Why a mail is what it is."""

    HANDED_IN = "handed in"
    WHICH = "which of several"
    STILL_UNCLEAR = "still unclear which"
    AUTOMATIC = "automatic answer"
    AUTOMATIC_WITH_FILES = "automatic answer with files"
    ACKNOWLEDGED = "only an acknowledgement"
    NO_SENDER = "not exactly one sender"
    NO_LETTER = "answers no letter of ours"
    NO_PLAN = "its plan is not at work"
    STRANGER = "sender is not the section's"
    EMPTY = "neither file nor words"
    QUESTION = "a question"
    NOTHING_OWED = "nothing is owed any more"
    TOO_LARGE = "too large to be read"
    UNREADABLE = "cannot be read"
    BOUNCE = "a letter came back"
    DELAYED = "a letter is delayed"
    BOUNCE_UNKNOWN = "came back, letter unknown"
    READ_BEFORE = "read before"

    @property
    def chinese(self) -> str:
        """The words for the office."""
        return _CHINESE[self]


_CHINESE: Final = {
    Why.HANDED_IN: "已登记为报送",
    Why.WHICH: "原函列有多项，已回函询问",
    Why.STILL_UNCLEAR: "仍不清楚报的是哪一项",
    Why.AUTOMATIC: "自动回复",
    Why.AUTOMATIC_WITH_FILES: "像是自动回复，但带有附件",
    Why.ACKNOWLEDGED: "仅表示收到",
    Why.NO_SENDER: "发件人不明确",
    Why.NO_LETTER: "不是对督办函的回复",
    Why.NO_PLAN: "所属行动方案未在运行",
    Why.STRANGER: "发件人不是该科室登记的邮箱",
    Why.EMPTY: "没有附件，也没有正文",
    Why.QUESTION: "像是提问",
    Why.NOTHING_OWED: "所列事项均已报送或不需报送",
    Why.TOO_LARGE: "邮件过大，未读取",
    Why.UNREADABLE: "邮件无法解析",
    Why.BOUNCE: "督办函被退回",
    Why.DELAYED: "督办函投递延迟",
    Why.BOUNCE_UNKNOWN: "退信，但不知是哪一封函",
    Why.READ_BEFORE: "此前已读",
}


class Course(StrEnum):
    """What is to be done with a mail."""

    TAKE = "take"
    ASK = "ask"
    OFFICE = "office"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An obligation that the answered letter spoke of.

    `names` are the words by which a clerk may call it, `senders` the addresses that are believed,
    in lower case; `owed` says whether anything can still be handed in.
    """

    key: str
    names: tuple[str, ...]
    period: str
    senders: Collection[str]
    owed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """What is handed in for one obligation: the places of its files in the mail."""

    key: str
    files: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, why, and about which obligations."""

    course: Course
    why: Why
    parts: tuple[Part, ...] = ()


def judge(received: Received, letter: Sequence[Owed] | None, *, asked: bool) -> Verdict:
    """What a mail means that is no bounce.

    `letter` is what the letter that it answers spoke of, None where it answers none of ours;
    `asked` says that we asked back about this letter already.
    """
    hindrance = _hindrance(received, letter)
    if hindrance is not None:
        return hindrance
    mine = [one for one in letter or () if received.sender in one.senders]
    if not mine:
        return Verdict(Course.OFFICE, Why.STRANGER)
    if not received.files:
        empty = _without_files(received.words)
        if empty is not None:
            return empty
    meant = _meant(received, mine)
    parts = tuple(part for part in meant if part.key in {one.key for one in mine if one.owed})
    if parts:
        return Verdict(Course.TAKE, Why.HANDED_IN, parts)
    owed = [one for one in mine if one.owed]
    if meant or not owed:
        return Verdict(Course.OFFICE, Why.NOTHING_OWED)
    if asked:
        return Verdict(Course.OFFICE, Why.STILL_UNCLEAR)
    return Verdict(Course.ASK, Why.WHICH, tuple(Part(one.key) for one in owed))


def _hindrance(received: Received, letter: Sequence[Owed] | None) -> Verdict | None:
    if received.automatic is not None:
        # a subject alone proves little: what comes with files is looked at by a person
        doubtful = received.files and received.automatic.startswith("subject:")
        if doubtful:
            return Verdict(Course.OFFICE, Why.AUTOMATIC_WITH_FILES)
        return Verdict(Course.NOTHING, Why.AUTOMATIC)
    if {Problem.UNREADABLE, Problem.TOO_MANY_PARTS} & set(received.problems):
        return Verdict(Course.OFFICE, Why.UNREADABLE)
    if not received.sender:
        return Verdict(Course.OFFICE, Why.NO_SENDER)
    return Verdict(Course.OFFICE, Why.NO_LETTER) if letter is None else None


_ACKNOWLEDGED: Final = re.compile(
    r"(?:(?:已经|已|均已|均)?(?:收到|收悉|知悉|知晓|知道|明白)|好的?|嗯|行|可以|没问题|谢谢|感谢|辛苦"
    r"|您好|你好|尽快(?:办理|报送|落实)?|马上(?:办理|报送)?|我们|ok|received|noted|thanks|thank you"
    r"|[了啦吧哈]|[\s,.!~。，！、；;:：…\-—])+",
    re.IGNORECASE,
)
_ACKNOWLEDGED_CHARACTERS: Final = 60
_QUESTION: Final = re.compile(r"[?？]\s*$|吗[。.!！]?\s*$|能否|可否|是否可以|请问|延期")
_QUESTION_CHARACTERS: Final = 200


def _without_files(words: str) -> Verdict | None:
    """What a mail without files comes to, None where its words may be the report."""
    if not words.strip():
        return Verdict(Course.OFFICE, Why.EMPTY)
    if len(words) <= _ACKNOWLEDGED_CHARACTERS and _ACKNOWLEDGED.fullmatch(words.strip()):
        return Verdict(Course.NOTHING, Why.ACKNOWLEDGED)
    if len(words) <= _QUESTION_CHARACTERS and _QUESTION.search(words):
        return Verdict(Course.OFFICE, Why.QUESTION)
    return None


def _meant(received: Received, mine: Sequence[Owed]) -> tuple[Part, ...]:
    """Which obligations the mail hands in; none where it does not say plainly.

    The names of files count more than words: those may speak of what is still to come.
    """
    every = tuple(range(len(received.files)))
    if len(mine) == 1:
        return (Part(mine[0].key, every),)
    named = [_named(file.name, mine) for file in received.files]
    if any(named):
        return _by_files(named, mine)
    said = _named(received.words, mine)
    if len(said) == 1:
        return (Part(said[0], every),)
    owed = [one for one in mine if one.owed]
    return (Part(owed[0].key, every),) if len(owed) == 1 and not said else ()


def _by_files(named: Sequence[Collection[str]], mine: Sequence[Owed]) -> tuple[Part, ...]:
    """Each file to what its name says; one that says nothing goes with the only one meant."""
    meant = [one.key for one in mine if any(one.key in keys for keys in named)]
    if any(len(keys) > 1 for keys in named) or (len(meant) > 1 and not all(named)):
        return ()
    files = {
        key: tuple(n for n, keys in enumerate(named) if key in (keys or meant)) for key in meant
    }
    return tuple(Part(key, files[key]) for key in meant)


def _named(text: str, mine: Sequence[Owed]) -> tuple[str, ...]:
    """The keys of those that a text names, as an office writes: `专报`, `3月月报`, `三月份的`.

    Longer names are looked for first, so that `半年总结` is not another's `总结`. Those that go by
    the same name need their period as well; the period alone is enough where only one has it.
    """
    rest = plain = _plain(text)
    said = set()
    for name in sorted({_plain(n) for one in mine for n in one.names}, key=len, reverse=True):
        if name in rest:
            said.add(name)
            rest = rest.replace(name, "\n")
    found = [one for one in mine if said & {_plain(n) for n in one.names}]
    in_period = [one for one in found or mine if _says_period(one.period, plain)]
    if not found:
        return (in_period[0].key,) if len(in_period) == 1 else ()
    alone = [one for one in found if sum(one.names == other.names for other in found) == 1]
    return tuple(one.key for one in found if one in alone or one in in_period)


_NUMERALS: Final = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


def _says_period(period: str, plain: str) -> bool:
    year, _, month = period.partition("-")
    if not month:
        return year in plain
    number = int(month[:2])
    spelled = rf"(?<![十\d]){_NUMERALS[number - 1]}月|(?<!\d)0?{number}月(?!\d+[日号])"
    return bool(re.search(rf"{spelled}|{year}[-./年]?0?{number}(?!\d)", plain))


def _plain(text: str) -> str:
    """Without what writers put differently: blanks, brackets, quotes, full-width forms."""
    text = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s“”\"'《》〈〉()（）\[\]【】_]+", "", text).lower()
