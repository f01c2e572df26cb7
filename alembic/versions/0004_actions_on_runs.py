"""What operators did to runs: who, when and why.

Side: pre (before the code): a new table that the old code leaves alone.
Note: docs/migrations/0004.md

Revision: 0004, after: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_actions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("made_run_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint(
            "action IN ('cancel', 'resume', 'rerun_failed', 'rerun')", name=op.f("ck_run_actions_action")
        ),
        sa.CheckConstraint("generation >= 1", name=op.f("ck_run_actions_generation")),
        sa.CheckConstraint(
            "(action = 'rerun') = (made_run_id IS NOT NULL)", name=op.f("ck_run_actions_rerun_made_a_run")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_actions_run_id_runs")),
        sa.ForeignKeyConstraint(["made_run_id"], ["runs.id"], name=op.f("fk_run_actions_made_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_actions")),
    )
    op.create_index(
        "uq_run_actions_once",
        "run_actions",
        [
            "run_id",
            "generation",
            "action",
            "asked_by",
            sa.text("md5(reason)"),
            sa.text("coalesce(made_run_id, 0)"),
        ],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("run_actions")
