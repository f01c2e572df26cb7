"""What changed between two runs of a site: pages grouped by what they answered before and after.

Read-only. Rows are groups, not pages: a header that changes on a million pages is a row or two. OFFSET 0 is explained
in models/spans.py.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

SAMPLES = 3
"""How many pages of a group are named: those known for longest."""

_GROUPED = """
    SELECT g.old_snapshot_id, g.old_status, g.old_outcome, g.new_snapshot_id, g.new_status, g.new_outcome, g.scheme,
           g.is_back, g.pages,
           ARRAY(SELECT page_id FROM unnest(g.page_ids) AS page_id ORDER BY page_id LIMIT :samples) AS page_ids
    FROM (SELECT m.old_snapshot_id, m.old_status, m.old_outcome, m.new_snapshot_id, m.new_status, m.new_outcome,
                 p.scheme, back.is_back, count(*) AS pages, array_agg(m.page_id) AS page_ids
          FROM moved m
          CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM spans s
                                             WHERE s.page_id = m.page_id AND s.snapshot_id = m.new_snapshot_id
                                               AND s.status = m.new_status
                                               AND s.last_run_id BETWEEN :since AND :old - 1 OFFSET 0) AS is_back) back
          CROSS JOIN LATERAL (SELECT CASE WHEN url LIKE 'https:%' THEN 'https' ELSE 'http' END AS scheme
                              FROM pages WHERE id = m.page_id OFFSET 0) p
          GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) g
    ORDER BY g.pages DESC, 1, 2, 3, 4, 5, 6, 7, 8
"""
"""``is_back``: whether a page answers now as it did before run :old, in a run since :since. Plan: pk_spans by key."""


def from_visits() -> TextClause:
    """The pages that runs :old and :new saw answer differently, by what they answered. Reads both runs as a whole.

    Pages are grouped as well by whether they answer as they did earlier, in a run from :since on and before :old.
    Plan: the keys of the visits' partitions, joined by hash or merge: a full join is never a nested loop.
    """
    return text(f"""
        WITH moved AS MATERIALIZED (
            SELECT page_id, o.snapshot_id AS old_snapshot_id, o.status AS old_status, o.outcome AS old_outcome,
                   n.snapshot_id AS new_snapshot_id, n.status AS new_status, n.outcome AS new_outcome
            FROM (SELECT page_id, snapshot_id, status, outcome FROM visits WHERE run_id = :old) o
            FULL JOIN (SELECT page_id, snapshot_id, status, outcome FROM visits WHERE run_id = :new) n
                 USING (page_id)
            WHERE (o.snapshot_id, o.status) IS DISTINCT FROM (n.snapshot_id, n.status)
        )
        {_GROUPED}
    """).bindparams(samples=SAMPLES)  # noqa: S608 - both parts are constants of this module


def from_spans() -> TextClause:
    """The same from spans, for runs whose visits are gone: what was not fetched in a run counts as it was before.

    Plan: uq_pages_site_id_url_key, then pk_spans by key.
    """
    return text(f"""
        WITH moved AS MATERIALIZED (
            SELECT p.id AS page_id, o.snapshot_id AS old_snapshot_id, o.status AS old_status,
                   CAST(NULL AS smallint) AS old_outcome, n.snapshot_id AS new_snapshot_id, n.status AS new_status,
                   CAST(NULL AS smallint) AS new_outcome
            FROM pages p
            LEFT JOIN LATERAL (SELECT snapshot_id, status FROM spans
                               WHERE page_id = p.id AND first_run_id <= :old AND coalesce(last_run_id >= :old, true)
                               ORDER BY first_run_id DESC LIMIT 1) o ON true
            LEFT JOIN LATERAL (SELECT snapshot_id, status FROM spans
                               WHERE page_id = p.id AND first_run_id <= :new AND coalesce(last_run_id >= :new, true)
                               ORDER BY first_run_id DESC LIMIT 1) n ON true
            WHERE p.site_id = :site_id AND (o.snapshot_id, o.status) IS DISTINCT FROM (n.snapshot_id, n.status)
        )
        {_GROUPED}
    """).bindparams(samples=SAMPLES)  # noqa: S608 - both parts are constants of this module


_SETS = """
    SELECT g.snapshot_id, g.status, g.scheme, g.facts_id, g.pages, s.content_hash, s.raw, f.facts,
           ARRAY(SELECT page_id FROM unnest(g.page_ids) AS page_id ORDER BY page_id LIMIT :samples) AS sample_page_ids,
           coalesce(k.first_run_id = :run_id, false) AS is_new
    FROM g
    JOIN snapshots s ON s.id = g.snapshot_id
    LEFT JOIN body_facts f ON f.id = g.facts_id
    LEFT JOIN site_snapshots k ON k.snapshot_id = g.snapshot_id
                              AND k.site_id = :site_id
    ORDER BY g.pages DESC, s.content_hash, g.status, g.scheme, g.facts_id
