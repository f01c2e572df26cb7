"""Shards: the pages of one run on one origin; the unit of lease, of politeness and of resuming."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)

from headersweep.states import ShardState
from models.columns import UTC_TIME, identity, one_of
from models.metadata import KEEPS, metadata

shards = Table(
    "shards",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("origin_id", BigInteger, ForeignKey("origins.id"), nullable=False),
    # The pages known from earlier runs are put into the frontier in bites; NULL when there is nothing (left) to do.
    Column("known_upto", BigInteger),
    Column("visited", BigInteger, nullable=False, server_default=text("0")),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("lease_until", UTC_TIME),
    Column("not_before", UTC_TIME, nullable=False, server_default=text("now()")),
    # Frontier rows of the shard are numbered 1..top; all up to done_upto have a visit or wait in retries.
    Column("top", Integer, nullable=False, server_default=text("0")),
    Column("done_upto", Integer, nullable=False, server_default=text("0")),
    Column("suspect_page_id", BigInteger),
    Column("ordinal", SmallInteger, nullable=False, server_default=text("0")),
    Column("lost_leases", SmallInteger, nullable=False, server_default=text("0")),
    Column("lease_owner", Text),
    Column("state", Text, nullable=False, server_default=text(f"'{ShardState.OPEN}'")),
    UniqueConstraint("run_id", "origin_id", "ordinal"),
    one_of("state", ShardState, "state"),
    CheckConstraint("done_upto BETWEEN 0 AND top", name="done_upto"),
    CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="lease"),
    CheckConstraint("state = 'open' OR done_upto = top", name="done_has_no_rest"),
    CheckConstraint("ordinal >= 0 AND lost_leases >= 0", name="counters"),
    # No column of the lease's clock stands in an index, so that renewals are HOT.
    Index("ix_shards_open", "run_id", "id", postgresql_where=text("state = 'open'")),
    postgresql_with={"fillfactor": "50", "autovacuum_vacuum_scale_factor": "0.01"},
    info={
        KEEPS: "The pages of one run on one origin: who holds the lease until when, with which fencing number."
    },
)

SOLO_AFTER = 2
"""After so many lost leases without progress a shard goes on alone, page by page, each page marked before it starts."""

QUARANTINE_AFTER = 3
"""The lost lease that names the marked page: it is quarantined."""

LOST_PAUSE_SECONDS = 60
"""A shard that goes on losing leases although no page is to blame waits so long, and lets the others work."""


_WORKABLE = """
            FROM shards s
            JOIN runs r ON r.id = s.run_id AND r.state IN ('planned', 'running')
             AND r.not_before IS NOT NULL AND coalesce(r.not_after > clock_timestamp(), true)
            JOIN origins o ON o.id = s.origin_id
            WHERE s.state = 'open'
              AND NOT EXISTS (SELECT FROM control WHERE paused)
"""
"""Shards with work left, of runs that may be worked on as soon as their time has come, while nothing is paused."""

_DUE = f"""{_WORKABLE}
              AND r.not_before <= clock_timestamp()
              AND s.not_before <= clock_timestamp()
              AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())
              AND o.blocked_until <= clock_timestamp()
              AND o.next_request_at <= clock_timestamp() + interval '2 seconds'
