"""Nonces that came more than once in a run, or in runs before it.

Side: pre (before the code): a new table that the old code leaves alone.
Note: docs/migrations/0011.md

Revision: 0011, after: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_nonces",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("nonces", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("sample_page_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('run', 'runs')", name=op.f("ck_run_nonces_kind")),
        sa.CheckConstraint(
            "nonces > 0 AND pages >= nonces AND before >= 0 AND most > 1", name=op.f("ck_run_nonces_counts")
        ),
        sa.CheckConstraint(
            "cardinality(sample_page_ids) BETWEEN 1 AND 2", name=op.f("ck_run_nonces_samples")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_nonces_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "kind", "cached", name=op.f("pk_run_nonces")),
    )


def downgrade() -> None:
    op.drop_table("run_nonces")
