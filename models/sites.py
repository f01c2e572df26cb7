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
