"""The header sets of each run, and what the review says of them.

Side: pre (before the code): three new tables that the old code leaves alone.
Note: docs/migrations/0005.md

Revision: 0005, after: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CLASSES = "'document', 'redirect', 'api', 'script', 'static', 'error', 'blocked'"


def upgrade() -> None:
    op.create_table(
        "run_sets",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("facts_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("sample_page_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint("scheme IN ('http', 'https')", name=op.f("ck_run_sets_scheme")),
        sa.CheckConstraint("pages > 0", name=op.f("ck_run_sets_pages")),
        sa.CheckConstraint("cardinality(sample_page_ids) BETWEEN 1 AND 3", name=op.f("ck_run_sets_samples")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_sets_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_run_sets_snapshot_id_snapshots")
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "snapshot_id", "status", "scheme", "facts_id", name=op.f("pk_run_sets")
        ),
    )
    op.create_table(
        "judgements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("facts_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("response_class", sa.Text(), nullable=False),
        sa.CheckConstraint("scheme IN ('http', 'https')", name=op.f("ck_judgements_scheme")),
        sa.CheckConstraint(f"response_class IN ({CLASSES})", name=op.f("ck_judgements_response_class")),
        sa.CheckConstraint("rules_version >= 1", name=op.f("ck_judgements_rules_version")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_judgements_snapshot_id_snapshots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
        sa.UniqueConstraint(
            "snapshot_id",
            "status",
            "scheme",
            "facts_id",
            "rules_version",
            name=op.f("uq_judgements_snapshot_id_status_scheme_facts_id_rules_version"),
        ),
    )
    op.create_table(
        "findings",
        sa.Column("judgement_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "severity IN ('info', 'low', 'medium', 'high')", name=op.f("ck_findings_severity")
        ),
        sa.CheckConstraint("ordinal >= 1", name=op.f("ck_findings_ordinal")),
        sa.CheckConstraint("code LIKE '%_.%_'", name=op.f("ck_findings_code")),
        sa.ForeignKeyConstraint(
            ["judgement_id"], ["judgements.id"], name=op.f("fk_findings_judgement_id_judgements")
        ),
        sa.PrimaryKeyConstraint("judgement_id", "ordinal", name=op.f("pk_findings")),
    )
    op.create_index("ix_findings_code", "findings", ["code"])


def downgrade() -> None:
    op.drop_table("findings")
    op.drop_table("judgements")
    op.drop_table("run_sets")
