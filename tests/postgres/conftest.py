from __future__ import annotations

from tests.support.postgres import postgres
from tests.support.smtp import faulty, make_faulty

__all__ = ["faulty", "make_faulty", "postgres"]
