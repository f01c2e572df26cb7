"""Notes: copies of the records of changes.

Side: pre (before the code): a new table that the old code leaves alone.
Note: docs/migrations/0009.md

Revision: 0009, after: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_SAYS_ALL = (
    "NOT complete OR (btrim(title) <> '' AND btrim(owner) <> '' AND btrim(command) <> '' AND btrim(reason) <> ''"
    " AND btrim(metric) <> '' AND btrim(expected_result) <> '' AND btrim(actual_result) <> '' AND btrim(rollback) <> '')"
)
_SLUG = "slug ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*$'"


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("run_before", sa.BigInteger(), nullable=True),
        sa.Column("run_after", sa.BigInteger(), nullable=True),
        sa.Column(
            "stored_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("written", sa.Date(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("expected_result", sa.Text(), nullable=False),
        sa.Column("actual_result", sa.Text(), nullable=False),
        sa.Column("rollback", sa.Text(), nullable=False),
        sa.Column("files", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("stored_by", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('change', 'migration', 'baseline', 'waiver', 'sites', 'other')",
            name=op.f("ck_notes_kind"),
        ),
        sa.CheckConstraint(_SLUG, name=op.f("ck_notes_slug")),
        sa.CheckConstraint(_SAYS_ALL, name=op.f("ck_notes_says_all")),
        sa.CheckConstraint(
            "NOT complete OR kind = 'baseline' OR cardinality(files) > 0", name=op.f("ck_notes_names_files")
        ),
        sa.CheckConstraint("run_before <> run_after", name=op.f("ck_notes_two_runs")),
        sa.CheckConstraint("octet_length(content_hash) = 32", name=op.f("ck_notes_content_hash_length")),
        sa.CheckConstraint("octet_length(body) <= 262144", name=op.f("ck_notes_body_length")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_notes_site_id_sites")),
        sa.ForeignKeyConstraint(["run_before"], ["runs.id"], name=op.f("fk_notes_run_before_runs")),
        sa.ForeignKeyConstraint(["run_after"], ["runs.id"], name=op.f("fk_notes_run_after_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        sa.UniqueConstraint("slug", name=op.f("uq_notes_slug")),
    )
    op.create_index("ix_notes_site_id", "notes", ["site_id"])
    op.create_index("ix_notes_run_before", "notes", ["run_before"])
    op.create_index("ix_notes_run_after", "notes", ["run_after"])


def downgrade() -> None:
    op.drop_table("notes")
