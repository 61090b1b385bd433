"""Facts travel between processes and stay what they are."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from duban.facts import LetterFacts
from mailroom.samples import samples


@pytest.mark.parametrize("facts", samples(), ids=lambda facts: facts.kind.value)
def test_facts_that_travelled_are_equal(facts: LetterFacts) -> None:
    there = pickle.loads(pickle.dumps(facts))
    assert there == facts
    assert replace(there, recipient="财务科") == replace(facts, recipient="财务科")


def test_facts_that_travelled_cannot_be_changed_either() -> None:
    there = pickle.loads(pickle.dumps(samples()[0]))
    with pytest.raises(FrozenInstanceError):
        there.recipient = "财务科"
