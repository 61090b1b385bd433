from __future__ import annotations

from tests.support.counters import office, serve
from tests.support.ledgers import desk, make_desk, new_ledger
from tests.support.pages import make_pages, pages

__all__ = ["desk", "make_desk", "make_pages", "new_ledger", "office", "pages", "serve"]
