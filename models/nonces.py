"""Nonces that came more than once: counted when a run closes, so that it is known past retention."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
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

EARLIER_RUNS = 5
"""So many runs before one are looked at for its nonces."""

EARLIER_PAGES = 1_000_000
"""And no more of them than have so many pages together; but always the last one."""

SAMPLES = 2
"""How many pages with the most repeated nonce are named."""

ENFORCED = "\ncontent-security-policy: [^\n]*'nonce-<nonce>'"
"""In a canonical text: a policy with a nonce that browsers take for one (see headersweep/volatile.py)."""

DOCUMENT = "\ncontent-type: (text/html|application/xhtml\\+xml)"
"""What browsers run scripts of. A picture from a cache may carry the same header twice and harms nobody."""

run_nonces = Table(
    "run_nonces",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("nonces", BigInteger, nullable=False),
    # Of the run itself; before: in runs before it.
    Column("pages", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False),
    # How often the most repeated one was seen, here and before.
    Column("most", BigInteger, nullable=False),
    Column("sample_page_ids", ARRAY(BigInteger), nullable=False),
    # run: on several pages of the run; runs: on one page of it, and in runs before.
    Column("kind", Text, nullable=False),
    # Whether a shared cache repeated it: no two answers came without an Age.
    Column("cached", Boolean, nullable=False),
    CheckConstraint("kind IN ('run', 'runs')", name="kind"),
    CheckConstraint("nonces > 0 AND pages >= nonces AND before >= 0 AND most > 1", name="counts"),
    CheckConstraint(f"cardinality(sample_page_ids) BETWEEN 1 AND {SAMPLES}", name="samples"),
    PrimaryKeyConstraint("run_id", "kind", "cached"),
    info={
        KEEPS: "How often nonces of content security policies came more than once, in a run or over several. At most four rows a run."
    },
)


def drop() -> TextClause:
    """Forget the nonces of run :run_id, which is being closed again. Plan: pk_run_nonces."""
    return text("DELETE FROM run_nonces WHERE run_id = :run_id")


def earlier() -> TextClause:
    """The runs before run :run_id of its site that are over, the newest first, as far as they are to be looked at.

    Plan: uq_runs_site_id_slot.
    """
    return text("""
        SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS place,
                               sum(coalesce(stored, 0)) OVER (ORDER BY id DESC) AS pages
                        FROM (SELECT id, stored FROM runs
                              WHERE site_id = (SELECT site_id FROM runs WHERE id = :run_id)
                                AND id < :run_id AND digest IS NOT NULL
                              ORDER BY id DESC LIMIT :runs) AS last) AS counted
        WHERE place = 1 OR pages <= :pages
        ORDER BY id DESC
    """).bindparams(runs=EARLIER_RUNS, pages=EARLIER_PAGES)


def add() -> TextClause:
    """Keep which nonces of run :run_id came more than once, in it or in the runs :earlier that still have visits.

    One pass over these visits, grouped by hash, which spills to disk where it is large; none where no document of the
    run has a nonce: its header sets (``run_sets``), which are made before, say so. ``IS TRUE`` keeps the planner, whose statistics
    do not know a run that has just ended, from joining row by row.
    """
    return text("""
        WITH shown AS MATERIALIZED (
            SELECT r.run_id, r.snapshot_id
            FROM (SELECT DISTINCT run_id, snapshot_id FROM run_sets
                  WHERE run_id = ANY(CAST(:earlier AS bigint[]) || CAST(:run_id AS bigint))
                    AND status NOT BETWEEN 300 AND 399) r
            CROSS JOIN LATERAL (SELECT canonical FROM snapshots WHERE id = r.snapshot_id OFFSET 0) s
            WHERE s.canonical ~ :enforced AND s.canonical ~ :document
        ), counted AS MATERIALIZED (
            SELECT count(*) FILTER (WHERE run_id = :run_id) AS here,
                   count(*) FILTER (WHERE run_id = :run_id AND coalesce(age_s, 0) = 0) AS fresh,
                   count(*) FILTER (WHERE run_id <> :run_id) AS before,
                   min(page_id) FILTER (WHERE run_id = :run_id) AS first_page_id,
                   max(page_id) FILTER (WHERE run_id = :run_id) AS last_page_id
            FROM visits
            WHERE run_id = ANY(CAST(:earlier AS bigint[]) || CAST(:run_id AS bigint))
              AND EXISTS (SELECT FROM shown WHERE run_id = :run_id)
              AND nonce_digest IS NOT NULL AND (snapshot_id IN (SELECT snapshot_id FROM shown)) IS TRUE
            GROUP BY nonce_digest
            HAVING count(*) > 1 AND count(*) FILTER (WHERE run_id = :run_id) > 0
        ), repeated AS MATERIALIZED (
            SELECT *, CASE WHEN here > 1 THEN 'run' ELSE 'runs' END AS kind,
                   fresh < CASE WHEN here > 1 AND before = 0 THEN 2 ELSE 1 END AS cached
            FROM counted
        )
        INSERT INTO run_nonces (run_id, kind, cached, nonces, pages, before, most, sample_page_ids)
        SELECT :run_id, g.kind, g.cached, g.nonces, g.pages, g.before, g.most,
               (SELECT CASE WHEN first_page_id = last_page_id THEN ARRAY[first_page_id]
                            ELSE ARRAY[first_page_id, last_page_id] END
                FROM repeated r WHERE r.kind = g.kind AND r.cached = g.cached
                ORDER BY here + before DESC, first_page_id LIMIT 1)
        FROM (SELECT kind, cached, count(*) AS nonces, sum(here) AS pages, sum(before) AS before,
                     max(here + before) AS most
              FROM repeated GROUP BY kind, cached) g
        ON CONFLICT (run_id, kind, cached) DO NOTHING
    """).bindparams(enforced=ENFORCED, document=DOCUMENT)


def of_run() -> TextClause:
    """The nonces of run :run_id that came more than once. Plan: pk_run_nonces."""
    return text("""
        SELECT kind, cached, nonces, pages, before, most, sample_page_ids
        FROM run_nonces WHERE run_id = :run_id ORDER BY kind, cached
    """)
