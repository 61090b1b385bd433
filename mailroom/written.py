"""A letter in words, as the bytes of a mail: a pure function of its order."""

from __future__ import annotations

from typing import NamedTuple

from duban.facts import LetterFacts
from mailroom.compose import Envelope, compose
from mailroom.render import Speaker


class Order(NamedTuple):
    """A letter to be written: to whom, and what it says."""

    envelope: Envelope
    facts: LetterFacts


class Written(NamedTuple):
    """A letter as the bytes of a mail; `fallback` says why the built-in letter was used, if so."""

    subject: str
    content: bytes
    fallback: str | None = None


def write(speaker: Speaker, order: Order) -> Written:
    """Word and compose one letter; raises what `compose` and a template that is wrong raise."""
    rendered = speaker.render(order.facts)
    content = compose(order.envelope, rendered)
    return Written(rendered.subject, content, rendered.fallback)
