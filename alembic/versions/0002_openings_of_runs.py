"""When a run may be worked on: its opening.

Side: pre (before the code): two new columns that the old code leaves alone; all runs that are there keep going.
Note: docs/migrations/0002.md

Revision: 0002, after: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Neither rewrites the table: now() is evaluated once, for all rows that are there.
    op.add_column(
        "runs",
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
    )
    op.add_column("runs", sa.Column("not_after", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "not_after")
    op.drop_column("runs", "not_before")
