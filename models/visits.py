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
    TextClause,
    text,
)

from headersweep.states import Outcome
from models.columns import UTC_TIME, one_of
from models.metadata import KEEPS, metadata

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
    # Written last of all: old workers do not know it, and where no body was read there is none.
    Column("facts_id", BigInteger),
    one_of("outcome", Outcome, "outcome"),
    CheckConstraint(
        f"(outcome = {int(Outcome.STORED)}) = (snapshot_id IS NOT NULL)", name="stored_has_snapshot"
    ),
    CheckConstraint(f"(outcome = {int(Outcome.STORED)}) = (status IS NOT NULL)", name="stored_has_status"),
    CheckConstraint(f"outcome <> {int(Outcome.FAILED)} OR error IS NOT NULL", name="failed_has_error"),
    CheckConstraint("nonce_digest IS NULL OR octet_length(nonce_digest) = 8", name="nonce_digest_length"),
    CheckConstraint("length(error) <= 200", name="error_length"),
    postgresql_partition_by="RANGE (run_id)",
    info={KEEPS: "The outcome of each page in each run. Dropped by partition after the retention time."},
)


def add() -> TextClause:
    """Write visits; a page that has one in its run keeps it. Returns those that are new."""
    return text("""
        INSERT INTO visits (run_id, page_id, snapshot_id, target_page_id, fetched_at, elapsed_ms, age_s, date_offset_s,
                            status, outcome, malformed, unverified_tls, nonce_digest, error, facts_id)
        SELECT * FROM unnest(
            CAST(:run_ids AS bigint[]), CAST(:page_ids AS bigint[]), CAST(:snapshot_ids AS bigint[]),
            CAST(:target_page_ids AS bigint[]), CAST(:fetched_ats AS timestamptz[]), CAST(:elapsed_mss AS int[]),
            CAST(:age_ss AS int[]), CAST(:date_offset_ss AS int[]), CAST(:statuses AS smallint[]),
            CAST(:outcomes AS smallint[]), CAST(:malformeds AS boolean[]), CAST(:unverified_tlss AS boolean[]),
            CAST(:nonce_digests AS bytea[]), CAST(:errors AS text[]),
            CAST(:facts_ids AS bigint[]))
        ON CONFLICT (run_id, page_id) DO NOTHING
        RETURNING run_id, page_id
    """)


def outcomes_of_run() -> TextClause:
    """How many visits of run :run_id had which outcome."""
    return text("SELECT outcome, count(*) AS pages FROM visits WHERE run_id = :run_id GROUP BY outcome")


def snapshots_of_run() -> TextClause:
    """The distinct snapshots of run :run_id, each with its canonical text, bytes and number of pages."""
    return text("""
        SELECT s.id, s.canonical, s.raw, v.pages
        FROM (SELECT snapshot_id, count(*) AS pages FROM visits
              WHERE run_id = :run_id AND snapshot_id IS NOT NULL GROUP BY snapshot_id) v
        JOIN snapshots s ON s.id = v.snapshot_id
        ORDER BY s.id
    """)


def fold() -> TextClause:
    """Let the visits of run :run_id point to the folded snapshots :news instead of :olds."""
    return text("""
        UPDATE visits v SET snapshot_id = f.new
        FROM unnest(CAST(:olds AS bigint[]), CAST(:news AS bigint[])) AS f(old, new)
        WHERE v.run_id = :run_id AND v.snapshot_id = f.old
    """)


def digest_rows() -> TextClause:
    """What the run digest is made of, sorted by URL key."""
    return text("""
        SELECT p.url_key, v.outcome, v.status, s.content_hash
        FROM visits v JOIN pages p ON p.id = v.page_id LEFT JOIN snapshots s ON s.id = v.snapshot_id
        WHERE v.run_id = :run_id ORDER BY p.url_key
    """)


def start_pages_fetched() -> TextClause:
    """How many start pages (rows without a finder: depth 0) of run :run_id were fetched."""
    return text("""
        SELECT count(*) FROM pages p JOIN visits v ON v.run_id = :run_id AND v.page_id = p.id
        WHERE p.site_id = :site_id AND p.url_key = ANY(CAST(:url_keys AS bytea[])) AND v.snapshot_id IS NOT NULL
    """)


def drop_failed() -> TextClause:
    """Take back the visits of run :run_id whose page could not be fetched, so that they are tried again."""
    return text("""
        DELETE FROM visits WHERE run_id = :run_id AND outcome = ANY(CAST(:outcomes AS smallint[])) RETURNING page_id
    """)


def any_kept() -> TextClause:
    """Whether anything is left of the visits of run :run_id. Plan: pk_visits."""
    return text("SELECT EXISTS (SELECT FROM visits WHERE run_id = :run_id)")


def ages_of_run() -> TextClause:
    """The answers of run :run_id that a cache had kept for some time, with their pages. Plan: pk_visits, pk_pages."""
    return text("""
        SELECT p.url, v.page_id, v.snapshot_id, v.status, v.age_s
        FROM visits v JOIN pages p ON p.id = v.page_id
        WHERE v.run_id = :run_id AND v.snapshot_id IS NOT NULL AND v.age_s > 0
    """)
