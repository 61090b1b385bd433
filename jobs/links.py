"""Signed links: what a token of ours opens, and that it is ours.

A token holds a row's id or a name, nothing else; when it expires is decided from the ledger, so
that a moved deadline moves it too. Each purpose has its own salt: no token opens another's door.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

from duban.letters import Recipient

LINK: Final = "link"
"""The way of what comes in by a link, in the ledger."""

_FORGED: Final = "this is no link of ours"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.-]{1,400}", re.ASCII)
_QUOTED: Final = re.compile(r"/r/([A-Za-z0-9_.-]{1,400})", re.ASCII)
_MOST_QUOTED: Final = 20


class ForgedError(ValueError):
    """A token that we did not make, or not for this purpose."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Whose calendar or page: a section's or an official's, of one plan by its row id."""

    plan: int
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class Form:
    """What a page showed when it offered an act: a later state makes the form void."""

    letter: int
    obligation: int
    seen: str


class Links:
    """Makes and reads tokens. `keys` go from the oldest to the newest; the newest signs."""

    def __init__(self, public_url: str, keys: Sequence[str]) -> None:
        self.public_url = public_url.rstrip("/")
        self._letters = _serializer("letter", keys)
        self._feeds = _serializer("feed", keys)
        self._own = _serializer("own", keys)
        self._forms = _serializer("form", keys)

    def letter(self, letter: int) -> str:
        """The address of a letter's page."""
        return f"{self.public_url}/r/{self.letter_token(letter)}"

    def letter_token(self, letter: int) -> str:
        """The token of a letter's page."""
        return str(self._letters.dumps(letter))

    def letter_of(self, token: str) -> int:
        """The letter's row id. Raises ForgedError."""
        match _read(self._letters, token):
            case int(letter):
                return letter
        raise ForgedError(_FORGED)

    def tokens_in(self, text: str) -> list[str]:
        """What may be tokens of letters' pages in a text, such as a quoted letter."""
        return list(dict.fromkeys(_QUOTED.findall(text)))[:_MOST_QUOTED]

    def feed(self, feed: Feed) -> str:
        """The address of a calendar."""
        return f"{self.public_url}/cal/{self._feeds.dumps(_named(feed))}.ics"

    def feed_of(self, token: str) -> Feed:
        """Whose calendar a token opens. Raises ForgedError."""
        return _feed(_read(self._feeds, token))

    def own(self, feed: Feed) -> str:
        """The address of a section's or an official's own page, to read."""
        return f"{self.public_url}/own/{self._own.dumps(_named(feed))}"

    def own_of(self, token: str) -> Feed:
        """Whose page a token opens. Raises ForgedError."""
        return _feed(_read(self._own, token))

    def form(self, form: Form) -> str:
        """The token that a form carries back."""
        return str(self._forms.dumps([form.letter, form.obligation, form.seen]))

    def form_of(self, token: str) -> Form:
        """What the form was made for. Raises ForgedError."""
        match _read(self._forms, token):
            case [int(letter), int(obligation), str(seen)]:
                return Form(letter, obligation, seen)
        raise ForgedError(_FORGED)


def _named(feed: Feed) -> list[Any]:
    return [feed.plan, feed.recipient.name, int(feed.recipient.official)]


def _feed(named: Any) -> Feed:
    match named:
        case [int(plan), str(name), int(official)]:
            return Feed(plan, Recipient(name, official=bool(official)))
    raise ForgedError(_FORGED)


def _serializer(purpose: str, keys: Sequence[str]) -> URLSafeSerializer:
    return URLSafeSerializer(
        list(keys), salt=f"duban {purpose}", signer_kwargs={"digest_method": sha256}
    )


def _read(serializer: URLSafeSerializer, token: str) -> Any:
    if not _TOKEN.fullmatch(token):
        raise ForgedError(_FORGED)
    try:
        return serializer.loads(token)
    except BadData as error:
        raise ForgedError(_FORGED) from error
