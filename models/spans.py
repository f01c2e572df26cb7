"""Spans: from which run to which run a page answered with a snapshot. Kept for good; they grow only with changes."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, SmallInteger, Table, text

from models.metadata import metadata

spans = Table(
    "spans",
    metadata,
    Column("page_id", BigInteger, ForeignKey("pages.id"), primary_key=True),
    Column("first_run_id", BigInteger, primary_key=True),
    # NULL while the span goes on: a run in which nothing changed writes nothing here.
    Column("last_run_id", BigInteger),
    Column("site_id", BigInteger, ForeignKey("sites.id"), nullable=False),
    Column("snapshot_id", BigInteger, ForeignKey("snapshots.id"), nullable=False),
    Column("status", SmallInteger, nullable=False),
    CheckConstraint("last_run_id IS NULL OR first_run_id <= last_run_id", name="order"),
    Index("uq_spans_open", "site_id", "page_id", unique=True, postgresql_where=text("last_run_id IS NULL")),
)
