"""Active probes: what is asked beyond the pages of a run because its site wants it, and what was answered.

Side: pre (before the code): a new table that the old code leaves alone.
Note: docs/migrations/0008.md

Revision: 0008, after: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "probes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("origin_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "planted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "not_before",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gap", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=True),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'answered', 'failed')", name=op.f("ck_probes_state")),
        sa.CheckConstraint("kind ~ '^[a-z][a-z_]{0,39}$'", name=op.f("ck_probes_kind")),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 2100", name=op.f("ck_probes_key_length")),
        sa.CheckConstraint(
            "step >= 1 AND gap >= 0 AND attempts BETWEEN 0 AND 3", name=op.f("ck_probes_counters")
        ),
        sa.CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name=op.f("ck_probes_lease")),
        sa.CheckConstraint(
            "state = 'waiting' OR lease_owner IS NULL", name=op.f("ck_probes_ended_has_no_lease")
        ),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_probes_ended_has_time")),
        sa.CheckConstraint(
            "(state = 'answered') = (status IS NOT NULL AND raw IS NOT NULL)",
            name=op.f("ck_probes_answered_has_answer"),
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (error IS NOT NULL)", name=op.f("ck_probes_failed_has_error")
        ),
        sa.CheckConstraint("length(error) <= 200", name=op.f("ck_probes_error_length")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_probes_run_id_runs")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_probes_site_id_sites")),
        sa.ForeignKeyConstraint(["origin_id"], ["origins.id"], name=op.f("fk_probes_origin_id_origins")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probes")),
        sa.UniqueConstraint("run_id", "kind", "key", "step", name=op.f("uq_probes_run_id_kind_key_step")),
    )
    op.create_index(
        "uq_probes_one_at_an_origin",
        "probes",
        ["origin_id"],
        unique=True,
        postgresql_where=sa.text("lease_owner IS NOT NULL"),
    )
    op.create_index("ix_probes_waiting", "probes", ["id"], postgresql_where=sa.text("state = 'waiting'"))


def downgrade() -> None:
    op.drop_table("probes")
