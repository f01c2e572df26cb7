"""Visits: the outcome of one page in one run. (run, page) is unique; partitioned by run-id range, dropped by retention."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from headersweep.states import Outcome
from models.columns import UTC_TIME, one_of
from models.metadata import metadata

visits = Table(
    "visits",
    metadata,
    # Wide columns first: 8 % fewer bytes a row.
    Column("run_id", BigInteger, primary_key=True),
    Column("page_id", BigInteger, primary_key=True),
    Column("snapshot_id", BigInteger),
    Column("target_page_id", BigInteger),
    Column("fetched_at", UTC_TIME, nullable=False),
    Column("elapsed_ms", Integer),
    Column("age_s", Integer),
    Column("date_offset_s", Integer),
    Column("status", SmallInteger),
    Column("outcome", SmallInteger, nullable=False),
    Column("malformed", Boolean, nullable=False, server_default=text("false")),
    Column("unverified_tls", Boolean, nullable=False, server_default=text("false")),
    Column("nonce_digest", LargeBinary),
    Column("error", Text),
    one_of("outcome", Outcome, "outcome"),
    CheckConstraint(
        f"(outcome = {int(Outcome.STORED)}) = (snapshot_id IS NOT NULL)", name="stored_has_snapshot"
    ),
    CheckConstraint(f"(outcome = {int(Outcome.STORED)}) = (status IS NOT NULL)", name="stored_has_status"),
    CheckConstraint(f"outcome <> {int(Outcome.FAILED)} OR error IS NOT NULL", name="failed_has_error"),
    CheckConstraint("nonce_digest IS NULL OR octet_length(nonce_digest) = 8", name="nonce_digest_length"),
    CheckConstraint("length(error) <= 200", name="error_length"),
    postgresql_partition_by="RANGE (run_id)",
)
