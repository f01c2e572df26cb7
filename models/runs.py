"""Runs: one pass over one site for one slot. (site, slot) is the idempotency key of all scheduling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

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
from models.metadata import KEEPS, metadata

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
    # Worked on only in [not_before, not_after): splay and the site's window. NULL: it waits for earlier runs of the
    # site; no end: no window.
    Column("not_before", UTC_TIME, server_default=text("now()")),
    Column("not_after", UTC_TIME),
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
    Index(
        "ix_runs_queued",
        "site_id",
        "id",
        postgresql_where=text("state IN ('planned', 'running') AND not_before IS NULL"),
    ),
    Index(
        "ix_runs_windowed",
        "not_after",
        postgresql_where=text("state IN ('planned', 'running') AND not_after IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": "70"},
    info={
        KEEPS: "One pass over one site for one slot: its state, its definition, its accounting and its digest. (site, slot) is unique."
    },
)


def create_run(  # noqa: PLR0913 - the columns of a run
    *,
    site_id: int,
    slot: datetime,
    definition: Mapping[str, Any],
    requested_by: str,
    reason: str,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> TextClause:
    """Create the run of a slot and return its id; no row when somebody was first, which is no error."""
    return text(
        """
        INSERT INTO runs (site_id, slot, definition, requested_by, reason, not_before, not_after)
        VALUES (:site_id, :slot, CAST(:definition AS jsonb), :requested_by, :reason,
                coalesce(CAST(:not_before AS timestamptz), now()), CAST(:not_after AS timestamptz))
        ON CONFLICT (site_id, slot) DO NOTHING
        RETURNING id
        """
    ).bindparams(
        site_id=site_id,
        slot=slot,
        definition=json.dumps(definition),
        requested_by=requested_by,
        reason=reason,
        not_before=not_before,
        not_after=not_after,
    )


class NewRun(NamedTuple):
    """A slot of a site, and when its run may be worked on; without ``not_before`` it waits for earlier runs."""

    site_id: int
    slot: datetime
    not_before: datetime | None
    not_after: datetime | None


def create_runs(new: Sequence[NewRun], *, requested_by: str, reason: str) -> TextClause:
    """Create the runs of many (site, slot), each with its site's definition of now; only the new ones come back.

    Of one site, an earlier slot gets a smaller id: runs wait for those with smaller ids.
    """
    columns = list(zip(*new, strict=True)) or [(), (), (), ()]
    return text(
        """
        INSERT INTO runs (site_id, slot, definition, requested_by, reason, not_before, not_after)
        SELECT sites.id, given.slot, sites.definition, :requested_by, :reason, given.not_before, given.not_after
        FROM unnest(CAST(:site_ids AS bigint[]), CAST(:slots AS timestamptz[]), CAST(:not_befores AS timestamptz[]),
                    CAST(:not_afters AS timestamptz[])) AS given (site_id, slot, not_before, not_after)
        JOIN sites ON sites.id = given.site_id
        ORDER BY sites.id, given.slot
        ON CONFLICT (site_id, slot) DO NOTHING
        RETURNING id, site_id, slot, not_before
        """
    ).bindparams(
        site_ids=list(columns[0]),
        slots=list(columns[1]),
        not_befores=list(columns[2]),
        not_afters=list(columns[3]),
        requested_by=requested_by,
        reason=reason,
    )


def run_of_slot(site_id: int, slot: datetime) -> Select[Any]:
    """The id of the run of a slot. Plan: uq_runs_site_id_slot."""
    return select(runs.c.id).where(runs.c.site_id == site_id, runs.c.slot == slot)


def open_runs_of(site_ids: Sequence[int]) -> TextClause:
    """The runs of these sites that have not ended. Plan: ix_runs_open, or uq_runs_site_id_slot."""
    return text(
        """
        SELECT id, site_id, slot FROM runs
        WHERE state IN ('planned', 'running') AND site_id = ANY(CAST(:site_ids AS bigint[]))
        """
    ).bindparams(site_ids=list(site_ids))


def released() -> TextClause:
    """The runs that wait for earlier runs of their site which have all ended, locked, or skipped. Plan: ix_runs_queued."""
    return text("""
        SELECT q.id, q.slot, q.definition FROM runs q
        WHERE q.state IN ('planned', 'running') AND q.not_before IS NULL
          AND NOT EXISTS (SELECT FROM runs b WHERE b.site_id = q.site_id AND b.id < q.id
                          AND b.state IN ('planned', 'running'))
        ORDER BY q.id LIMIT :limit
        FOR NO KEY UPDATE OF q SKIP LOCKED
    """)


def overtaken() -> TextClause:
    """A run that a later run of its site waits for, whose policy is to cancel it; locked. Plan: ix_runs_queued."""
    return text("""
        WITH queued AS MATERIALIZED (
            SELECT site_id, max(id) AS id FROM runs
            WHERE state IN ('planned', 'running') AND not_before IS NULL AND definition ->> 'overlap' = 'cancel'
            GROUP BY site_id
        )
        SELECT b.id FROM queued q
        JOIN runs b ON b.site_id = q.site_id AND b.id < q.id AND b.state IN ('planned', 'running')
        ORDER BY b.id LIMIT 1
        FOR NO KEY UPDATE OF b SKIP LOCKED
    """)


def out_of_window() -> TextClause:
    """The open runs whose window closed by :now, locked, or skipped while somebody commits. Plan: ix_runs_windowed."""
    return text("""
        SELECT id, definition FROM runs
        WHERE state IN ('planned', 'running') AND not_after <= :now
        ORDER BY id LIMIT :limit
        FOR NO KEY UPDATE SKIP LOCKED
    """)


def set_opening() -> TextClause:
    """Set when the runs :ids may be worked on: in [:not_befores, :not_afters). Plan: pk_runs."""
    return text("""
        UPDATE runs r SET not_before = x.not_before, not_after = x.not_after
        FROM unnest(CAST(:ids AS bigint[]), CAST(:not_befores AS timestamptz[]), CAST(:not_afters AS timestamptz[]))
             AS x(id, not_before, not_after)
        WHERE r.id = x.id
    """)


def lock() -> TextClause:
    """Lock the runs :ids in the one order that everybody uses, before any shard is locked. Plan: pk_runs.

    ``rests`` tells that a run is outside of its window, so that whoever works on it stops there.
    """
    return text("""
        SELECT id, site_id, state, planned_pages, definition,
               NOT coalesce(not_before <= clock_timestamp() AND coalesce(not_after > clock_timestamp(), true), false)
                   AS rests
        FROM runs
        WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE
    """)


def load() -> TextClause:
    """What a crawl must know of the runs :ids. Plan: pk_runs."""
    return text("""
        SELECT r.id, r.site_id, r.state, r.generation, r.definition, r.slot, s.name AS site_name
        FROM runs r JOIN sites s ON s.id = r.site_id WHERE r.id = ANY(CAST(:ids AS bigint[]))
    """)


def start() -> TextClause:
    """The planned runs :ids are being worked on from now; returns those for which this is news. Plan: pk_runs."""
    return text("""
        UPDATE runs SET state = 'running', started_at = coalesce(started_at, clock_timestamp())
        WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'planned'
        RETURNING id
    """)


def count_planned() -> TextClause:
    """Count :counts more in-scope pages for the runs :ids, against their page limits. Plan: pk_runs."""
    return text("""
        UPDATE runs r SET planned_pages = r.planned_pages + c.n
        FROM unnest(CAST(:ids AS bigint[]), CAST(:counts AS bigint[])) AS c(id, n)
        WHERE r.id = c.id
    """)


def finishable() -> TextClause:
    """The runs that have no shard with work left and wait to be closed. Plan: ix_runs_open, ix_shards_open."""
    return text("""
        SELECT r.id FROM runs r
        WHERE r.state IN ('planned', 'running')
          AND NOT EXISTS (SELECT FROM shards s WHERE s.run_id = r.id AND s.state = 'open')
        ORDER BY r.id LIMIT :limit
    """)


def lock_one() -> TextClause:
    """Lock run :id and tell all about it. Plan: pk_runs."""
    return text("""
        SELECT r.*, s.name AS site_name FROM runs r JOIN sites s ON s.id = r.site_id WHERE r.id = :id
        FOR NO KEY UPDATE OF r
    """)


def previous() -> TextClause:
    """The last closed run of site :site_id before run :id, and whether a later one is closed already."""
    return text("""
        SELECT max(id) FILTER (WHERE id < :id) AS previous, count(*) FILTER (WHERE id > :id) AS later
        FROM runs WHERE site_id = :site_id AND digest IS NOT NULL
    """)


def close() -> TextClause:
    """Move run :id to its final state with its accounting and digest; zero rows mean that somebody else was first."""
    return text("""
        UPDATE runs SET state = :state, finished_at = clock_timestamp(),
               started_at = coalesce(started_at, clock_timestamp()),
               discovered = :discovered, stored = :stored, robots_denied = :robots_denied,
               robots_unreachable = :robots_unreachable, out_of_scope = :out_of_scope, trapped = :trapped,
               failed = :failed, skipped_limit = :skipped_limit, unvisited = :unvisited,
               snapshots = :snapshots, new_snapshots = :new_snapshots, changed_pages = :changed_pages,
               digest = :digest
        WHERE id = :id AND state IN ('planned', 'running')
        RETURNING id, slot, started_at, finished_at, generation,
                  round(extract(epoch FROM finished_at - started_at) * 1000)::bigint AS duration_ms
    """)


def reopen() -> TextClause:
    """Take run :id back from a final state, as a new generation of the same run. Plan: pk_runs."""
    return text("""
        UPDATE runs SET state = 'running', finished_at = NULL, digest = NULL, generation = generation + 1,
               started_at = coalesce(started_at, clock_timestamp())
        WHERE id = :id AND state NOT IN ('planned', 'running')
        RETURNING id, generation
    """)


def newest() -> TextClause:
    """The newest run id. Plan: pk_runs."""
    return text("SELECT max(id) FROM runs")


def slots() -> TextClause:
    """When the runs :ids were due. Plan: pk_runs."""
    return text("SELECT id, slot FROM runs WHERE id = ANY(CAST(:ids AS bigint[]))")
