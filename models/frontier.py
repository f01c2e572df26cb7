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
    TextClause,
    UniqueConstraint,
    text,
)

from models.columns import UTC_TIME, identity
from models.metadata import KEEPS, metadata

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
    info={KEEPS: "Every URL of every site, once, by its URL key, and from where it was found first."},
)

frontier = Table(
    "frontier",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("page_id", BigInteger, primary_key=True),
    Column("shard_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("depth", SmallInteger, nullable=False),
    # The shard first: an index that began with the run would look as good as the key to a planner that knows nothing of a
    # new run yet, and each look-up of a page would read the whole run.
    UniqueConstraint("shard_id", "seq", "run_id"),
    CheckConstraint("seq >= 1 AND depth >= 0", name="positive"),
    postgresql_partition_by="RANGE (run_id)",
    info={
        KEEPS: "Which pages a run has to visit, and in which shard. Written once, never updated: done is what has a visit."
    },
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
    info={KEEPS: "Pages that must be tried again later, and when."},
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
    info={KEEPS: "The sitemaps of a run, and how far they were read."},
)


def add_pages() -> TextClause:
    """Make pages known to their sites; known ones are left alone. Sorted, so that two writers cannot deadlock."""
    return text("""
        INSERT INTO pages (site_id, url_key, url, depth)
        SELECT * FROM unnest(CAST(:site_ids AS bigint[]), CAST(:url_keys AS bytea[]), CAST(:urls AS text[]),
                             CAST(:depths AS smallint[]))
        ORDER BY 1, 2
        ON CONFLICT (site_id, url_key) DO NOTHING
    """)


def page_ids() -> TextClause:
    """The ids of pages given by site and URL key. Plan: uq_pages_site_id_url_key."""
    return text("""
        SELECT p.site_id, p.url_key, p.id
        FROM unnest(CAST(:site_ids AS bigint[]), CAST(:url_keys AS bytea[])) AS x(site_id, url_key)
        JOIN pages p USING (site_id, url_key)
    """)


def add_rows() -> TextClause:
    """Put pages into the frontier of their runs, numbered behind their shard's top; known ones are left alone.

    The caller holds the locks of the runs and of the shards, so numbers are dense and nobody overtakes them.
    Plan: pk_frontier.
    """
    return text("""
        WITH fresh AS MATERIALIZED (
            SELECT f.* FROM unnest(CAST(:run_ids AS bigint[]), CAST(:page_ids AS bigint[]), CAST(:shard_ids AS bigint[]),
                                   CAST(:depths AS smallint[])) WITH ORDINALITY AS f(run_id, page_id, shard_id, depth, ord)
            WHERE NOT EXISTS (SELECT FROM frontier x
                              WHERE x.run_id = f.run_id AND x.page_id = f.page_id OFFSET 0)
        )
        INSERT INTO frontier (run_id, page_id, shard_id, seq, depth)
        SELECT f.run_id, f.page_id, f.shard_id,
               s.top + row_number() OVER (PARTITION BY f.shard_id ORDER BY f.ord), f.depth
        FROM fresh f JOIN shards s ON s.id = f.shard_id
        ORDER BY f.ord
        ON CONFLICT (run_id, page_id) DO NOTHING
        RETURNING run_id, page_id, shard_id
    """)


def next_rows() -> TextClause:
    """The next :limit pages of a shard behind row :after that have no visit and wait for no retry.

    OFFSET 0 keeps the planner from making joins of the look-ups: its statistics know nothing of a run that has just
    begun, and joins by run alone read all of the run's visits for each row.
    Plan: uq_frontier_shard_id_seq_run_id, then pk_visits and pk_retries by key.
    """
    return text("""
        SELECT f.page_id, f.seq, f.depth, p.url, p.url_key
        FROM frontier f JOIN pages p ON p.id = f.page_id
        WHERE f.run_id = :run_id AND f.shard_id = :shard_id AND f.seq > :after
          AND NOT EXISTS (SELECT FROM visits v WHERE v.run_id = :run_id AND v.page_id = f.page_id OFFSET 0)
          AND NOT EXISTS (SELECT FROM retries t WHERE t.run_id = :run_id AND t.page_id = f.page_id OFFSET 0)
        ORDER BY f.seq LIMIT :limit
    """)


def due_retries() -> TextClause:
    """The pages of a shard that are to be tried again now. Plan: ix_retries_shard_id_not_before."""
    return text("""
        SELECT t.page_id, f.seq, f.depth, p.url, p.url_key, t.attempts
        FROM retries t
        JOIN frontier f ON f.run_id = t.run_id AND f.page_id = t.page_id
        JOIN pages p ON p.id = t.page_id
        WHERE t.shard_id = :shard_id AND t.not_before <= clock_timestamp()
        ORDER BY t.not_before LIMIT :limit
    """)


def add_retries() -> TextClause:
    """Try pages again after :delays seconds; the number of attempts only grows."""
    return text("""
        INSERT INTO retries (run_id, page_id, shard_id, not_before, attempts, error)
        SELECT x.run_id, x.page_id, x.shard_id, clock_timestamp() + make_interval(secs => x.delay), x.attempts, x.error
        FROM unnest(CAST(:run_ids AS bigint[]), CAST(:page_ids AS bigint[]), CAST(:shard_ids AS bigint[]),
                    CAST(:delays AS float[]), CAST(:attempts AS smallint[]), CAST(:errors AS text[]))
             AS x(run_id, page_id, shard_id, delay, attempts, error)
        ORDER BY 1, 2
        ON CONFLICT (run_id, page_id) DO UPDATE
        SET not_before = excluded.not_before, error = excluded.error,
            attempts = greatest(retries.attempts, excluded.attempts)
    """)


def drop_retries() -> TextClause:
    """Forget the retries of pages that have a visit now. Plan: pk_retries."""
    return text("""
        DELETE FROM retries t
        USING unnest(CAST(:run_ids AS bigint[]), CAST(:page_ids AS bigint[])) AS x(run_id, page_id)
        WHERE t.run_id = x.run_id AND t.page_id = x.page_id
    """)


def known_pages() -> TextClause:
    """The next :limit pages of a site, behind page :after, that answered well when last seen. Plan: uq_spans_open."""
    return text("""
        SELECT p.id, p.url, p.depth
        FROM spans s JOIN pages p ON p.id = s.page_id
        WHERE s.site_id = :site_id AND s.last_run_id IS NULL AND s.page_id > :after AND s.status < 400
        ORDER BY s.page_id LIMIT :limit
    """)


def add_sitemaps() -> TextClause:
    """Queue the sitemaps :urls of a shard, at most :cap in one run; known ones are left alone."""
    return text("""
        INSERT INTO sitemaps (run_id, url_key, shard_id, depth, url)
        SELECT :run_id, x.url_key, :shard_id, :depth, x.url
        FROM unnest(CAST(:url_keys AS bytea[]), CAST(:urls AS text[])) AS x(url_key, url)
        WHERE (SELECT count(*) FROM sitemaps WHERE run_id = :run_id) < :cap
        ORDER BY x.url_key
        ON CONFLICT (run_id, url_key) DO NOTHING
    """)


def open_sitemaps() -> TextClause:
    """The sitemaps of a shard that are still to be read. Plan: ix_sitemaps_open."""
    return text("""
        SELECT url_key, url, depth FROM sitemaps WHERE shard_id = :shard_id AND done_at IS NULL ORDER BY url_key LIMIT 50
    """)


def mark_sitemap() -> TextClause:
    """Mark a sitemap before a lone shard reads it; returns the mark of whoever began before and never ended."""
    return text("""
        UPDATE sitemaps s SET error = :error FROM sitemaps old
        WHERE s.run_id = :run_id AND s.url_key = :url_key AND s.done_at IS NULL
          AND old.run_id = s.run_id AND old.url_key = s.url_key
        RETURNING old.error
    """)


def unmark_sitemaps() -> TextClause:
    """The shards :shard_ids stopped in good order: no sitemap is to blame."""
    return text("""
        UPDATE sitemaps SET error = NULL
        WHERE shard_id = ANY(CAST(:shard_ids AS bigint[])) AND done_at IS NULL AND error IS NOT NULL
    """)


def close_sitemap() -> TextClause:
    """A sitemap was read, or could not be (:error says why)."""
    return text("""
        UPDATE sitemaps SET done_at = clock_timestamp(), entries = :entries, error = :error
        WHERE run_id = :run_id AND url_key = :url_key AND done_at IS NULL
    """)


def count_of_run() -> TextClause:
    """How many pages run :run_id discovered. Plan: pk_frontier (or the partition as a whole)."""
    return text("SELECT count(*) FROM frontier WHERE run_id = :run_id")


def forget_sitemaps() -> TextClause:
    """Drop what was noted of the sitemaps of the runs from :low up to, without it, :high. Plan: pk_sitemaps."""
    return text("DELETE FROM sitemaps WHERE run_id >= :low AND run_id < :high")