"""
"""Those of them whose time has come, and that nobody holds."""


def claim() -> TextClause:
    """Lease up to :limit due shards to :owner for :lease seconds, with a fencing number that only grows.

    A lease that ran out counts as lost at the claim, so that a page that kills the process cannot loop.
    :solo asks for the shards that must go on alone. Plan: ix_shards_open.
    """
    return text(f"""
        WITH due AS MATERIALIZED (
            SELECT s.id, (s.lease_until IS NOT NULL)::int AS lost, r.generation
            {_DUE}
              AND (s.lost_leases + (s.lease_until IS NOT NULL)::int >= :solo_after) = :solo
            ORDER BY s.run_id, s.id
            LIMIT :limit
            FOR UPDATE OF s SKIP LOCKED
        )
        UPDATE shards s
        SET lease_owner = :owner,
            lease_until = clock_timestamp() + make_interval(secs => :lease),
            fence = s.fence + 1,
            lost_leases = least(s.lost_leases + due.lost, 100),
            not_before = CASE WHEN s.lost_leases + due.lost > :pause_after
                THEN clock_timestamp() + make_interval(secs => :pause) ELSE s.not_before END
        FROM due
        WHERE s.id = due.id
        RETURNING s.id, s.run_id, s.origin_id, s.ordinal, s.fence, s.top, s.done_upto, s.known_upto,
                  s.lost_leases, s.suspect_page_id, due.generation
    """).bindparams(pause_after=QUARANTINE_AFTER, pause=LOST_PAUSE_SECONDS)  # noqa: S608 - a constant of this module


def due_count() -> TextClause:
    """How many shards could be claimed now. Plan: ix_shards_open."""
    return text(f"SELECT count(*) {_DUE}")


def lock() -> TextClause:
    """Lock the shards :ids in the one order that everybody uses, and tell who holds them. Plan: pk_shards."""
    return text("""
        SELECT id, run_id, fence, lease_owner, top, done_upto
        FROM shards WHERE id = ANY(CAST(:ids AS bigint[]))
        ORDER BY id FOR NO KEY UPDATE
    """)


def renew() -> TextClause:
    """Renew the leases :ids that :owner still holds under their :fences; returns those that it does."""
    return text("""
        WITH mine AS MATERIALIZED (
            SELECT s.id FROM shards s
            JOIN unnest(CAST(:ids AS bigint[]), CAST(:fences AS bigint[])) AS m(id, fence)
              ON m.id = s.id AND m.fence = s.fence
            WHERE s.lease_owner = :owner
            ORDER BY s.id FOR NO KEY UPDATE OF s
        )
        UPDATE shards s SET lease_until = clock_timestamp() + make_interval(secs => :lease)
        FROM mine WHERE s.id = mine.id
        RETURNING s.id
    """)


def grow() -> TextClause:
    """Take in :counts new frontier rows per shard of :ids, :decided of them with their visit; done is open again.

    Returns the shards, and whether somebody holds them.
    """
    return text("""
        UPDATE shards s SET top = s.top + g.added, visited = s.visited + g.decided, state = 'open',
               not_before = least(s.not_before, clock_timestamp())
        FROM unnest(CAST(:ids AS bigint[]), CAST(:counts AS int[]), CAST(:decided AS int[])) AS g(id, added, decided)
        WHERE s.id = g.id
        RETURNING s.id, s.lease_owner IS NOT NULL AS held
    """)


def advance() -> TextClause:
    """Move on the held shards :ids: low-water mark, visits, known pages, lease; progress clears the lost leases.

    A page that was marked is above suspicion once :settled, which says that its result, whatever it is, came in.
    """
    return text("""
        UPDATE shards s
        SET done_upto = greatest(s.done_upto, least(a.done_upto, s.top)),
            visited = s.visited + a.visited,
            known_upto = a.known_upto,
            suspect_page_id = CASE WHEN a.settled THEN NULL ELSE s.suspect_page_id END,
            lost_leases = CASE WHEN a.clear_lost THEN 0 ELSE s.lost_leases END,
            lease_until = clock_timestamp() + make_interval(secs => :lease)
        FROM unnest(CAST(:ids AS bigint[]), CAST(:done_uptos AS int[]), CAST(:visits AS int[]),
                    CAST(:known_uptos AS bigint[]), CAST(:clear_losts AS boolean[]), CAST(:settleds AS boolean[]))
             AS a(id, done_upto, visited, known_upto, clear_lost, settled)
        WHERE s.id = a.id
    """)


def release() -> TextClause:
    """Hand back the held shards :ids of :owner (fence checked): done when nothing is left, else due again in time.

    :done_uptos are their low-water marks now that everything is committed; a commit cannot count the rows that it makes
    itself. Whether rows are left is asked of the row as it is updated, not of the statement's snapshot: another shard's
    commit may just have added some.
    """
    return text("""
        WITH mine AS MATERIALIZED (
            SELECT s.id, m.prepared, m.done_upto,
                   (SELECT min(t.not_before) FROM retries t WHERE t.shard_id = s.id) AS retry_at,
                   EXISTS (SELECT FROM sitemaps x WHERE x.shard_id = s.id AND x.done_at IS NULL) AS has_sitemaps
            FROM shards s
            JOIN unnest(CAST(:ids AS bigint[]), CAST(:fences AS bigint[]), CAST(:prepared AS boolean[]),
                        CAST(:done_uptos AS int[]))
              AS m(id, fence, prepared, done_upto) ON m.id = s.id AND m.fence = s.fence
            WHERE s.lease_owner = :owner
            ORDER BY s.id FOR NO KEY UPDATE OF s
        )
        UPDATE shards s
        SET lease_owner = NULL, lease_until = NULL, suspect_page_id = NULL,
            done_upto = greatest(s.done_upto, least(mine.done_upto, s.top)),
            state = CASE WHEN greatest(s.done_upto, mine.done_upto) < s.top OR s.known_upto IS NOT NULL OR mine.has_sitemaps
                              OR NOT mine.prepared OR mine.retry_at IS NOT NULL THEN 'open' ELSE 'done' END,
            not_before = CASE WHEN greatest(s.done_upto, mine.done_upto) < s.top OR s.known_upto IS NOT NULL OR mine.has_sitemaps
                                   OR NOT mine.prepared OR mine.retry_at IS NULL
                              THEN clock_timestamp() ELSE mine.retry_at END
        FROM mine WHERE s.id = mine.id
        RETURNING s.id, s.run_id, s.state
    """)


def lapse() -> TextClause:
    """Let the lease of shard :id end now, as if its holder had died: the next claim counts it as lost."""
    return text("""
        UPDATE shards SET lease_until = clock_timestamp() - interval '1 millisecond'
        WHERE id = :id AND fence = :fence AND lease_owner = :owner
    """)


def mark_suspect() -> TextClause:
    """Name the page that a lone shard is about to fetch, before it starts."""
    return text("""
        UPDATE shards SET suspect_page_id = :page_id, lease_until = clock_timestamp() + make_interval(secs => :lease)
        WHERE id = :id AND fence = :fence AND lease_owner = :owner
        RETURNING id
    """)


def clear_quarantined() -> TextClause:
    """After its marked page was quarantined a shard goes on with a clean slate."""
    return text(
        "UPDATE shards SET suspect_page_id = NULL, lost_leases = 0 WHERE id = ANY(CAST(:ids AS bigint[]))"
    )


def leased_owners() -> TextClause:
    """Who holds leases now, so that owners that are known to be dead can be found. Plan: ix_shards_open."""
    return text("""
        SELECT DISTINCT lease_owner FROM shards
        WHERE state = 'open' AND lease_owner IS NOT NULL AND lease_until >= clock_timestamp()
    """)


def expire() -> TextClause:
    """End the leases of :owners that are dead for certain, so that nobody waits for their clock. Plan: ix_shards_open."""
    return text("""
        UPDATE shards SET lease_until = clock_timestamp() - interval '1 millisecond'
        WHERE state = 'open' AND lease_owner = ANY(CAST(:owners AS text[])) AND lease_until >= clock_timestamp()
        RETURNING id, run_id
    """)


def insert() -> TextClause:
    """Add shards of run :run_id for :origin_ids, numbered by :ordinals; known ones are left alone."""
    return text("""
        INSERT INTO shards (run_id, origin_id, ordinal, known_upto)
        SELECT :run_id, x.origin_id, x.ordinal, x.known_upto
        FROM unnest(CAST(:origin_ids AS bigint[]), CAST(:ordinals AS smallint[]), CAST(:known_uptos AS bigint[]))
             AS x(origin_id, ordinal, known_upto)
        ORDER BY x.origin_id, x.ordinal
        ON CONFLICT (run_id, origin_id, ordinal) DO NOTHING
    """)


def insert_first() -> TextClause:
    """Add the first shards of runs that this very transaction created, and tell their ids."""
    return text("""
        INSERT INTO shards (run_id, origin_id, ordinal, known_upto)
        SELECT x.* FROM unnest(CAST(:run_ids AS bigint[]), CAST(:origin_ids AS bigint[]), CAST(:ordinals AS smallint[]),
                               CAST(:known_uptos AS bigint[])) AS x(run_id, origin_id, ordinal, known_upto)
        RETURNING id, run_id, origin_id, ordinal
    """)


def of_run() -> TextClause:
    """The shards of run :run_id with their origins. Plan: uq_shards_run_id_origin_id_ordinal."""
    return text("""
        SELECT s.id, s.ordinal, s.origin_id, o.scheme, o.host, o.port
        FROM shards s JOIN origins o ON o.id = s.origin_id WHERE s.run_id = :run_id
    """)


def open_count() -> TextClause:
    """How many shards of run :run_id have work left. Plan: ix_shards_open."""
    return text("SELECT count(*) FROM shards WHERE run_id = :run_id AND state = 'open'")


def reopen() -> TextClause:
    """Let the shards of run :run_id be looked at again from their first frontier row."""
    return text("""
        UPDATE shards SET state = 'open', done_upto = 0, not_before = clock_timestamp(), lost_leases = 0,
                          suspect_page_id = NULL
        WHERE run_id = :run_id
    """)


def uncount() -> TextClause:
    """The visits of pages :page_ids of run :run_id were taken back. Plan: pk_frontier, pk_shards."""
    return text("""
        UPDATE shards s SET visited = s.visited - c.pages
        FROM (SELECT f.shard_id, count(*) AS pages FROM frontier f
              WHERE f.run_id = :run_id AND f.page_id = ANY(CAST(:page_ids AS bigint[])) GROUP BY f.shard_id) c
        WHERE s.id = c.shard_id
    """)


def fence_off() -> TextClause:
    """Take run :run_id away from whoever works on it: their next commit finds another fencing number."""
    return text("""
        UPDATE shards SET fence = fence + 1, lease_owner = NULL, lease_until = NULL WHERE run_id = :run_id
    """)


def soonest() -> TextClause:
    """In how many seconds the next shard that nobody holds can be claimed; NULL when there is none. Plan: ix_shards_open."""
    return text(f"""
        SELECT extract(epoch FROM min(greatest(s.not_before, o.blocked_until, o.next_request_at,
                                                  r.not_before)) - clock_timestamp())
        {_WORKABLE} AND s.lease_owner IS NULL
    """)  # noqa: S608 - a constant of this module
