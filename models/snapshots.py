"""Snapshots: each distinct set of response headers, stored once, keyed by the hash of its canonical text."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, LargeBinary, Table, Text, text

from models.columns import UTC_TIME, identity
from models.metadata import metadata

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
)
