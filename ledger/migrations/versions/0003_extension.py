"""Sections ask for more time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.types import UTC_

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of requests."""
    op.create_table(
        "extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("obligation_id", sa.Integer(), nullable=False),
        sa.Column("at", UTC_(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("wished", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("decided_at", UTC_(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("granted", UTC_(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["obligation_id"],
            ["obligation.id"],
            name=op.f("fk_extension_obligation_id_obligation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    op.create_index("ix_extension_obligation_id", "extension", ["obligation_id"], unique=False)
