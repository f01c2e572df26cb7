"""Indexes on the few runs that wait, so that a tick need not read all open ones.

Side: pre (before the code): the new code is right without them, and only slower with tens of thousands of open runs.
Note: docs/migrations/0003.md

Revision: 0003, after: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = "state IN ('planned', 'running')"
INDEXES = (
    ("ix_runs_queued", f"(site_id, id) WHERE {OPEN} AND not_before IS NULL"),
    ("ix_runs_windowed", f"(not_after) WHERE {OPEN} AND not_after IS NOT NULL"),
)


def upgrade() -> None:
    # Concurrently, so that nobody who writes waits; a try that was broken off leaves an invalid index behind.
    with op.get_context().autocommit_block():
        for name, definition in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON runs {definition}")


def downgrade() -> None:
    # In one transaction: a concurrent drop that is broken off would leave an index that is there but not used.
    for name, _definition in reversed(INDEXES):
        op.drop_index(name, table_name="runs")