"""
"""Columns and order are those of the sets that are kept (models/reviews.py)."""


def sets_from_visits() -> TextClause:
    """The header sets of run :run_id of site :site_id, the most common first, where none are kept. Reads the run as a whole."""
    return text(f"""
        WITH g AS MATERIALIZED (
            SELECT v.snapshot_id, v.status, p.scheme, coalesce(v.facts_id, 0) AS facts_id,
                   count(*) AS pages, array_agg(v.page_id) AS page_ids
            FROM visits v
            CROSS JOIN LATERAL (SELECT CASE WHEN url LIKE 'https:%' THEN 'https' ELSE 'http' END AS scheme
                                FROM pages WHERE id = v.page_id OFFSET 0) p
            WHERE v.run_id = :run_id AND v.snapshot_id IS NOT NULL
            GROUP BY 1, 2, 3, 4)
        {_SETS}
    """).bindparams(samples=SAMPLES)  # noqa: S608 - both parts are constants of this module


def sets_from_spans() -> TextClause:
    """The same from spans, for a run whose visits are gone; nobody knows its bodies any more.

    Plan: uq_pages_site_id_url_key, then pk_spans by key.
    """
    return text(f"""
        WITH g AS MATERIALIZED (
            SELECT s.snapshot_id, s.status,
                   CASE WHEN p.url LIKE 'https:%' THEN 'https' ELSE 'http' END AS scheme,
                   CAST(0 AS bigint) AS facts_id, count(*) AS pages, array_agg(p.id) AS page_ids
            FROM pages p
            CROSS JOIN LATERAL (SELECT snapshot_id, status FROM spans
                                WHERE page_id = p.id AND first_run_id <= :run_id
                                  AND coalesce(last_run_id >= :run_id, true)
                                ORDER BY first_run_id DESC LIMIT 1) s
            WHERE p.site_id = :site_id
            GROUP BY 1, 2, 3)
        {_SETS}
    """).bindparams(samples=SAMPLES)  # noqa: S608 - both parts are constants of this module


def snapshots_by_id() -> TextClause:
    """The bytes of the snapshots :ids. Plan: pk_snapshots."""
    return text("SELECT id, raw FROM snapshots WHERE id = ANY(CAST(:ids AS bigint[]))")


def previous() -> TextClause:
    """The last run of site :site_id before run :run_id that came to its end. Plan: uq_runs_site_id_slot."""
    return text("""
        SELECT max(id) FROM runs
        WHERE site_id = :site_id AND id < :run_id AND state IN ('finished', 'partial')
    """)


def since() -> TextClause:
    """The first of the last :limit runs of site :site_id up to run :run_id that are over. Plan: uq_runs_site_id_slot."""
    return text("""
        SELECT min(id) FROM (SELECT id FROM runs
                             WHERE site_id = :site_id AND id <= :run_id AND digest IS NOT NULL
                             ORDER BY id DESC LIMIT :limit) AS latest
    """)
