"""The outbox: log events that a transaction promised. Re-emitted after a crash under the same event id."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from models.columns import UTC_TIME, identity
from models.metadata import metadata

outbox = Table(
    "outbox",
    metadata,
    identity(),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("emitted_at", UTC_TIME),
    Column("event_id", Text, nullable=False, unique=True),
    Column("event", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Index("ix_outbox_waiting", "id", postgresql_where=text("emitted_at IS NULL")),
)
