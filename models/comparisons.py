"""What a comparison of two runs asks beside what the review keeps: which runs, and how long their answers took."""

from __future__ import annotations

from sqlalchemy import TextClause, text


def last_by() -> TextClause:
    """The last run of site :site_id that had come to its end by :at. Plan: uq_runs_site_id_slot."""
    return text("""
        SELECT id FROM runs
        WHERE site_id = :site_id AND state IN ('finished', 'partial') AND finished_at <= :at
        ORDER BY finished_at DESC, id DESC LIMIT 1
    """)


def latency() -> TextClause:
    """How many answers of run :run_id were timed, and their 50th, 90th and 99th percentiles in milliseconds.

    And of how many caches said how old they were (Age), and how many of those came from a cache. Reads the run's visits once. Plan: pk_visits, or the whole partition where the run is most of it.
    """
    return text("""
        SELECT count(*) AS answers, percentile_disc(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY elapsed_ms) AS ms,
               count(age_s) AS aged, count(*) FILTER (WHERE age_s > 0) AS from_cache
        FROM visits
        WHERE run_id = :run_id AND snapshot_id IS NOT NULL AND elapsed_ms IS NOT NULL
    """)


def start_from_spans() -> TextClause:
    """What page :url_key of site :site_id answered in run :run_id, kept for good; no redirects after it.

    Plan: uq_pages_site_id_url_key, then pk_spans by key.
    """
    return text("""
        SELECT p.url, s.status, b.raw
        FROM pages p
        CROSS JOIN LATERAL (SELECT snapshot_id, status FROM spans
                            WHERE page_id = p.id AND first_run_id <= :run_id
                              AND coalesce(last_run_id >= :run_id, true)
                            ORDER BY first_run_id DESC LIMIT 1) s
        CROSS JOIN LATERAL (SELECT raw FROM snapshots WHERE id = s.snapshot_id OFFSET 0) b
        WHERE p.site_id = :site_id AND p.url_key = :url_key
    """)
