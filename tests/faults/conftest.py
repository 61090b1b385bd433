from __future__ import annotations

from tests.support.ledgers import desk, make_desk, new_ledger
from tests.support.nodes import node_settings, start_node
from tests.support.smtp import faulty, make_faulty
from tests.support.strict_postfix import start_postfix

__all__ = [
    "desk",
    "faulty",
    "make_desk",
    "make_faulty",
    "new_ledger",
    "node_settings",
    "start_node",
    "start_postfix",
]
