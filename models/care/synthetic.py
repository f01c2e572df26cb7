"""Data made up for a rehearsal where there are no real ones: set by set, by the server itself, the same for the same seed.

What is drawn by lot is a hash of the row's number, the seed and a salt, so that it does not depend on any order. One row in
a hundred changes from run to run, a site has few header sets and many pages, a few sites have most of the pages.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

CHANGE = 0.01
"""The share of pages that answer with other headers than in the run before."""

FAILED = 0.004
SETS_A_SITE = 24
PADDING = 480
"""Bytes of a header block beyond its first lines: a policy, some cookies."""


def lot(number: str, salt: int) -> str:
    """SQL for a share from 0 to 1 that belongs to a number."""
    return f"((hashint8extended({number}, :seed + {salt}) & 1048575) / 1048576.0)"


def sites() -> TextClause:
    """:sites sites, swept daily."""
    return text("""
        INSERT INTO sites (id, name, source, definition, next_slot_at) OVERRIDING SYSTEM VALUE
        SELECT i, 'site-' || i, 'file', jsonb_build_object('name', 'site-' || i, 'owner', 'team ' || i % 9), now() + interval '1 day'
        FROM generate_series(1, :sites) i
    """)


def origins() -> TextClause:
    """One origin a site."""
    return text("""
        INSERT INTO origins (id, scheme, host, port) OVERRIDING SYSTEM VALUE
        SELECT i, 'https', 'www' || i || '.example', 443 FROM generate_series(1, :sites) i
    """)


def snapshots() -> TextClause:
    """The header sets of each site, about 600 bytes each."""
    return text("""
        INSERT INTO snapshots (id, content_hash, canonical, raw) OVERRIDING SYSTEM VALUE
        SELECT i, sha256(convert_to('headers/1 ' || i || ' ' || :seed, 'UTF8')),
               'headers/1' || E'\\n' || block, convert_to(block, 'UTF8')
        FROM generate_series(1, :sites * :sets) i
        CROSS JOIN LATERAL (SELECT 'Server: nginx' || E'\\r\\nStrict-Transport-Security: max-age=' || 86400 * (i % 365) ||
            E'\\r\\nCache-Control: max-age=' || i % 3600 || E'\\r\\nContent-Security-Policy: default-src ' ||
            left(repeat(md5(i || '/' || :seed), 40), :padding) AS block) b
    """).bindparams(sets=SETS_A_SITE, padding=PADDING)


def pages() -> TextClause:
    """:pages pages: the first sites have most of them."""
    return text("""
        INSERT INTO pages (id, site_id, depth, url_key, url) OVERRIDING SYSTEM VALUE
        SELECT i, site, least(i % 7, 6), decode(md5(i || '/' || :seed), 'hex'),
               'https://www' || site || '.example/section-' || i % 40 || '/page-' || i
        FROM generate_series(1, :pages) i
        -- The share of a site falls with its number: the cube puts a fifth of the pages into the first hundredth.
        CROSS JOIN LATERAL (SELECT 1 + floor(:sites * power((i - 0.5) / :pages, 3))::bigint AS site) s
    """)


def spans() -> TextClause:
    """From which run to which run a page answered with which set; changes fall where the lot says so."""
    return text(f"""
        INSERT INTO spans (page_id, first_run_id, last_run_id, site_id, snapshot_id, status)
        SELECT e.page, (e.first - 1) * :sites + e.site, (e.next - 2) * :sites + e.site, e.site,
               (e.site - 1) * :sets + 1 + floor(power({lot("e.page * 4096 + e.first", 2)}, 2) * :sets)::bigint,
               CASE WHEN {lot("e.page", 3)} < 0.95 THEN 200 WHEN {lot("e.page", 3)} < 0.97 THEN 301 ELSE 404 END
        FROM (SELECT p.id AS page, p.site_id AS site, j AS first,
                     lead(j) OVER (PARTITION BY p.id ORDER BY j) AS next
              FROM pages p CROSS JOIN generate_series(1, CAST(:rounds AS bigint)) j
              WHERE j = 1 OR {lot("p.id * 4096 + j", 1)} < :change) e
    """).bindparams(change=CHANGE, sets=SETS_A_SITE)  # noqa: S608 - constants of this module


def visits() -> TextClause:
    """The visits of the rounds :low to :high, in the order in which runs write them."""
    return text(f"""
        INSERT INTO visits (run_id, page_id, snapshot_id, target_page_id, fetched_at, elapsed_ms, status, outcome, error)
        SELECT v.run, v.page, CASE WHEN NOT failed THEN v.snapshot END, CASE WHEN v.status = 301 AND NOT failed THEN v.page + 1 END,
               timestamptz '2026-01-01 02:00Z' + v.round * interval '1 day' + (v.page % 3600) * interval '1 second',
               20 + floor(900 * power({lot("v.page + v.round * 7", 4)}, 4))::int, CASE WHEN NOT failed THEN v.status END,
               CASE WHEN failed THEN 6 ELSE 1 END, CASE WHEN failed THEN 'timeout: no answer within 60 s' END
        FROM (SELECT (j - 1) * :sites + s.site_id AS run, j AS round, s.page_id AS page, s.snapshot_id AS snapshot, s.status
              FROM spans s
              CROSS JOIN LATERAL generate_series(greatest(:low, (s.first_run_id - 1) / :sites + 1),
                                                 least(:high, (coalesce(s.last_run_id, :rounds * :sites) - 1) / :sites + 1)) j
              ORDER BY 1, 3) v
        CROSS JOIN LATERAL (SELECT {lot("v.page * 4096 + v.round", 5)} < :failed AS failed) f
    """).bindparams(failed=FAILED)  # noqa: S608 - constants of this module


def frontier() -> TextClause:
    """What the runs of the rounds :low to :high had to visit; one shard a run, with the run's number."""
    return text("""
        INSERT INTO frontier (run_id, page_id, shard_id, seq, depth)
        SELECT (j - 1) * :sites + p.site_id, p.id, (j - 1) * :sites + p.site_id, p.seq, p.depth
        FROM generate_series(CAST(:low AS bigint), :high) j
        CROSS JOIN (SELECT id, site_id, depth, row_number() OVER (PARTITION BY site_id ORDER BY id) AS seq FROM pages) p
        ORDER BY 1, 4
    """)


