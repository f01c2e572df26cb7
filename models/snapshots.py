"""Snapshots: each distinct set of response headers, stored once, keyed by the hash of its canonical text."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, LargeBinary, Table, Text, TextClause, text

from models.columns import UTC_TIME, identity
from models.metadata import KEEPS, metadata

snapshots = Table(
    "snapshots",
    metadata,
    identity(),
    Column("first_seen_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("content_hash", LargeBinary, nullable=False, unique=True),
    Column("canonical", Text, nullable=False),
    # The header block as first received, malformed lines included; only cookie values are masked.
    Column("raw", LargeBinary, nullable=False),
    CheckConstraint("octet_length(content_hash) = 32", name="content_hash_length"),
    CheckConstraint("canonical LIKE 'headers/_%'", name="canonical_version"),
    CheckConstraint("octet_length(raw) <= 262144", name="raw_length"),
    info={
        KEEPS: "Each distinct set of response headers, once, by its content hash, with the bytes as first received."
    },
)


def add() -> TextClause:
    """Keep snapshots; a known content hash is left alone. Sorted, so that two writers cannot deadlock."""
    return text("""
        INSERT INTO snapshots (content_hash, canonical, raw)
        SELECT * FROM unnest(CAST(:hashes AS bytea[]), CAST(:canonicals AS text[]), CAST(:raws AS bytea[]))
        ORDER BY 1
        ON CONFLICT (content_hash) DO NOTHING
    """)


def ids() -> TextClause:
    """The ids of snapshots given by content hash. Plan: uq_snapshots_content_hash."""
    return text("SELECT id, content_hash FROM snapshots WHERE content_hash = ANY(CAST(:hashes AS bytea[]))")


def blocks() -> TextClause:
    """The header blocks of the snapshots :ids. Plan: pk_snapshots."""
    return text("SELECT id, raw FROM snapshots WHERE id = ANY(CAST(:ids AS bigint[]))")
