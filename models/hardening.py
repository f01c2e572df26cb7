"""What the checklist of a site asks of a run's rows, beside what the review keeps."""

from __future__ import annotations

from sqlalchemy import TextClause, text

SECRET_NAMES = "pass(word|wd|phrase)?|pwd|secret|client_secret|token|access_token|id_token|refresh_token|api_?key|auth|sess(ion)?(id|_id)?|jsessionid|phpsessid|sid"  # noqa: S105 - names of parameters
"""Names of parameters whose value is a secret by what it is called."""


def secret_urls() -> TextClause:
    """Up to :limit pages of run :run_id whose URL has a parameter with such a name, and a value. Plan: pk_visits, then by key."""
    return text(f"""
        SELECT p.url FROM visits v JOIN pages p ON p.id = v.page_id
        WHERE v.run_id = :run_id AND v.snapshot_id IS NOT NULL
          AND p.url ~* '[?&;/]({SECRET_NAMES})=[^&;#/]{{4}}'
        ORDER BY p.url LIMIT :limit
    """)  # noqa: S608 - a constant of this module


def unverified() -> TextClause:
    """How many pages of run :run_id were fetched without a valid certificate. Plan: pk_visits."""
    return text("SELECT count(*) FROM visits WHERE run_id = :run_id AND unverified_tls")
