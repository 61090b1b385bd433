"""Only `true` and `false` are truth values; no other word is guessed to be one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.support.small_plan import OVERRIDES, PLAN, changed, errors, load

CORE = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def _exempt(written: str) -> str:
    return changed("deadline: 2023-03-28", f"exempt: {written}", OVERRIDES)


@pytest.mark.parametrize("word", [word for word, truth in CORE.items() if truth])
def test_a_word_for_true_exempts(tmp_path: Path, word: str) -> None:
    plan = load(tmp_path, PLAN, _exempt(word)).plan
    assert plan is not None
    assert plan.overrides[0].exempt is True


@pytest.mark.parametrize("word", [word for word, truth in CORE.items() if not truth])
def test_a_word_for_false_exempts_nobody(tmp_path: Path, word: str) -> None:
    text = OVERRIDES + f"    exempt: {word}\n"
    plan = load(tmp_path, PLAN, text).plan
    assert plan is not None
    assert plan.overrides[0].exempt is False


@pytest.mark.parametrize(
    "word",
    ["on", "off", "yes", "no", "y", "n", "t", "f", "1", "0", "1.0", "tRUE", "truth", "真"],
)
def test_no_other_word_is_taken_as_true_or_false(tmp_path: Path, word: str) -> None:
    assert errors(load(tmp_path, PLAN, _exempt(word))) == [
        f"overrides.yaml:5:13: '{word}' is not true or false"
    ]


def test_a_quoted_word_in_its_place_is_refused_like_a_plain_one(tmp_path: Path) -> None:
    assert errors(load(tmp_path, PLAN, _exempt("'on'"))) == [
        "overrides.yaml:5:13: 'on' is not true or false"
    ]


@pytest.mark.parametrize("value", ["[true]", "{true: true}"])
def test_a_list_or_mapping_is_not_true_or_false(tmp_path: Path, value: str) -> None:
    assert errors(load(tmp_path, PLAN, _exempt(value))) == [
        "overrides.yaml:5:13: is not true or false"
    ]


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=6))
def test_no_text_but_the_six_words_is_a_truth_value(tmp_path: Path, word: str) -> None:
    assume(word not in CORE and word.lower() != "null")
    (error,) = errors(load(tmp_path, PLAN, _exempt(word)))
    assert "is not true or false" in error
