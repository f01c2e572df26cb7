"""The first tables.

Side: pre (before the code): there is nothing to migrate yet.
Note: docs/migrations/0001.md

Revision: 0001, after: none
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "control",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("changed_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_control_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control")),
    )
    op.create_table(
        "frontier",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("page_id", sa.BigInteger(), nullable=False),
        sa.Column("shard_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("seq >= 1 AND depth >= 0", name=op.f("ck_frontier_positive")),
        sa.PrimaryKeyConstraint("run_id", "page_id", name=op.f("pk_frontier")),
        sa.UniqueConstraint("shard_id", "seq", "run_id", name=op.f("uq_frontier_shard_id_seq_run_id")),
        postgresql_partition_by="RANGE (run_id)",
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.CheckConstraint("kind IN ('worker', 'beat', 'tick')", name=op.f("ck_heartbeats_kind")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "origins",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "next_request_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "blocked_until", sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False
        ),
        sa.Column("robots_fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("robots_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("robots_status", sa.SmallInteger(), nullable=True),
        sa.Column("backoff_level", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("robots_failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("robots_text", sa.Text(), nullable=True),
        sa.CheckConstraint("scheme IN ('http', 'https')", name=op.f("ck_origins_scheme")),
        sa.CheckConstraint("backoff_level BETWEEN 0 AND 20", name=op.f("ck_origins_backoff_level")),
        sa.CheckConstraint(
            "host = lower(host) AND length(host) BETWEEN 1 AND 255", name=op.f("ck_origins_host")
        ),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name=op.f("ck_origins_port")),
        sa.CheckConstraint("rate IS NULL OR rate >= 0", name=op.f("ck_origins_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_origins")),
        sa.UniqueConstraint("scheme", "host", "port", name=op.f("uq_origins_scheme_host_port")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
    )
    op.create_index(
        "ix_outbox_waiting", "outbox", ["id"], unique=False, postgresql_where=sa.text("emitted_at IS NULL")
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("next_slot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("source IN ('file', 'adhoc')", name=op.f("ck_sites_source")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_sites_name_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    op.create_index(
        "ix_sites_due",
        "sites",
        ["next_slot_at"],
        unique=False,
        postgresql_where=sa.text("enabled AND next_slot_at IS NOT NULL"),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("canonical LIKE 'headers/_%%'", name=op.f("ck_snapshots_canonical_version")),
        sa.CheckConstraint("octet_length(content_hash) = 32", name=op.f("ck_snapshots_content_hash_length")),
        sa.CheckConstraint("octet_length(raw) <= 262144", name=op.f("ck_snapshots_raw_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_snapshots_content_hash")),
    )
    op.create_table(
        "visits",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("page_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=True),
        sa.Column("target_page_id", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=True),
        sa.Column("age_s", sa.Integer(), nullable=True),
        sa.Column("date_offset_s", sa.Integer(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("malformed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unverified_tls", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("nonce_digest", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 1) = (snapshot_id IS NOT NULL)", name=op.f("ck_visits_stored_has_snapshot")
        ),
        sa.CheckConstraint("(outcome = 1) = (status IS NOT NULL)", name=op.f("ck_visits_stored_has_status")),
        sa.CheckConstraint("length(error) <= 200", name=op.f("ck_visits_error_length")),
        sa.CheckConstraint(
            "nonce_digest IS NULL OR octet_length(nonce_digest) = 8",
            name=op.f("ck_visits_nonce_digest_length"),
        ),
        sa.CheckConstraint("outcome <> 6 OR error IS NOT NULL", name=op.f("ck_visits_failed_has_error")),
        sa.CheckConstraint("outcome IN (1, 2, 3, 4, 5, 6, 7)", name=op.f("ck_visits_outcome")),
        sa.PrimaryKeyConstraint("run_id", "page_id", name=op.f("pk_visits")),
        postgresql_partition_by="RANGE (run_id)",
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("url_key", sa.LargeBinary(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.CheckConstraint("length(url) <= 2048", name=op.f("ck_pages_url_length")),
        sa.CheckConstraint("octet_length(url_key) = 16", name=op.f("ck_pages_url_key_length")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_pages_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        sa.UniqueConstraint("site_id", "url_key", name=op.f("uq_pages_site_id_url_key")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned_pages", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("discovered", sa.BigInteger(), nullable=True),
        sa.Column("stored", sa.BigInteger(), nullable=True),
        sa.Column("robots_denied", sa.BigInteger(), nullable=True),
        sa.Column("robots_unreachable", sa.BigInteger(), nullable=True),
        sa.Column("out_of_scope", sa.BigInteger(), nullable=True),
        sa.Column("trapped", sa.BigInteger(), nullable=True),
        sa.Column("failed", sa.BigInteger(), nullable=True),
        sa.Column("skipped_limit", sa.BigInteger(), nullable=True),
        sa.Column("unvisited", sa.BigInteger(), nullable=True),
        sa.Column("new_snapshots", sa.BigInteger(), nullable=True),
        sa.Column("snapshots", sa.BigInteger(), nullable=True),
        sa.Column("changed_pages", sa.BigInteger(), nullable=True),
        sa.Column("generation", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'planned'"), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'failed', 'finished', 'partial')) = (digest IS NOT NULL)",
            name=op.f("ck_runs_final_has_digest"),
        ),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'failed', 'finished', 'partial')) = (finished_at IS NOT NULL)",
            name=op.f("ck_runs_final_has_time"),
        ),
        sa.CheckConstraint(
            "state <> 'running' OR started_at IS NOT NULL", name=op.f("ck_runs_running_has_start")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'running', 'finished', 'partial', 'failed', 'cancelled')",
            name=op.f("ck_runs_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('cancelled', 'failed', 'finished', 'partial') OR coalesce(discovered = stored + robots_denied + robots_unreachable + out_of_scope + trapped + failed + skipped_limit + unvisited, false)",
            name=op.f("ck_runs_accounting_adds_up"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('cancelled', 'failed', 'finished', 'partial') OR state = 'cancelled' OR unvisited = 0",
            name=op.f("ck_runs_nothing_left"),
        ),
        sa.CheckConstraint("digest IS NULL OR octet_length(digest) = 32", name=op.f("ck_runs_digest_length")),
        sa.CheckConstraint("generation >= 1", name=op.f("ck_runs_generation")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_runs_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("site_id", "slot", name=op.f("uq_runs_site_id_slot")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_runs_open",
        "runs",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('planned', 'running')"),
    )
    op.create_table(
        "site_masks",
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("header_name", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("distinct_values", sa.Integer(), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.CheckConstraint("header_name = lower(header_name)", name=op.f("ck_site_masks_lower_case")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_masks_site_id_sites")),
        sa.PrimaryKeyConstraint("site_id", "header_name", name=op.f("pk_site_masks")),
    )
    op.create_table(
        "shards",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("origin_id", sa.BigInteger(), nullable=False),
        sa.Column("known_upto", sa.BigInteger(), nullable=True),
        sa.Column("visited", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("top", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done_upto", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("suspect_page_id", sa.BigInteger(), nullable=True),
        sa.Column("ordinal", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lost_leases", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.CheckConstraint("state = 'open' OR done_upto = top", name=op.f("ck_shards_done_has_no_rest")),
        sa.CheckConstraint("state IN ('open', 'done')", name=op.f("ck_shards_state")),
        sa.CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name=op.f("ck_shards_lease")),
        sa.CheckConstraint("done_upto BETWEEN 0 AND top", name=op.f("ck_shards_done_upto")),
        sa.CheckConstraint("ordinal >= 0 AND lost_leases >= 0", name=op.f("ck_shards_counters")),
        sa.ForeignKeyConstraint(["origin_id"], ["origins.id"], name=op.f("fk_shards_origin_id_origins")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_shards_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shards")),
        sa.UniqueConstraint(
            "run_id", "origin_id", "ordinal", name=op.f("uq_shards_run_id_origin_id_ordinal")
        ),
        postgresql_with={"fillfactor": "50", "autovacuum_vacuum_scale_factor": "0.01"},
    )
    op.create_index(
        "ix_shards_open", "shards", ["run_id", "id"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "site_snapshots",
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("first_run_id", sa.BigInteger(), nullable=False),
        sa.Column("last_run_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("first_run_id <= last_run_id", name=op.f("ck_site_snapshots_order")),
        sa.ForeignKeyConstraint(
            ["first_run_id"], ["runs.id"], name=op.f("fk_site_snapshots_first_run_id_runs")
        ),
        sa.ForeignKeyConstraint(
            ["last_run_id"], ["runs.id"], name=op.f("fk_site_snapshots_last_run_id_runs")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_snapshots_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_site_snapshots_snapshot_id_snapshots")
        ),
        sa.PrimaryKeyConstraint("site_id", "snapshot_id", name=op.f("pk_site_snapshots")),
    )
    op.create_table(
        "spans",
        sa.Column("page_id", sa.BigInteger(), nullable=False),
        sa.Column("first_run_id", sa.BigInteger(), nullable=False),
        sa.Column("last_run_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("last_run_id IS NULL OR first_run_id <= last_run_id", name=op.f("ck_spans_order")),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("fk_spans_page_id_pages")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_spans_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_spans_snapshot_id_snapshots")
        ),
        sa.PrimaryKeyConstraint("page_id", "first_run_id", name=op.f("pk_spans")),
    )
    op.create_index(
        "uq_spans_open",
        "spans",
        ["site_id", "page_id"],
        unique=True,
        postgresql_where=sa.text("last_run_id IS NULL"),
    )
    op.create_table(
        "retries",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("page_id", sa.BigInteger(), nullable=False),
        sa.Column("shard_id", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.CheckConstraint("attempts BETWEEN 0 AND 100", name=op.f("ck_retries_attempts")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_retries_run_id_runs")),
        sa.ForeignKeyConstraint(["shard_id"], ["shards.id"], name=op.f("fk_retries_shard_id_shards")),
        sa.PrimaryKeyConstraint("run_id", "page_id", name=op.f("pk_retries")),
    )
    op.create_index("ix_retries_shard_id_not_before", "retries", ["shard_id", "not_before"], unique=False)
    op.create_table(
        "sitemaps",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("url_key", sa.LargeBinary(), nullable=False),
        sa.Column("shard_id", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("depth", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("length(url) <= 2048", name=op.f("ck_sitemaps_url_length")),
        sa.CheckConstraint("octet_length(url_key) = 16", name=op.f("ck_sitemaps_url_key_length")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_sitemaps_run_id_runs")),
        sa.ForeignKeyConstraint(["shard_id"], ["shards.id"], name=op.f("fk_sitemaps_shard_id_shards")),
        sa.PrimaryKeyConstraint("run_id", "url_key", name=op.f("pk_sitemaps")),
    )
    op.create_index(
        "ix_sitemaps_open",
        "sitemaps",
        ["shard_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.execute("INSERT INTO control (id) VALUES (1)")


def downgrade() -> None:
    op.drop_index("ix_sitemaps_open", table_name="sitemaps", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_table("sitemaps")
    op.drop_index("ix_retries_shard_id_not_before", table_name="retries")
    op.drop_table("retries")
    op.drop_index("uq_spans_open", table_name="spans", postgresql_where=sa.text("last_run_id IS NULL"))
    op.drop_table("spans")
    op.drop_table("site_snapshots")
    op.drop_index("ix_shards_open", table_name="shards", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("shards")
    op.drop_table("site_masks")
    op.drop_index(
        "ix_runs_open", table_name="runs", postgresql_where=sa.text("state IN ('planned', 'running')")
    )
    op.drop_table("runs")
    op.drop_table("pages")
    op.drop_table("visits")
    op.drop_table("snapshots")
    op.drop_index(
        "ix_sites_due", table_name="sites", postgresql_where=sa.text("enabled AND next_slot_at IS NOT NULL")
    )
    op.drop_table("sites")
    op.drop_index("ix_outbox_waiting", table_name="outbox", postgresql_where=sa.text("emitted_at IS NULL"))
    op.drop_table("outbox")
    op.drop_table("origins")
    op.drop_table("heartbeats")
    op.drop_table("frontier")
    op.drop_table("control")
