"""What the review knows of a page's body, which page has it, and where the redirects of a run lead.

Side: pre (before the code): two new tables, and a new column that the old code leaves NULL.
Note: docs/migrations/0006.md

Revision: 0006, after: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "body_facts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("facts_hash", sa.LargeBinary(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("octet_length(facts_hash) = 32", name=op.f("ck_body_facts_facts_hash_length")),
        sa.CheckConstraint("facts ->> 'version' LIKE 'facts/_%'", name=op.f("ck_body_facts_facts_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_body_facts")),
        sa.UniqueConstraint("facts_hash", name=op.f("uq_body_facts_facts_hash")),
    )
    op.create_table(
        "run_redirects",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=False),
        sa.Column("sample_page_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('hop', 'chain')", name=op.f("ck_run_redirects_kind")),
        sa.CheckConstraint("pages > 0", name=op.f("ck_run_redirects_pages")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_redirects_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "kind", "source", "target", name=op.f("pk_run_redirects")),
    )
    # Without a default: no partition is rewritten, however many visits it holds.
    op.add_column("visits", sa.Column("facts_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("visits", "facts_id")
    op.drop_table("run_redirects")
    op.drop_table("body_facts")
