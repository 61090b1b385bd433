"""Facts travel between processes and stay what they are."""

from __future__ import annotations

import pickle

import pytest

from duban.facts import LetterFacts
from mailroom.samples import samples


def travelled(facts: LetterFacts) -> LetterFacts:
    there: LetterFacts = pickle.loads(pickle.dumps(facts))  # noqa: S301 - our own
    return there


@pytest.mark.parametrize("facts", samples())
def test_facts_that_travelled_are_equal(facts: LetterFacts) -> None:
    there = travelled(facts)
    assert there == facts
    assert there._replace(recipient="财务科") == facts._replace(recipient="财务科")


def test_facts_that_travelled_cannot_be_changed_either() -> None:
    there = travelled(samples()[0])
    with pytest.raises(AttributeError):
        there.recipient = "财务科"  # type: ignore[misc]
