"""The frontier: which pages a run has to visit. Rows are written once and never updated; done means a visit exists."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from models.columns import UTC_TIME, identity
from models.metadata import metadata

pages = Table(
    "pages",
    metadata,
    identity(),
    Column("site_id", BigInteger, ForeignKey("sites.id"), nullable=False),
    Column("depth", SmallInteger, nullable=False),
    Column("url_key", LargeBinary, nullable=False),
    Column("url", Text, nullable=False),
    UniqueConstraint("site_id", "url_key"),
    CheckConstraint("octet_length(url_key) = 16", name="url_key_length"),
    CheckConstraint("length(url) <= 2048", name="url_length"),
)

frontier = Table(
    "frontier",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("page_id", BigInteger, primary_key=True),
    Column("shard_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("depth", SmallInteger, nullable=False),
    UniqueConstraint("run_id", "shard_id", "seq"),
    CheckConstraint("seq >= 1 AND depth >= 0", name="positive"),
    postgresql_partition_by="RANGE (run_id)",
)

retries = Table(
    "retries",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id"), primary_key=True),
    Column("page_id", BigInteger, primary_key=True),
    Column("shard_id", BigInteger, ForeignKey("shards.id"), nullable=False),
    Column("not_before", UTC_TIME, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("error", Text, nullable=False),
    CheckConstraint("attempts BETWEEN 0 AND 100", name="attempts"),
    Index("ix_retries_shard_id_not_before", "shard_id", "not_before"),
)

sitemaps = Table(
    "sitemaps",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id"), primary_key=True),
    Column("url_key", LargeBinary, primary_key=True),
    Column("shard_id", BigInteger, ForeignKey("shards.id"), nullable=False),
    Column("done_at", UTC_TIME),
    Column("entries", Integer, nullable=False, server_default=text("0")),
    Column("depth", SmallInteger, nullable=False, server_default=text("0")),
    Column("url", Text, nullable=False),
    Column("error", Text),
    CheckConstraint("octet_length(url_key) = 16", name="url_key_length"),
    CheckConstraint("length(url) <= 2048", name="url_length"),
    Index("ix_sitemaps_open", "shard_id", postgresql_where=text("done_at IS NULL")),
)
