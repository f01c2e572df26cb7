"""Shards: the pages of one run on one origin; the unit of lease, of politeness and of resuming."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from headersweep.states import ShardState
from models.columns import UTC_TIME, identity, one_of
from models.metadata import metadata

shards = Table(
    "shards",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("origin_id", BigInteger, ForeignKey("origins.id"), nullable=False),
    # The pages known from earlier runs are put into the frontier in bites; NULL when there is nothing (left) to do.
    Column("known_upto", BigInteger),
    Column("visited", BigInteger, nullable=False, server_default=text("0")),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("lease_until", UTC_TIME),
    Column("not_before", UTC_TIME, nullable=False, server_default=text("now()")),
    # Frontier rows of the shard are numbered 1..top; all up to done_upto have a visit or wait in retries.
    Column("top", Integer, nullable=False, server_default=text("0")),
    Column("done_upto", Integer, nullable=False, server_default=text("0")),
    Column("suspect_page_id", BigInteger),
    Column("ordinal", SmallInteger, nullable=False, server_default=text("0")),
    Column("lost_leases", SmallInteger, nullable=False, server_default=text("0")),
    Column("lease_owner", Text),
    Column("state", Text, nullable=False, server_default=text(f"'{ShardState.OPEN}'")),
    UniqueConstraint("run_id", "origin_id", "ordinal"),
    one_of("state", ShardState, "state"),
    CheckConstraint("done_upto BETWEEN 0 AND top", name="done_upto"),
    CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="lease"),
    CheckConstraint("state = 'open' OR done_upto = top", name="done_has_no_rest"),
    CheckConstraint("ordinal >= 0 AND lost_leases >= 0", name="counters"),
    # No column of the lease's clock stands in an index, so that renewals are HOT.
    Index("ix_shards_open", "run_id", "id", postgresql_where=text("state = 'open'")),
    postgresql_with={"fillfactor": "50", "autovacuum_vacuum_scale_factor": "0.01"},
)
