from __future__ import annotations

from tests.support.chromium import axe, browser
from tests.support.counters import office, serve
from tests.support.ledgers import desk, make_desk, new_ledger
from tests.support.pages import make_pages, pages
from tests.support.postgres import postgres
from tests.support.smtp import faulty

__all__ = [
    "axe",
    "browser",
    "desk",
    "faulty",
    "make_desk",
    "make_pages",
    "new_ledger",
    "office",
    "pages",
    "postgres",
    "serve",
]
