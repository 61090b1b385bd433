from __future__ import annotations

from tests.support.counters import office, serve
from tests.support.ledgers import desk, make_desk

__all__ = ["desk", "make_desk", "office", "serve"]
