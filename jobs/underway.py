"""Which letters of a delivery may have left; the ledger knows it before they do."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from jobs.prepare import Claimed
from ledger import underway


class UnderWay:
    """The letters that `owner` has begun, and the next `ahead`, which may begin."""

    def __init__(self, owner: str) -> None:
        self.ahead = 1
        self._owner = owner
        self._begun: set[int] = set()
        self._said: frozenset[int] = frozenset()

    def begin(self, letter_id: int) -> None:
        """From now on it may leave."""
        self._begun.add(letter_id)

    def end(self, letter_id: int) -> None:
        """The ledger has what came of it, or it has not left."""
        self._begun.discard(letter_id)

    def others(self, done: Collection[int]) -> bool:
        """Whether any is begun besides those `done`."""
        return not self._begun.issubset(done)

    def known(self, letter_id: int) -> bool:
        """Whether the ledger says that it may have left."""
        return letter_id in self._said

    def say(
        self,
        connection: Connection,
        waiting: Iterable[Claimed],
        now: datetime,
        done: Collection[int] = (),
        *,
        more: bool = False,
    ) -> None:
        """Write down what is under way, without those `done`, and the next of those `waiting`.

        Where it is nothing, and no `more` will be claimed, what was said is dropped.
        """
        following = (claimed.row.id for claimed in islice(waiting, self.ahead))
        self._said = frozenset(self._begun.difference(done)).union(following)
        if self._said or more:
            underway.say(connection, self._owner, self._said, now)
        else:
            underway.drop(connection, self._owner)
