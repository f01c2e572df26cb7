"""Origins: what politeness and robots.txt belong to, for every worker and across restarts."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from models.columns import UTC_TIME, identity, one_of
from models.metadata import metadata

origins = Table(
    "origins",
    metadata,
    identity(),
    Column("next_request_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("blocked_until", UTC_TIME, nullable=False, server_default=text("'-infinity'")),
    Column("robots_fetched_at", UTC_TIME),
    Column("robots_expires_at", UTC_TIME),
    Column("rate", Float),
    Column("port", Integer, nullable=False),
    Column("robots_status", SmallInteger),
    Column("backoff_level", SmallInteger, nullable=False, server_default=text("0")),
    Column("connect_failures", SmallInteger, nullable=False, server_default=text("0")),
    Column("scheme", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("robots_text", Text),
    UniqueConstraint("scheme", "host", "port"),
    one_of("scheme", ("http", "https"), "scheme"),
    CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    CheckConstraint("host = lower(host) AND length(host) BETWEEN 1 AND 255", name="host"),
    CheckConstraint("backoff_level BETWEEN 0 AND 20", name="backoff_level"),
    CheckConstraint("rate IS NULL OR rate >= 0", name="rate"),
    # HOT updates: politeness changes at every commit and stands in no index.
    postgresql_with={"fillfactor": "50"},
)
