"""What the review says: the header sets of each closed run, and the judgement of each combination by each rules version.

A run's sets are rows per header set, not per page, so they are kept for good; visits are not. A judgement belongs to no
run: what was judged once is known for every run and every site that shows it again.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)

from headersweep.responses import ResponseClass
from models.columns import UTC_TIME, identity, one_of
from models.metadata import KEEPS, metadata

SEVERITIES = ("info", "low", "medium", "high")
"""As ``review.finding.Severity`` has them; tables know nothing of the review, and a test holds the two together."""

SCHEMES = ("http", "https")
SAMPLES = 3
"""How many pages of a set are named."""

HOPS = 20
"""So many redirects are followed from a page; browsers give up there too."""

run_sets = Table(
    "run_sets",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("snapshot_id", BigInteger, ForeignKey("snapshots.id"), nullable=False),
    # What was read in the bodies; 0: nothing was.
    Column("facts_id", BigInteger, nullable=False, server_default=text("0")),
    Column("pages", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("sample_page_ids", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("run_id", "snapshot_id", "status", "scheme", "facts_id"),
    one_of("scheme", SCHEMES, "scheme"),
    CheckConstraint("pages > 0", name="pages"),
    CheckConstraint(f"cardinality(sample_page_ids) BETWEEN 1 AND {SAMPLES}", name="samples"),
    info={
        KEEPS: "The header sets of a closed run: which snapshot, status and scheme, on how many pages. Kept for good."
    },
)

judgements = Table(
    "judgements",
    metadata,
    identity(),
    Column("snapshot_id", BigInteger, ForeignKey("snapshots.id"), nullable=False),
    Column("facts_id", BigInteger, nullable=False, server_default=text("0")),
    Column("judged_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("rules_version", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    # False where a firewall or a challenge answered in the site's place.
    Column("judged", Boolean, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("response_class", Text, nullable=False),
    UniqueConstraint("snapshot_id", "status", "scheme", "facts_id", "rules_version"),
    one_of("scheme", SCHEMES, "scheme"),
    one_of("response_class", ResponseClass, "response_class"),
    CheckConstraint("rules_version >= 1", name="rules_version"),
    info={
        KEEPS: "What one version of the rules says of one combination of snapshot, status, scheme and facts: judged once."
    },
)

findings = Table(
    "findings",
    metadata,
    Column("judgement_id", BigInteger, ForeignKey("judgements.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("detail", Text, nullable=False),
    one_of("severity", SEVERITIES, "severity"),
    CheckConstraint("ordinal >= 1", name="ordinal"),
    CheckConstraint("code LIKE '%_.%_'", name="code"),
    Index("ix_findings_code", "code"),
    info={KEEPS: "The findings of each judgement, with the line as evidence."},
)


def drop_sets() -> TextClause:
    """Forget the header sets of run :run_id, which is being closed again. Plan: pk_run_sets."""
    return text("DELETE FROM run_sets WHERE run_id = :run_id")


def add_sets() -> TextClause:
    """Keep the header sets of run :run_id, each with its number of pages and the three that are known for longest.

    One pass over the run's visits, each page by its key. The samples come from an unsorted aggregate: with an order
    inside of it, all of the run would be sorted.
    """
    return text("""
        INSERT INTO run_sets (run_id, snapshot_id, status, scheme, facts_id, pages, sample_page_ids)
        SELECT :run_id, g.snapshot_id, g.status, g.scheme, g.facts_id, g.pages,
               ARRAY(SELECT page_id FROM unnest(g.page_ids) AS page_id ORDER BY page_id LIMIT :samples)
        FROM (SELECT v.snapshot_id, v.status, p.scheme, coalesce(v.facts_id, 0) AS facts_id,
                     count(*) AS pages, array_agg(v.page_id) AS page_ids
              FROM visits v
              CROSS JOIN LATERAL (SELECT CASE WHEN url LIKE 'https:%' THEN 'https' ELSE 'http' END AS scheme
                                  FROM pages WHERE id = v.page_id OFFSET 0) p
              WHERE v.run_id = :run_id AND v.snapshot_id IS NOT NULL
              GROUP BY v.snapshot_id, v.status, p.scheme, coalesce(v.facts_id, 0)) g
        ON CONFLICT (run_id, snapshot_id, status, scheme, facts_id) DO NOTHING
    """).bindparams(samples=SAMPLES)


def sets_add_up() -> TextClause:
    """Whether the header sets of run :run_id have all pages that it stored. Plan: pk_run_sets, pk_runs."""
    return text("""
        SELECT coalesce(sum(pages), 0) = coalesce((SELECT stored FROM runs WHERE id = :run_id), 0)
        FROM run_sets WHERE run_id = :run_id
    """)


def count_sets() -> TextClause:
    """How many header sets of run :run_id are kept. Plan: pk_run_sets."""
    return text("SELECT count(*) FROM run_sets WHERE run_id = :run_id")


def sets_of_run() -> TextClause:
    """The header sets of run :run_id, the most common first, each with its snapshot. Plan: pk_run_sets, then by key."""
    return text("""
        SELECT r.snapshot_id, r.status, r.scheme, r.facts_id, r.pages, r.sample_page_ids,
               s.content_hash, s.canonical, s.raw, f.facts, coalesce(k.first_run_id = r.run_id, false) AS is_new
        FROM run_sets r
        JOIN snapshots s ON s.id = r.snapshot_id
        JOIN runs ON runs.id = r.run_id
        LEFT JOIN body_facts f ON f.id = r.facts_id
        LEFT JOIN site_snapshots k ON k.site_id = runs.site_id AND k.snapshot_id = r.snapshot_id
        WHERE r.run_id = :run_id
        ORDER BY r.pages DESC, s.content_hash, r.status, r.scheme, r.facts_id
    """)


def sample_urls() -> TextClause:
    """The URLs of the pages :page_ids. Plan: pk_pages."""
    return text("SELECT id, url FROM pages WHERE id = ANY(CAST(:page_ids AS bigint[]))")


def answers_from() -> TextClause:
    """What run :run_id got for page :url_key of site :site_id, and for where it was redirected to from there, in order.

    Plan: uq_pages_site_id_url_key, then pk_visits, pk_pages and pk_snapshots by key.
    """
    return text("""
        WITH RECURSIVE chain (page_id, hop) AS (
            SELECT id, 0 FROM pages WHERE site_id = :site_id AND url_key = :url_key
            UNION ALL
            SELECT v.target_page_id, c.hop + 1
            FROM chain c
            CROSS JOIN LATERAL (SELECT target_page_id FROM visits
                                WHERE run_id = :run_id AND page_id = c.page_id OFFSET 0) v
            WHERE v.target_page_id IS NOT NULL AND c.hop < :hops
        )
        SELECT p.url, v.status, s.raw
        FROM chain c
        CROSS JOIN LATERAL (SELECT url FROM pages WHERE id = c.page_id OFFSET 0) p
        CROSS JOIN LATERAL (SELECT status, snapshot_id FROM visits
                            WHERE run_id = :run_id AND page_id = c.page_id OFFSET 0) v
        CROSS JOIN LATERAL (SELECT raw FROM snapshots WHERE id = v.snapshot_id OFFSET 0) s
        ORDER BY c.hop
    """).bindparams(hops=HOPS)


def unjudged() -> TextClause:
    """The next :limit combinations of run :run_id, by key, that :rules_version has not judged.

    Plan: pk_run_sets, then judgements by key (see models/spans.py about OFFSET 0).
    """
    return text("""
        SELECT r.snapshot_id, r.status, r.scheme, r.facts_id, s.raw, f.facts
        FROM run_sets r JOIN snapshots s ON s.id = r.snapshot_id LEFT JOIN body_facts f ON f.id = r.facts_id
        WHERE r.run_id = :run_id
          AND (r.snapshot_id, r.status, r.scheme, r.facts_id) > (:snapshot_id, :status, :scheme, :facts_id)
          AND NOT EXISTS (SELECT FROM judgements j
                          WHERE j.snapshot_id = r.snapshot_id AND j.status = r.status AND j.scheme = r.scheme
                            AND j.facts_id = r.facts_id AND j.rules_version = :rules_version OFFSET 0)
        ORDER BY r.snapshot_id, r.status, r.scheme, r.facts_id LIMIT :limit
    """)


def add_judgements() -> TextClause:
    """Keep judgements; what is judged by that rules version already stays. Returns the new. Sorted against deadlocks."""
    return text("""
        INSERT INTO judgements (snapshot_id, status, scheme, facts_id, rules_version, response_class, judged)
        SELECT x.snapshot_id, x.status, x.scheme, x.facts_id, :rules_version, x.response_class, x.judged
        FROM unnest(CAST(:snapshot_ids AS bigint[]), CAST(:statuses AS smallint[]), CAST(:schemes AS text[]),
                    CAST(:facts_ids AS bigint[]), CAST(:response_classes AS text[]), CAST(:judgeds AS boolean[]))
             AS x(snapshot_id, status, scheme, facts_id, response_class, judged)
        ORDER BY 1, 2, 3, 4
        ON CONFLICT (snapshot_id, status, scheme, facts_id, rules_version) DO NOTHING
        RETURNING id, snapshot_id, status, scheme, facts_id
    """)


def add_findings() -> TextClause:
    """Keep the findings of judgements that were made in this transaction."""
    return text("""
        INSERT INTO findings (judgement_id, ordinal, code, severity, subject, evidence, detail)
        SELECT * FROM unnest(
            CAST(:judgement_ids AS bigint[]), CAST(:ordinals AS int[]), CAST(:codes AS text[]),
            CAST(:severities AS text[]), CAST(:subjects AS text[]), CAST(:evidences AS text[]),
            CAST(:details AS text[]))
    """)


def judgements_of_run() -> TextClause:
    """What :rules_version says of the header sets of run :run_id. Plan: pk_run_sets, then judgements by key."""
    return text("""
        SELECT j.id, j.snapshot_id, j.status, j.scheme, j.facts_id, j.response_class, j.judged, r.pages
        FROM run_sets r
        CROSS JOIN LATERAL (SELECT * FROM judgements j
                            WHERE j.snapshot_id = r.snapshot_id AND j.status = r.status AND j.scheme = r.scheme
                              AND j.facts_id = r.facts_id AND j.rules_version = :rules_version OFFSET 0) j
        WHERE r.run_id = :run_id
    """)


def judgements_before() -> TextClause:
    """For each header set of run :run_id, the newest judgement of a version below :rules_version, if there is one.

    Plan: pk_run_sets, then judgements by key.
    """
    return text("""
        SELECT j.id, j.snapshot_id, j.status, j.scheme, j.facts_id, j.rules_version, r.pages
        FROM run_sets r
        CROSS JOIN LATERAL (SELECT * FROM judgements j
                            WHERE j.snapshot_id = r.snapshot_id AND j.status = r.status AND j.scheme = r.scheme
                              AND j.facts_id = r.facts_id AND j.rules_version < :rules_version
                            ORDER BY j.rules_version DESC LIMIT 1) j
        WHERE r.run_id = :run_id
    """)


def findings_of() -> TextClause:
    """The findings of the judgements :judgement_ids, each judgement's in order. Plan: pk_findings."""
    return text("""
        SELECT judgement_id, code, severity, subject, evidence, detail
        FROM findings WHERE judgement_id = ANY(CAST(:judgement_ids AS bigint[]))
        ORDER BY judgement_id, ordinal
    """)
