"""Sites: what owners are responsible for, what was masked for them, and which snapshots they ever showed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    TextClause,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from models.columns import UTC_TIME, identity, one_of
from models.metadata import metadata

SOURCES = ("file", "adhoc")

sites = Table(
    "sites",
    metadata,
    identity(),
    Column("next_slot_at", UTC_TIME),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("updated_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("name", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("definition", JSONB, nullable=False),
    CheckConstraint("length(name) BETWEEN 1 AND 200", name="name_length"),
    one_of("source", SOURCES, "source"),
    Index("ix_sites_due", "next_slot_at", postgresql_where=text("enabled AND next_slot_at IS NOT NULL")),
)

site_masks = Table(
    "site_masks",
    metadata,
    Column("site_id", BigInteger, ForeignKey("sites.id"), primary_key=True),
    Column("header_name", Text, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("distinct_values", Integer, nullable=False),
    Column("responses", Integer, nullable=False),
    CheckConstraint("header_name = lower(header_name)", name="lower_case"),
)

site_snapshots = Table(
    "site_snapshots",
    metadata,
    Column("site_id", BigInteger, ForeignKey("sites.id"), primary_key=True),
    Column("snapshot_id", BigInteger, ForeignKey("snapshots.id"), primary_key=True),
    Column("first_run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("last_run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    CheckConstraint("first_run_id <= last_run_id", name="order"),
)


def masks() -> TextClause:
    """The header names that are masked for the sites :site_ids, and since which run. Plan: pk_site_masks."""
    return text("""
        SELECT site_id, header_name, run_id FROM site_masks WHERE site_id = ANY(CAST(:site_ids AS bigint[]))
    """)


def add_masks() -> TextClause:
    """Mask headers of a site from now on; known ones are left alone. Returns those that are new."""
    return text("""
        INSERT INTO site_masks (site_id, header_name, run_id, distinct_values, responses)
        SELECT x.* FROM unnest(CAST(:site_ids AS bigint[]), CAST(:names AS text[]), CAST(:run_ids AS bigint[]),
                               CAST(:distincts AS int[]), CAST(:responses AS int[]))
             AS x(site_id, header_name, run_id, distinct_values, responses)
        ORDER BY 1, 2
        ON CONFLICT (site_id, header_name) DO NOTHING
        RETURNING site_id, header_name, distinct_values, responses
    """)


def snapshots_of_site() -> TextClause:
    """Every snapshot that site :site_id ever showed, with its canonical text and bytes. Plan: pk_site_snapshots."""
    return text("""
        SELECT s.id, s.canonical, s.raw FROM site_snapshots x JOIN snapshots s ON s.id = x.snapshot_id
        WHERE x.site_id = :site_id
    """)


def keep_snapshots() -> TextClause:
    """Note that site :site_id showed the snapshots :snapshot_ids in run :run_id; returns which are new to it."""
    return text("""
        INSERT INTO site_snapshots (site_id, snapshot_id, first_run_id, last_run_id)
        SELECT :site_id, x.id, :run_id, :run_id FROM unnest(CAST(:snapshot_ids AS bigint[])) AS x(id)
        ORDER BY x.id
        ON CONFLICT (site_id, snapshot_id) DO UPDATE
        SET last_run_id = greatest(site_snapshots.last_run_id, excluded.last_run_id)
        RETURNING snapshot_id, first_run_id
    """)
