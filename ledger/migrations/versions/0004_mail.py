"""Mail that was read, and addresses whose letters came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.types import UTC_

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=320), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("arrived_at", UTC_(), nullable=False),
        sa.Column("read_at", UTC_(), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=True),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("letter_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=True),
        sa.Column("decided_at", UTC_(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_mail_plan_id_plan")),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["letter.id"], name=op.f("fk_mail_letter_id_letter")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint(
            "account", "uidvalidity", "uid", name=op.f("uq_mail_account_uidvalidity_uid")
        ),
    )
    op.create_index("ix_mail_sha256", "mail", ["sha256"], unique=False)
    op.create_index("ix_mail_letter_id", "mail", ["letter_id"], unique=False)
    undecided = sa.text("state = 'open'")
    op.create_index(
        "ix_mail_open",
        "mail",
        ["id"],
        unique=False,
        sqlite_where=undecided,
        postgresql_where=undecided,
    )
    op.create_table(
        "returned_address",
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("since", UTC_(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["letter.id"], name=op.f("fk_returned_address_letter_id_letter")
        ),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_returned_address")),
    )
