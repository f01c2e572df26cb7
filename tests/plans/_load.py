"""Fill a database with enough rows that the planner chooses as it would in production."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from models import partitions

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROWS = 20_000

NUMBERED = (
    "sites", "origins", "runs", "shards", "snapshots", "body_facts", "pages", "outbox", "run_actions", "judgements",
    "baselines", "probes",
)  # fmt: skip
"""Tables whose ids begin with 1 here, whatever other tests counted up before; rolled back with the rest."""

STATEMENTS = (
    # Ids are counted from 1 here; tests that were rolled back before may have used some.
    "TRUNCATE sites, origins, snapshots, body_facts, outbox RESTART IDENTITY CASCADE",
    # 20,000 sites of which 20 are due.
    """INSERT INTO sites (name, source, definition, enabled, next_slot_at)
       SELECT 'site' || i, 'file', '{}', true,
              CASE WHEN i <= 20 THEN now() - interval '1 minute' ELSE now() + interval '1 day' END
       FROM generate_series(1, :n) i""",
    """INSERT INTO origins (scheme, host, port) SELECT 'http', 'h' || i || '.example', 80 FROM generate_series(1, :n) i""",
    # 20,000 closed runs (ids 1..n) and 20 open ones behind them.
    """INSERT INTO runs (site_id, slot, state, requested_by, definition, finished_at, digest, discovered, stored,
                         robots_denied, robots_unreachable, out_of_scope, trapped, failed, skipped_limit, unvisited)
       SELECT i, '2026-01-01Z', 'finished', 'test', '{}', now(), decode(repeat('00', 32), 'hex'), 0,0,0,0,0,0,0,0,0
       FROM generate_series(1, :n) i""",
    """INSERT INTO runs (site_id, slot, state, requested_by, definition, started_at)
       SELECT i, '2026-01-02Z', 'running', 'test', '{}', now() FROM generate_series(1, 20) i""",
    """INSERT INTO run_actions (run_id, generation, action, asked_by)
       SELECT i, 1, 'resume', 'ann@host' FROM generate_series(1, :n) i""",
    """INSERT INTO baselines (site_id, run_id, expires, owner, reason, rollback_note, approved_by)
       SELECT i, i, '2027-01-01', 'o', 'r', 'n', 'ann@host' FROM generate_series(1, :n) i""",
    """INSERT INTO shards (run_id, origin_id, state, top, done_upto)
       SELECT i, i, 'done', 10, 10 FROM generate_series(1, :n) i""",
    """INSERT INTO shards (run_id, origin_id, state, top, done_upto)
       SELECT :n + i, i, 'open', :n, 0 FROM generate_series(1, 20) i""",
    """INSERT INTO snapshots (content_hash, canonical, raw)
       SELECT sha256(i::text::bytea), 'headers/1' || i, 'x' FROM generate_series(1, :n) i""",
    """INSERT INTO body_facts (facts_hash, facts)
       SELECT sha256(i::text::bytea), '{"version": "facts/1"}' FROM generate_series(1, :n) i""",
    """INSERT INTO pages (site_id, depth, url_key, url)
       SELECT 1, 1, decode(md5(i::text), 'hex'), 'http://h1.example/' || i FROM generate_series(1, :n) i""",
    """INSERT INTO frontier (run_id, page_id, shard_id, seq, depth)
       SELECT :n + 1, i, :n + 1, i, 1 FROM generate_series(1, :n) i""",
    """INSERT INTO frontier (run_id, page_id, shard_id, seq, depth)
       SELECT :n + 2, i, :n + 2, i, 1 FROM generate_series(1, :n) i""",
    """INSERT INTO visits (run_id, page_id, snapshot_id, fetched_at, status, outcome)
       SELECT :n + 1, i, i % 50 + 1, now(), 200, 1 FROM generate_series(1, :n / 2) i""",
    """INSERT INTO visits (run_id, page_id, snapshot_id, fetched_at, status, outcome)
       SELECT :n + 2, i, i % 50 + 1, now(), 200, 1 FROM generate_series(1, :n) i""",
    """INSERT INTO retries (run_id, page_id, shard_id, not_before, attempts, error)
       SELECT i % 100 + 1, i, i % 100 + 1, now() + interval '1 hour', 1, 'timeout' FROM generate_series(1, :n) i""",
    """INSERT INTO sitemaps (run_id, url_key, shard_id, url, done_at)
       SELECT i, decode(md5(i::text), 'hex'), i, 'http://x/', now() FROM generate_series(1, :n) i""",
    """INSERT INTO spans (page_id, first_run_id, site_id, snapshot_id, status)
       SELECT i, 1, 1, 1, 200 FROM generate_series(1, :n) i""",
    """INSERT INTO site_snapshots (site_id, snapshot_id, first_run_id, last_run_id)
       SELECT i, i, i, i FROM generate_series(1, :n) i""",
    """INSERT INTO site_masks (site_id, header_name, run_id, distinct_values, responses)
       SELECT i, 'x-pod', 1, 51, 60 FROM generate_series(1, :n) i""",
    # Every closed run showed one set; the open ones, 50.
    """INSERT INTO run_redirects (run_id, pages, sample_page_id, kind, source, target)
       SELECT i, 1, i, 'hop', 'http://h1.example', 'https://h1.example' FROM generate_series(1, :n) i""",
    """INSERT INTO run_sets (run_id, snapshot_id, status, scheme, pages, sample_page_ids)
       SELECT i, i, 200, 'http', 1, ARRAY[i] FROM generate_series(1, :n) i""",
    """INSERT INTO run_sets (run_id, snapshot_id, status, scheme, pages, sample_page_ids)
       SELECT :n + i, j, 200, 'http', 1, ARRAY[j] FROM generate_series(1, 2) i, generate_series(1, 50) j""",
    """INSERT INTO judgements (snapshot_id, status, scheme, rules_version, response_class, judged)
       SELECT i, 200, 'http', 1, 'document', true FROM generate_series(1, :n) i""",
    """INSERT INTO findings (judgement_id, ordinal, code, severity, subject, evidence, detail)
       SELECT i, j, 'csp.missing', 'high', '', '', '' FROM generate_series(1, :n) i, generate_series(1, 3) j""",
    # Every closed run has a probe that was answered; of 20 more, one is under way.
    """INSERT INTO probes (run_id, site_id, origin_id, kind, key, step, attempts, state, status, raw, ended_at, request)
       SELECT i, i, i, 'cors', 'http://h1.example/', 1, 1, 'answered', 200, 'x', now(), '{}' FROM generate_series(1, :n) i""",
    """INSERT INTO probes (run_id, site_id, origin_id, kind, key, step, requested_by, request, lease_owner, lease_until)
       SELECT i, i, i, 'cors', 'http://h1.example/', 2, 'ann@host', '{}', CASE i WHEN 1 THEN 'me' END,
              CASE i WHEN 1 THEN now() + interval '1 minute' END
       FROM generate_series(1, 20) i""",
    """INSERT INTO outbox (event_id, event, payload, emitted_at)
       SELECT 'e' || i, 'run.finished', '{}', now() FROM generate_series(1, :n) i""",
    """INSERT INTO outbox (event_id, event, payload) VALUES ('waiting', 'run.finished', '{}')""",
)


def fill(connection: Connection) -> None:
    """Load the tables and let the planner know."""
    for table in NUMBERED:
        connection.execute(text(f"ALTER TABLE {table} ALTER COLUMN id RESTART"))
    for run_id in (1, ROWS + 1):
        partitions.ensure(connection, run_id)
    for statement in STATEMENTS:
        connection.execute(text(statement), {"n": ROWS} if ":n" in statement else {})
    connection.execute(text("ANALYZE"))
