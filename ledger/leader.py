"""Which of several daemons decides: the one whose session holds an advisory lock of PostgreSQL.

Every node delivers; one at a time reconciles, reminds, writes digests and reads the mailbox. The
database drops the lock with the session, however that ends, and another node takes over at its next
look. Two that both believe to lead for a moment double nothing: reminders have unique keys, a
digest its day, a mail its number.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ledger.engine import Ledger

_LOCK = 0x6475_6262  # "dubb": beside that of the migrations
_TRY = text(f"SELECT pg_try_advisory_lock({_LOCK})")
_ALIVE = text("SELECT 1")


class Leader:
    """This node's claim to decide. An SQLite ledger has one daemon, which always does."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._session: Connection | None = None
        self._leads = False

    def leads(self) -> bool:
        """Whether this node decides now: asked anew at every tick.

        A lost session is noticed here, and tried again: raises nothing for a database that is away,
        for then nobody decides.
        """
        if self._ledger.sqlite:
            return True
        try:
            if self._session is None:
                # of its own, and never back in the pool with the lock still held
                self._session = self._ledger.engine.connect().execution_options(
                    isolation_level="AUTOCOMMIT"
                )
                self._session.detach()
            self._leads = bool(self._session.execute(_ALIVE if self._leads else _TRY).scalar())
        except DBAPIError:
            self.close()
        return self._leads

    def close(self) -> None:
        """Let another node decide."""
        session, self._session, self._leads = self._session, None, False
        if session is not None:
            session.close()
