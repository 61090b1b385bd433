"""Letters that are due, and what they mention, are found among ten thousand of the same morning.

All are due at the same instant, so that their order is that of their numbers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the indexes of what waits anew, with the letters' numbers in them."""
    waiting = sa.text("due_at IS NOT NULL")
    op.drop_index("ix_letter_due_at", "letter")
    op.create_index(
        "ix_letter_due_at_id",
        "letter",
        ["due_at", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    queued = sa.text("state = 'queued'")
    op.drop_index("ix_mention_queued", "mention")
    op.create_index(
        "ix_mention_queued_letter_id",
        "mention",
        ["letter_id"],
        sqlite_where=queued,
        postgresql_where=queued,
    )