def runs() -> TextClause:
    """The runs, closed with the counts of their visits."""
    return text("""
        INSERT INTO runs (id, site_id, slot, created_at, started_at, finished_at, state, requested_by, definition, digest,
                          planned_pages, discovered, stored, failed, robots_denied, robots_unreachable, out_of_scope, trapped,
                          skipped_limit, unvisited, snapshots, new_snapshots, changed_pages)
        OVERRIDING SYSTEM VALUE
        SELECT id, 1 + (id - 1) % :sites, at, at, at, at + interval '1 hour', 'finished', 'schedule',
               jsonb_build_object('name', 'site-' || 1 + (id - 1) % :sites), sha256(convert_to(id || '/' || :seed, 'UTF8')),
               pages, pages, stored, pages - stored, 0, 0, 0, 0, 0, 0, sets, 0, 0
        FROM (SELECT run_id AS id, timestamptz '2026-01-01 02:00Z' + (1 + (run_id - 1) / :sites) * interval '1 day' AS at,
                     count(*) AS pages, count(snapshot_id) AS stored, count(DISTINCT snapshot_id) AS sets
              FROM visits GROUP BY run_id) v
        ORDER BY id
    """)


def open_runs() -> TextClause:
    """Every tenth site has a run that waits for a worker."""
    return text("""
        INSERT INTO runs (id, site_id, slot, state, requested_by, definition) OVERRIDING SYSTEM VALUE
        SELECT :sites * :rounds + i, i, timestamptz '2026-01-01 02:00Z' + (2 + :rounds) * interval '1 day', 'planned',
               'schedule', jsonb_build_object('name', 'site-' || i)
        FROM generate_series(1, :sites, 10) i
    """)


def shards() -> TextClause:
    """One shard a run."""
    return text("""
        INSERT INTO shards (id, run_id, origin_id, state, top, done_upto, visited) OVERRIDING SYSTEM VALUE
        SELECT id, id, site_id, CASE WHEN digest IS NULL THEN 'open' ELSE 'done' END, planned_pages, planned_pages, planned_pages
        FROM runs ORDER BY id
    """)


def site_snapshots() -> TextClause:
    """Which sets a site ever showed."""
    return text("""
        INSERT INTO site_snapshots (site_id, snapshot_id, first_run_id, last_run_id)
        SELECT site_id, snapshot_id, min(first_run_id), max(coalesce(last_run_id, (:rounds - 1) * :sites + site_id))
        FROM spans GROUP BY site_id, snapshot_id
    """)


def run_sets() -> TextClause:
    """The header sets of each run."""
    return text("""
        INSERT INTO run_sets (run_id, snapshot_id, status, scheme, pages, sample_page_ids)
        SELECT run_id, snapshot_id, status, 'https', count(*), ARRAY[min(page_id)]
        FROM visits WHERE snapshot_id IS NOT NULL GROUP BY run_id, snapshot_id, status
    """)


def judgements() -> TextClause:
    """What rules made of each set."""
    return text("""
        INSERT INTO judgements (snapshot_id, status, scheme, rules_version, response_class, judged)
        SELECT DISTINCT snapshot_id, status, 'https', 1, 'document', true FROM run_sets
    """)


def findings() -> TextClause:
    """A few findings a judgement."""
    return text("""
        INSERT INTO findings (judgement_id, ordinal, code, severity, subject, evidence, detail)
        SELECT id, n, (ARRAY['csp.missing', 'cookie.insecure', 'hsts.short', 'referrer_policy.missing'])[1 + (id + n) % 4],
               (ARRAY['high', 'medium', 'low', 'info'])[1 + (id + n) % 4], '', '', ''
        FROM judgements CROSS JOIN generate_series(1, 4) n WHERE (id + n) % 3 > 0
    """)


def outbox() -> TextClause:
    """An event of each run that is over."""
    return text("""
        INSERT INTO outbox (created_at, emitted_at, event_id, event, payload)
        SELECT finished_at, finished_at, 'run-' || id || '-finished', 'run.finished', jsonb_build_object('run.id', id)
        FROM runs WHERE digest IS NOT NULL ORDER BY id
    """)


def go_on(table: str) -> TextClause:
    """Let a table's numbers go on behind those that were made up."""
    return text(f"""
        SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))
    """)  # noqa: S608 - names of our own tables


BEFORE_VISITS = (sites, origins, snapshots, pages, spans)
AFTER_VISITS = (runs, open_runs, shards, site_snapshots, run_sets, judgements, findings, outbox)
NUMBERED = ("sites", "origins", "snapshots", "pages", "runs", "shards")
