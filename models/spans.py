"""Spans: from which run to which run a page answered with a snapshot. Kept for good; they grow only with changes.

OFFSET 0 in a look-up keeps the planner from making a join of it. A run that has just ended is unknown to the planner's
statistics, so it expects one row, joins by the run alone and reads all of the run for each of its pages: 20,000 pages
took 10 s that way, and take 0.2 s by key.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    TextClause,
    text,
)

from models.metadata import KEEPS, metadata

spans = Table(
    "spans",
    metadata,
    Column("page_id", BigInteger, ForeignKey("pages.id"), primary_key=True),
    Column("first_run_id", BigInteger, primary_key=True),
    # NULL while the span goes on: a run in which nothing changed writes nothing here.
    Column("last_run_id", BigInteger),
    Column("site_id", BigInteger, ForeignKey("sites.id"), nullable=False),
    Column("snapshot_id", BigInteger, ForeignKey("snapshots.id"), nullable=False),
    Column("status", SmallInteger, nullable=False),
    CheckConstraint("last_run_id IS NULL OR first_run_id <= last_run_id", name="order"),
    Index("uq_spans_open", "site_id", "page_id", unique=True, postgresql_where=text("last_run_id IS NULL")),
    info={
        KEEPS: "From which run to which run a page answered with a snapshot. Kept for good; nothing is written while nothing changes."
    },
)


def close_changed() -> TextClause:
    """End the open spans of pages that run :run_id saw answer with another snapshot or status.

    Plan: uq_spans_open, then pk_visits by key (see the module's docstring about OFFSET 0).
    """
    return text("""
        WITH changed AS MATERIALIZED (
            SELECT s.page_id, s.first_run_id
            FROM spans s
            CROSS JOIN LATERAL (SELECT v.snapshot_id, v.status FROM visits v
                                WHERE v.run_id = :run_id AND v.page_id = s.page_id OFFSET 0) v
            WHERE s.site_id = :site_id AND s.last_run_id IS NULL AND s.first_run_id < :run_id
              AND v.snapshot_id IS NOT NULL
              AND (v.snapshot_id, v.status) IS DISTINCT FROM (s.snapshot_id, s.status)
        )
        UPDATE spans s SET last_run_id = greatest(s.first_run_id, :previous)
        FROM changed c WHERE s.page_id = c.page_id AND s.first_run_id = c.first_run_id
    """)


def close_vanished() -> TextClause:
    """End the open spans of pages that the complete run :run_id no longer found. Plan: uq_spans_open, pk_frontier by key."""
    return text("""
        UPDATE spans s SET last_run_id = greatest(s.first_run_id, :previous)
        WHERE s.site_id = :site_id AND s.last_run_id IS NULL AND s.first_run_id < :run_id
          AND NOT EXISTS (SELECT FROM frontier f WHERE f.run_id = :run_id AND f.page_id = s.page_id OFFSET 0)
    """)


def open_new() -> TextClause:
    """Begin spans for the pages of run :run_id that have none open; an unchanged page writes nothing. Plan: uq_spans_open by key."""
    return text("""
        INSERT INTO spans (page_id, first_run_id, site_id, snapshot_id, status)
        SELECT v.page_id, :run_id, :site_id, v.snapshot_id, v.status
        FROM visits v
        WHERE v.run_id = :run_id AND v.snapshot_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM spans s WHERE s.site_id = :site_id AND s.page_id = v.page_id
                          AND s.last_run_id IS NULL OFFSET 0)
        ON CONFLICT (page_id, first_run_id) DO UPDATE
        SET snapshot_id = excluded.snapshot_id, status = excluded.status, last_run_id = NULL
    """)


def fold() -> TextClause:
    """Let the open spans of a site point to the folded snapshots :news instead of :olds."""
    return text("""
        UPDATE spans s SET snapshot_id = f.new
        FROM unnest(CAST(:olds AS bigint[]), CAST(:news AS bigint[])) AS f(old, new)
        WHERE s.site_id = :site_id AND s.last_run_id IS NULL AND s.snapshot_id = f.old
    """)


def between() -> TextClause:
    """What pages of site :site_id answered with in the runs :since to :until, in no order; meant for a server-side cursor.

    Plan: uq_pages_site_id_url_key or all of the site's pages at once, pk_spans.
    """
    return text("""
        SELECT p.url, s.page_id, s.snapshot_id, s.status, s.first_run_id, s.last_run_id
        FROM spans s JOIN pages p ON p.id = s.page_id
        WHERE p.site_id = :site_id AND s.site_id = :site_id AND s.first_run_id <= :until
          AND (s.last_run_id IS NULL OR s.last_run_id >= :since)
    """)


def history() -> TextClause:
    """What the pages :page_ids answered with up to run :until, the newest first. Plan: pk_spans."""
    return text("""
        SELECT s.page_id, s.snapshot_id, s.status, s.first_run_id, s.last_run_id
        FROM spans s WHERE s.page_id = ANY(CAST(:page_ids AS bigint[])) AND s.first_run_id <= :until
        ORDER BY s.page_id, s.first_run_id DESC
    """)
