"""The outbox: log events that a transaction promised. Re-emitted after a crash under the same event id."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB

from models.columns import UTC_TIME, identity
from models.metadata import KEEPS, metadata

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
    info={
        KEEPS: "Log events that were promised in a transaction, until they are written: exactly one run.finished for each generation."
    },
)


def add() -> TextClause:
    """Promise a log event; a promise that is already there is left alone."""
    return text("""
        INSERT INTO outbox (event_id, event, payload) VALUES (:event_id, :event, CAST(:payload AS jsonb))
        ON CONFLICT (event_id) DO NOTHING
    """)


def waiting() -> TextClause:
    """The promised events that nobody has written yet, locked against other emitters. Plan: ix_outbox_waiting."""
    return text("""
        SELECT id, event_id, event, payload FROM outbox WHERE emitted_at IS NULL
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    """)


def mark_emitted() -> TextClause:
    """The events :ids were written to the log."""
    return text("UPDATE outbox SET emitted_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS bigint[]))")


def forget() -> TextClause:
    """Drop those of the :limit oldest events that were written more than :days days ago. Plan: pk_outbox."""
    return text("""
        DELETE FROM outbox
        WHERE id = ANY(ARRAY(SELECT id FROM outbox ORDER BY id LIMIT :limit))
          AND emitted_at < clock_timestamp() - make_interval(days => :days)
    """)
