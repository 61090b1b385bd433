from __future__ import annotations

from tests.support.ledgers import desk, make_desk, new_ledger
from tests.support.smtp import faulty, make_faulty

__all__ = ["desk", "faulty", "make_desk", "make_faulty", "new_ledger"]
