"""The kill switch, and the heartbeats of workers and beats: one small row each."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from models.columns import UTC_TIME, one_of
from models.metadata import metadata

control = Table(
    "control",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1")),
    Column("changed_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("changed_by", Text, nullable=False, server_default=text("''")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    CheckConstraint("id = 1", name="one_row"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("started_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("kind", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    one_of("kind", ("worker", "beat", "tick"), "kind"),
    postgresql_with={"fillfactor": "50"},
)
