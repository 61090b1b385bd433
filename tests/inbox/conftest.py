from __future__ import annotations

from tests.support.dovecot import dovecot
from tests.support.inboxes import inbox, make_inbox
from tests.support.ledgers import desk, make_desk, new_ledger
from tests.support.postfix import postfix
from tests.support.postgres import postgres

__all__ = [
    "desk",
    "dovecot",
    "inbox",
    "make_desk",
    "make_inbox",
    "new_ledger",
    "postfix",
    "postgres",
]
