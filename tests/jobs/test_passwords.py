"""Passwords: what is taken for one, and that a hash gives nothing away, not even by its time."""

from __future__ import annotations

import pytest
from argon2 import extract_parameters

from jobs.passwords import _HASHER, _NOBODYS, WeakPasswordError, hashed, matches

PASSWORD = "correct horse 电池"


def test_a_password_opens_its_own_hash_only() -> None:
    kept = hashed(PASSWORD, "a")
    assert matches(kept, PASSWORD)
    assert not matches(kept, PASSWORD + " ")
    assert not matches(hashed("another password", "a"), PASSWORD)


def test_the_same_password_never_has_the_same_hash() -> None:
    assert hashed(PASSWORD, "a") != hashed(PASSWORD, "a")
    assert PASSWORD not in hashed(PASSWORD, "a")


def test_f49_a_name_without_account_costs_as_much_as_one_with() -> None:
    assert not matches(None, PASSWORD)
    assert extract_parameters(_NOBODYS) == extract_parameters(_HASHER.hash(PASSWORD))


@pytest.mark.parametrize("kept", ["", "rubbish", "$argon2id$v=19$m=1"])
def test_a_hash_that_is_none_opens_to_nobody(kept: str) -> None:
    assert not matches(kept, PASSWORD)


@pytest.mark.parametrize("password", ["x" * 11, "x" * 201, "ADMINISTRATOR"])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        hashed(password, "administrator")
