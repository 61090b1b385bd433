"""What one section owes is found without reading its whole plan."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the index of obligations by section."""
    op.create_index("ix_obligation_plan_id_section", "obligation", ["plan_id", "section"])
