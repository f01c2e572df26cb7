"""Runs: one pass over one site for one slot. (site, slot) is the idempotency key of all scheduling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    select,
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


def create_run(
    *, site_id: int, slot: datetime, definition: Mapping[str, Any], requested_by: str, reason: str
) -> TextClause:
    """Create the run of a slot and return its id; no row when somebody was first, which is no error."""
    return text(
        """
        INSERT INTO runs (site_id, slot, definition, requested_by, reason)
        VALUES (:site_id, :slot, CAST(:definition AS jsonb), :requested_by, :reason)
        ON CONFLICT (site_id, slot) DO NOTHING
        RETURNING id
        """
    ).bindparams(
        site_id=site_id,
        slot=slot,
        definition=json.dumps(definition),
        requested_by=requested_by,
        reason=reason,
    )


def create_runs(slots: Sequence[tuple[int, datetime]], *, requested_by: str, reason: str) -> TextClause:
    """Create the runs of many (site, slot), each with its site's definition of now; only the new ones come back."""
    return text(
        """
        INSERT INTO runs (site_id, slot, definition, requested_by, reason)
        SELECT sites.id, given.slot, sites.definition, :requested_by, :reason
        FROM unnest(CAST(:site_ids AS bigint[]), CAST(:slots AS timestamptz[])) AS given (site_id, slot)
        JOIN sites ON sites.id = given.site_id
        ORDER BY sites.id, given.slot
        ON CONFLICT (site_id, slot) DO NOTHING
        RETURNING id, site_id, slot
        """
    ).bindparams(
        site_ids=[site_id for site_id, _ in slots],
        slots=[slot for _, slot in slots],
        requested_by=requested_by,
        reason=reason,
    )


def run_of_slot(site_id: int, slot: datetime) -> Select[Any]:
    """The id of the run of a slot. Plan: uq_runs_site_id_slot."""
    return select(runs.c.id).where(runs.c.site_id == site_id, runs.c.slot == slot)


def open_runs_of(site_ids: Sequence[int]) -> TextClause:
    """The runs of these sites that have not ended. Plan: ix_runs_open."""
    return text(
        """
        SELECT id, site_id, slot FROM runs
        WHERE state IN ('planned', 'running') AND site_id = ANY(CAST(:site_ids AS bigint[]))
        """
    ).bindparams(site_ids=list(site_ids))
