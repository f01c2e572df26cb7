"""Baselines: of each site the run whose state somebody approved, who that was, why, and until which day."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Table,
    Text,
    TextClause,
    text,
)

from models.columns import UTC_TIME, identity
from models.metadata import KEEPS, metadata

baselines = Table(
    "baselines",
    metadata,
    identity(),
    Column("site_id", BigInteger, ForeignKey("sites.id"), nullable=False, unique=True),
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("approved_at", UTC_TIME, nullable=False, server_default=text("clock_timestamp()")),
    # The last day on which it holds, in UTC.
    Column("expires", Date, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rollback_note", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    CheckConstraint("owner <> '' AND reason <> '' AND rollback_note <> ''", name="explained"),
    Index("ix_baselines_run_id", "run_id"),
    info={
        KEEPS: "The run of each site whose state somebody approved, with owner, reason, last day and rollback note."
    },
)


def approve() -> TextClause:
    """Make run :run_id the baseline of its site :site_id. No row comes back where it is that already, in all respects."""
    return text("""
        INSERT INTO baselines AS b (site_id, run_id, expires, owner, reason, rollback_note, approved_by)
        VALUES (:site_id, :run_id, :expires, :owner, :reason, :rollback_note, :approved_by)
        ON CONFLICT (site_id) DO UPDATE SET
            run_id = excluded.run_id, expires = excluded.expires, owner = excluded.owner, reason = excluded.reason,
            rollback_note = excluded.rollback_note, approved_by = excluded.approved_by,
            approved_at = clock_timestamp()
        WHERE (b.run_id, b.expires, b.owner, b.reason, b.rollback_note)
              IS DISTINCT FROM (excluded.run_id, excluded.expires, excluded.owner, excluded.reason, excluded.rollback_note)
        RETURNING id
    """)


def of_site() -> TextClause:
    """The baseline of site :site_id, or no row. Plan: uq_baselines_site_id."""
    return text("SELECT * FROM baselines WHERE site_id = :site_id")


def of_all() -> TextClause:
    """Every baseline with the name of its site, by name."""
    return text(
        "SELECT b.*, s.name AS site FROM baselines b JOIN sites s ON s.id = b.site_id ORDER BY s.name"
    )


def drop() -> TextClause:
    """Forget the baseline of site :site_id; returns its run. Plan: uq_baselines_site_id."""
    return text("DELETE FROM baselines WHERE site_id = :site_id RETURNING run_id")


def newest_judged() -> TextClause:
    """The run of the latest slot of site :site_id that was swept to its end. Plan: uq_runs_site_id_slot."""
    return text("""
        SELECT id FROM runs WHERE site_id = :site_id AND state IN ('finished', 'partial')
        ORDER BY slot DESC LIMIT 1
    """)
