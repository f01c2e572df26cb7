"""Runs: one pass over one site for one slot. (site, slot) is the idempotency key of all scheduling."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from headersweep.states import FINAL_STATES, RunState
from models.columns import UTC_TIME, identity, one_of
from models.metadata import metadata

_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL_STATES))

ACCOUNTS = (
    "stored",
    "robots_denied",
    "robots_unreachable",
    "out_of_scope",
    "trapped",
    "failed",
    "skipped_limit",
)
"""The named counts that add up to ``discovered`` in every run with a final state (``unvisited`` only if cancelled)."""

runs = Table(
    "runs",
    metadata,
    identity(),
    Column("site_id", BigInteger, ForeignKey("sites.id"), nullable=False),
    Column("slot", UTC_TIME, nullable=False),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("started_at", UTC_TIME),
    Column("finished_at", UTC_TIME),
    Column("planned_pages", BigInteger, nullable=False, server_default=text("0")),
    Column("discovered", BigInteger),
    *(Column(name, BigInteger) for name in ACCOUNTS),
    Column("unvisited", BigInteger),
    Column("new_snapshots", BigInteger),
    Column("snapshots", BigInteger),
    Column("changed_pages", BigInteger),
    Column("generation", Integer, nullable=False, server_default=text("1")),
    Column("state", Text, nullable=False, server_default=text(f"'{RunState.PLANNED}'")),
    Column("requested_by", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("digest", LargeBinary),
    Column("definition", JSONB, nullable=False),
    UniqueConstraint("site_id", "slot"),
    one_of("state", RunState, "state"),
    CheckConstraint(f"(state IN ({_FINAL})) = (finished_at IS NOT NULL)", name="final_has_time"),
    CheckConstraint(f"(state IN ({_FINAL})) = (digest IS NOT NULL)", name="final_has_digest"),
    CheckConstraint("digest IS NULL OR octet_length(digest) = 32", name="digest_length"),
    CheckConstraint("state <> 'running' OR started_at IS NOT NULL", name="running_has_start"),
    CheckConstraint(
        f"state NOT IN ({_FINAL}) OR coalesce(discovered = {' + '.join(ACCOUNTS)} + unvisited, false)",
        name="accounting_adds_up",
    ),
    CheckConstraint(f"state NOT IN ({_FINAL}) OR state = 'cancelled' OR unvisited = 0", name="nothing_left"),
    CheckConstraint("generation >= 1", name="generation"),
    Index("ix_runs_open", "id", postgresql_where=text("state IN ('planned', 'running')")),
    postgresql_with={"fillfactor": "70"},
)
