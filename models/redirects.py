"""Where the redirects of a run lead: counted by origin when it closes, so that it is known past retention."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    PrimaryKeyConstraint,
    Table,
    Text,
    TextClause,
    text,
)

from models.metadata import KEEPS, metadata

MAX_ROWS = 1000
"""So many pairs of origins are kept of a run, those with the most pages: a hostile site has hosts without end."""

run_redirects = Table(
    "run_redirects",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("sample_page_id", BigInteger, nullable=False),
    # hop: one redirect, or a page served over http (no target); chain: more than three redirects in a row.
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    CheckConstraint("kind IN ('hop', 'chain')", name="kind"),
    CheckConstraint("pages > 0", name="pages"),
    PrimaryKeyConstraint("run_id", "kind", "source", "target"),
    info={KEEPS: "The redirects of a closed run between origins, counted."},
)


def drop() -> TextClause:
    """Forget the redirects of run :run_id, which is being closed again. Plan: pk_run_redirects."""
    return text("DELETE FROM run_redirects WHERE run_id = :run_id")


def add() -> TextClause:
    """Keep from which origin to which one the redirects of run :run_id lead, and which http origins served pages.

    Reads the run's visits, and only the pages of redirects; those of all others only where the run saw http at all:
    its header sets (``run_sets``), which are made before, say so. By key, whatever the planner's statistics do not know yet
    (see models/spans.py about OFFSET 0).
    """
    return text("""
        INSERT INTO run_redirects (run_id, pages, sample_page_id, kind, source, target)
        SELECT :run_id, count(*), min(page_id), kind, substring(url FROM '^[a-z]+://[^/]*') AS source, target
        FROM (SELECT v.page_id, 'hop' AS kind, p.url, substring(t.url FROM '^[a-z]+://[^/]*') AS target
              FROM visits v
              CROSS JOIN LATERAL (SELECT url FROM pages WHERE id = v.page_id OFFSET 0) p
              CROSS JOIN LATERAL (SELECT url FROM pages WHERE id = v.target_page_id OFFSET 0) t
              WHERE v.run_id = :run_id AND v.target_page_id IS NOT NULL
              UNION ALL
              SELECT v.page_id, 'hop', p.url, ''
              FROM visits v CROSS JOIN LATERAL (SELECT url FROM pages WHERE id = v.page_id OFFSET 0) p
              WHERE v.run_id = :run_id AND (v.status < 300 OR v.status = 401) AND p.url LIKE 'http:%'
                AND EXISTS (SELECT FROM run_sets WHERE run_id = :run_id AND scheme = 'http')
              UNION ALL
              SELECT a.page_id, 'chain', p.url, ''
              FROM visits a
              CROSS JOIN LATERAL (SELECT url FROM pages WHERE id = a.page_id OFFSET 0) p
              CROSS JOIN LATERAL (SELECT target_page_id AS id FROM visits
                                  WHERE run_id = :run_id AND page_id = a.target_page_id OFFSET 0) b
              CROSS JOIN LATERAL (SELECT target_page_id AS id FROM visits
                                  WHERE run_id = :run_id AND page_id = b.id OFFSET 0) c
              CROSS JOIN LATERAL (SELECT target_page_id AS id FROM visits
                                  WHERE run_id = :run_id AND page_id = c.id OFFSET 0) d
              WHERE a.run_id = :run_id AND a.target_page_id IS NOT NULL AND d.id IS NOT NULL) AS seen
        GROUP BY kind, source, target
        ORDER BY count(*) DESC, kind, source, target LIMIT :limit
        ON CONFLICT (run_id, kind, source, target) DO NOTHING
    """).bindparams(limit=MAX_ROWS)


def of_run() -> TextClause:
    """The redirects of run :run_id, each with the URL of one page. Plan: pk_run_redirects, pk_pages."""
    return text("""
        SELECT r.kind, r.source, r.target, r.pages, p.url
        FROM run_redirects r JOIN pages p ON p.id = r.sample_page_id
        WHERE r.run_id = :run_id ORDER BY r.pages DESC, r.source, r.target
    """)
