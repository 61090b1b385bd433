"""The letters that a delivery has claimed, and whether what they say still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from duban.bureau import Bureau
from jobs.prepare import edited_since
from ledger import mentions
from ledger.engine import Ledger, LedgerError
from ledger.letters import Letter

_LOOK_S = 0.2
"""How old the last look at the ledger may be when a letter leaves."""


class AtHand:
    """Claimed letters that have not left yet; all are looked at together, at most so often."""

    def __init__(self, ledger: Ledger, bureaus: Mapping[int, Bureau]) -> None:
        self._ledger, self._bureaus = ledger, bureaus
        self._plans: dict[int, int] = {}
        self._held: dict[int, int] = {}
        self._stale: set[int] = set()
        self._looked_s = _now_s()

    def take(self, connection: Connection, letters: Sequence[Letter]) -> None:
        """These were claimed in this transaction: all that they say holds."""
        self._held |= mentions.holding(connection, [row.id for row in letters])
        self._plans |= {row.id: row.plan_id for row in letters}
        self._stale.difference_update(row.id for row in letters)

    def let_go(self, letter_id: int) -> None:
        """This one has left, or is not ours any more."""
        self._plans.pop(letter_id, None)
        self._held.pop(letter_id, None)

    def holds(self, letter_id: int) -> bool:
        """Whether a letter may leave: nothing of it was handed in, and its plan not edited.

        Not where the ledger cannot be read: nobody can tell then.
        """
        if _now_s() - self._looked_s > _LOOK_S:
            try:
                self._look()
            except LedgerError:
                return False
        return letter_id not in self._stale

    def _look(self) -> None:
        with self._ledger.read() as connection:
            holding = mentions.holding(connection, self._held)
            edited = edited_since(connection, self._bureaus, self._plans.values())
        self._stale = {of for of, held in self._held.items() if holding.get(of) != held}
        self._stale |= {letter for letter, plan in self._plans.items() if plan in edited}
        self._looked_s = _now_s()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
