"""Passwords of accounts: what is taken for one, and how it is kept (argon2id, RFC 9106)."""

from __future__ import annotations

from threading import Lock
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST_CHARACTERS: Final = 12
LONGEST_CHARACTERS: Final = 200

_HASHER: Final = PasswordHasher(time_cost=4, memory_cost=9_216, parallelism=1)
"""One of OWASP's choices for argon2id, that with 9 MiB: they fit beside the daemon."""
_NOBODYS: Final = f"$argon2id$v=19$m=9216,t=4,p=1$bm9ib2R5bm9ib2R5bm9ibw${'A' * 43}"
"""A hash of the same cost, that no password is known to have."""
_ONE_AT_A_TIME: Final = Lock()


class WeakPasswordError(ValueError):
    """A password that is too short, too long, or the account's own name."""


def hashed(password: str, name: str) -> str:
    """The hash of a new password of the account `name`. Raises WeakPasswordError."""
    fits = SHORTEST_CHARACTERS <= len(password) <= LONGEST_CHARACTERS
    if not fits or name.casefold() == password.casefold():
        raise WeakPasswordError
    return _HASHER.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one whose hash was kept; as slow where nothing was kept.

    One at a time: many who try at once cost no more memory than one.
    """
    with _ONE_AT_A_TIME:
        try:
            _HASHER.verify(kept or _NOBODYS, password)
        except (Argon2Error, InvalidHashError):
            return False
    return kept is not None
