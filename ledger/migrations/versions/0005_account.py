"""People of the office sign in to the pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.types import UTC_

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table of accounts."""
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC_(), nullable=False),
        sa.Column("disabled_at", UTC_(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
