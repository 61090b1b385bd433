from __future__ import annotations

from tests.support.ledgers import desk, make_desk
from tests.support.postgres import both_databases, postgres
from tests.support.relays import writes
from tests.support.smtp import faulty, make_faulty

__all__ = ["both_databases", "desk", "faulty", "make_desk", "make_faulty", "postgres", "writes"]
