"""What the checklist of a site asks of a run's rows, beside what the review keeps."""

from __future__ import annotations

from sqlalchemy import TextClause, text

from headersweep.states import FailureReason, Outcome
from headersweep.urlsecrets import FORMS, NAMES, SIGNED


def secret_urls() -> TextClause:
    """Up to :limit pages of run :run_id whose URL holds a secret, by a parameter's name or its form. Plan: pk_visits, pk_pages.

    Written so that the planner cannot begin with the pages of all sites: their form says nothing about this run's.
    """
    return text(f"""
        SELECT p.url FROM visits v
        CROSS JOIN LATERAL (SELECT url FROM pages WHERE id = v.page_id OFFSET 0) p
        WHERE v.run_id = :run_id AND v.snapshot_id IS NOT NULL
          AND (p.url LIKE '%=%' AND p.url ~* '[?&;/]({NAMES})=[^&;#/]{{4}}'
               OR p.url ~ '{FORMS}' AND p.url NOT LIKE '%{SIGNED}%')
        ORDER BY p.url LIMIT :limit
    """)  # noqa: S608 - constants of ours


def unverified() -> TextClause:
    """Pages of run :run_id that were taken without a valid certificate, that TLS kept away, and of all. Plan: pk_visits."""
    return text("""
        SELECT count(*) FILTER (WHERE unverified_tls) AS unverified,
               count(*) FILTER (WHERE outcome = :failed AND error = :tls) AS refused, count(*) AS visits
        FROM visits WHERE run_id = :run_id
    """).bindparams(failed=int(Outcome.FAILED), tls=str(FailureReason.TLS))
