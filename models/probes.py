"""Active probes of runs: what is asked beyond the pages because the site wants it, and what was answered.

One row is one request. Rows are planted in the transaction that closes the run, leased like shards (the database's clock,
a fencing number, attempts counted at the claim), and written once more when they end. They go with the visits of their
run; those of a run that is a baseline stay as long as it is one.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from headersweep.probes import EXPIRES_SECONDS, MAX_ATTEMPTS, MAX_KEY, GivenUp, ProbeKind, ProbeState
from models.columns import UTC_TIME, identity, one_of
from models.metadata import KEEPS, metadata

probes = Table(
    "probes",
    metadata,
    identity(),
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("site_id", BigInteger, ForeignKey("sites.id"), nullable=False),
    Column("origin_id", BigInteger, ForeignKey("origins.id"), nullable=False),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("planted_at", UTC_TIME, nullable=False, server_default=text("clock_timestamp()")),
    Column("not_before", UTC_TIME, nullable=False, server_default=text("clock_timestamp()")),
    Column("lease_until", UTC_TIME),
    Column("asked_at", UTC_TIME),
    Column("ended_at", UTC_TIME),
    # So many seconds at the least behind the step before.
    Column("gap", Float, nullable=False, server_default=text("0")),
    Column("elapsed_ms", Integer),
    # Probes of one kind with one key belong together and are asked in this order.
    Column("step", SmallInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("status", SmallInteger),
    # No list of kinds here: a new one needs no migration.
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    # Empty: the site's file wants it. Else the person who asked for it.
    Column("requested_by", Text, nullable=False, server_default=text("''")),
    Column("state", Text, nullable=False, server_default=text(f"'{ProbeState.WAITING}'")),
    Column("lease_owner", Text),
    Column("error", Text),
    Column("request", JSONB, nullable=False),
    # The header block as received, cookie values masked.
    Column("raw", LargeBinary),
    # What the kind keeps of the body: never the body.
    Column("evidence", JSONB),
    UniqueConstraint("run_id", "kind", "key", "step"),
    one_of("state", ProbeState, "state"),
    CheckConstraint("kind ~ '^[a-z][a-z_]{0,39}$'", name="kind"),
    CheckConstraint(f"length(key) BETWEEN 1 AND {MAX_KEY}", name="key_length"),
    CheckConstraint(f"step >= 1 AND gap >= 0 AND attempts BETWEEN 0 AND {MAX_ATTEMPTS}", name="counters"),
    CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="lease"),
    CheckConstraint("state = 'waiting' OR lease_owner IS NULL", name="ended_has_no_lease"),
    CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_has_time"),
    CheckConstraint(
        "(state = 'answered') = (status IS NOT NULL AND raw IS NOT NULL)", name="answered_has_answer"
    ),
    CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name="failed_has_error"),
    CheckConstraint("length(error) <= 200", name="error_length"),
    # At most one request at a time from all workers, whoever claims beside whom.
    Index(
        "uq_probes_one_at_an_origin",
        "origin_id",
        unique=True,
        postgresql_where=text("lease_owner IS NOT NULL"),
    ),
    Index("ix_probes_waiting", "id", postgresql_where=text("state = 'waiting'")),
    info={
        KEEPS: "Requests beyond the pages of a run that its site asks for, and what was answered. One row a request."
    },
)

_WANTED = "(p.requested_by <> '' OR coalesce(s.definition #>> ARRAY['probes', p.kind] = 'true', false))"
"""A person asked for it, or the site's file still does."""

_WORKABLE = f"""
            FROM probes p
            JOIN origins o ON o.id = p.origin_id
            JOIN sites s ON s.id = p.site_id AND s.enabled
            JOIN runs r ON r.id = p.run_id AND coalesce(r.not_after > clock_timestamp(), true)
            WHERE p.state = 'waiting' AND p.attempts < {MAX_ATTEMPTS} AND p.kind = ANY(CAST(:kinds AS text[]))
              AND {_WANTED}
              AND p.planted_at > clock_timestamp() - interval '{EXPIRES_SECONDS} seconds'
              AND NOT EXISTS (SELECT FROM control WHERE paused)
"""
"""Probes that may be made as soon as their time has come: of sites that are enabled and still want them, in their window.

Of the kinds that this program knows: a newer one beside it may have planted others.
"""
_KINDS = [str(kind) for kind in ProbeKind]

_NEXT = f"""{_WORKABLE}
              AND NOT EXISTS (SELECT FROM probes b
                              WHERE b.run_id = p.run_id AND b.kind = p.kind AND b.key = p.key AND b.step < p.step
                                AND b.state = 'waiting')
"""
"""Those of them that wait for no earlier step."""

_AT_REST = "NOT EXISTS (SELECT FROM probes h WHERE h.origin_id = p.origin_id AND h.lease_owner IS NOT NULL AND h.id <> p.id)"
"""No other probe is under way at its origin."""

_DUE = f"""{_NEXT}
              AND {_AT_REST}
              AND p.not_before <= clock_timestamp()
              AND (p.lease_until IS NULL OR p.lease_until < clock_timestamp())
              AND o.blocked_until <= clock_timestamp()
              AND o.next_request_at <= clock_timestamp() + interval '2 seconds'
"""
"""Those of them whose time has come, at origins where no other probe is under way."""


def plant() -> TextClause:
    """Add the probes of run :run_id; those that it has already are left alone. Returns the new."""
    return text("""
        INSERT INTO probes (run_id, site_id, requested_by, origin_id, kind, key, step, gap, request)
        SELECT :run_id, :site_id, :requested_by, x.origin_id, x.kind, x.key, x.step, x.gap, x.request
        FROM unnest(CAST(:origin_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:keys AS text[]),
                    CAST(:steps AS smallint[]), CAST(:gaps AS float[]), CAST(:requests AS jsonb[]))
             AS x(origin_id, kind, key, step, gap, request)
        ON CONFLICT (run_id, kind, key, step) DO NOTHING
        RETURNING id
    """)


def claim() -> TextClause:
    """Lease up to :limit due probes to :owner for :lease seconds, at most one an origin, and count the attempt.

    Two claims at once may choose two probes of one origin: the unique index refuses the later one, which then has claimed
    nothing. Plan: ix_probes_waiting.
    """
    return text(f"""
        WITH due AS MATERIALIZED (
            SELECT DISTINCT ON (p.origin_id) p.id
            {_DUE}
            ORDER BY p.origin_id, p.lease_owner IS NULL, p.run_id, p.kind, p.key, p.step
        ), mine AS MATERIALIZED (
            SELECT p.id FROM probes p JOIN due ON due.id = p.id
            WHERE p.state = 'waiting' AND (p.lease_until IS NULL OR p.lease_until < clock_timestamp())
            ORDER BY p.id LIMIT :limit
            FOR UPDATE OF p SKIP LOCKED
        )
        UPDATE probes p
        SET lease_owner = :owner, lease_until = clock_timestamp() + make_interval(secs => :lease),
            fence = p.fence + 1, attempts = p.attempts + 1, asked_at = clock_timestamp()
        FROM mine, runs r, sites s
        WHERE p.id = mine.id AND r.id = p.run_id AND s.id = p.site_id
        RETURNING p.id, p.run_id, p.site_id, p.origin_id, p.fence, p.attempts, p.kind, p.key, p.step, p.request,
                  r.definition, s.name AS site_name
    """).bindparams(kinds=_KINDS)  # noqa: S608 - constants of this module


def due_count() -> TextClause:
    """How many probes could be made now, those of one origin one after the other. Plan: ix_probes_waiting."""
    return text(f"SELECT count(*) {_DUE}").bindparams(kinds=_KINDS)


def soonest() -> TextClause:
    """In how many seconds the next probe can be made where nobody makes one at its origin; NULL when there is none.

    Whoever makes one there goes on with the next. Plan: ix_probes_waiting.
    """
    return text(f"""
        SELECT extract(epoch FROM min(greatest(p.not_before, o.blocked_until, o.next_request_at)) - clock_timestamp())
        {_NEXT} AND {_AT_REST} AND p.lease_owner IS NULL
    """).bindparams(kinds=_KINDS)  # noqa: S608 - a constant of this module


def renew() -> TextClause:
    """Renew the leases :ids that :owner still holds under their :fences; returns those that it does.

    Plan: uq_probes_one_at_an_origin, which has no more rows than leases.
    """
    return text("""
        UPDATE probes p SET lease_until = clock_timestamp() + make_interval(secs => :lease)
        FROM unnest(CAST(:ids AS bigint[]), CAST(:fences AS bigint[])) AS m(id, fence)
        WHERE p.id = m.id AND p.fence = m.fence AND p.lease_owner = :owner
        RETURNING p.id
    """)


def settle() -> TextClause:
    """End probe :id of :owner under its :fence, answered or failed, and let the next step's gap begin.

    No row where the lease is another's by now: then its answer counts. Plan: uq_probes_one_at_an_origin, then
    uq_probes_run_id_kind_key_step.
    """
    return text("""
        WITH ended AS (
            UPDATE probes
            SET state = :state, status = :status, raw = :raw, error = :error, evidence = CAST(:evidence AS jsonb),
                elapsed_ms = :elapsed_ms, ended_at = clock_timestamp(), lease_owner = NULL, lease_until = NULL
            WHERE id = :id AND fence = :fence AND lease_owner = :owner AND state = 'waiting'
            RETURNING id, run_id, kind, key, step
        ), after AS (
            UPDATE probes n SET not_before = greatest(n.not_before, clock_timestamp() + make_interval(secs => n.gap))
            FROM ended e
            WHERE n.run_id = e.run_id AND n.kind = e.kind AND n.key = e.key AND n.step = e.step + 1
        )
        SELECT id FROM ended
    """)


def put_back() -> TextClause:
    """Hand back probe :id of :owner under its :fence, due again in :delay seconds; :refund takes its attempt back.

    Plan: uq_probes_one_at_an_origin.
    """
    return text("""
        UPDATE probes
        SET lease_owner = NULL, lease_until = NULL, attempts = greatest(attempts - :refund, 0),
            not_before = clock_timestamp() + make_interval(secs => :delay)
        WHERE id = :id AND fence = :fence AND lease_owner = :owner AND state = 'waiting'
        RETURNING id
    """)


def give_up() -> TextClause:
    """End the probes that nobody will make: lost with the last attempt, too old, out of their window, or not wanted now.

    Returns them. Plan: ix_probes_waiting.
    """
    return text(f"""
        WITH dead AS MATERIALIZED (
            SELECT p.id, CASE WHEN p.attempts >= {MAX_ATTEMPTS} THEN '{GivenUp.LOST}'
                              WHEN NOT {_WANTED} THEN '{GivenUp.SWITCHED_OFF}' ELSE '{GivenUp.EXPIRED}' END AS error
            FROM probes p JOIN runs r ON r.id = p.run_id JOIN sites s ON s.id = p.site_id
            WHERE p.state = 'waiting' AND (p.lease_until IS NULL OR p.lease_until < clock_timestamp())
              AND (p.attempts >= {MAX_ATTEMPTS} OR r.not_after <= clock_timestamp()
                   OR p.planted_at <= clock_timestamp() - interval '{EXPIRES_SECONDS} seconds'
                   OR NOT {_WANTED})
            ORDER BY p.id
            FOR UPDATE OF p SKIP LOCKED
        )
        UPDATE probes p SET state = 'failed', error = dead.error, ended_at = clock_timestamp(),
                            lease_owner = NULL, lease_until = NULL
        FROM dead WHERE p.id = dead.id
        RETURNING p.id, p.run_id, p.kind, p.error
    """)  # noqa: S608 - constants of the vocabulary


def leased_owners() -> TextClause:
    """Who holds probes. Plan: uq_probes_one_at_an_origin."""
    return text("SELECT DISTINCT lease_owner FROM probes WHERE lease_owner IS NOT NULL")


def free() -> TextClause:
    """Take back the leases that ran out, and those of :owners, who are gone for certain; returns their probes.

    Plan: uq_probes_one_at_an_origin.
    """
    return text("""
        UPDATE probes SET lease_owner = NULL, lease_until = NULL
        WHERE lease_owner IS NOT NULL
          AND (lease_until < clock_timestamp() OR lease_owner = ANY(CAST(:owners AS text[])))
        RETURNING id, run_id, kind
    """)


def of_run() -> TextClause:
    """The probes of run :run_id, in order. Plan: uq_probes_run_id_kind_key_step."""
    return text("""
        SELECT kind, key, step, state, attempts, request, status, raw, evidence, elapsed_ms, error, ended_at
        FROM probes WHERE run_id = :run_id ORDER BY kind, key, step
    """)


def counts() -> TextClause:
    """How many probes of the runs :run_ids stand how, and why some failed. Plan: uq_probes_run_id_kind_key_step."""
    return text("""
        SELECT run_id, kind, state, coalesce(error, '') AS error, count(*) AS probes
        FROM probes WHERE run_id = ANY(CAST(:run_ids AS bigint[])) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    """)


def workable_count() -> TextClause:
    """How many probes of the runs :run_ids somebody may still make, now or later. Plan: ix_probes_waiting."""
    return text(f"SELECT count(*) {_WORKABLE} AND p.run_id = ANY(CAST(:run_ids AS bigint[]))").bindparams(
        kinds=_KINDS
    )


def candidates() -> TextClause:
    """The header sets of run :run_id, the most common first, each with its first page: at most :limit.

    Plan: pk_run_sets, then by key.
    """
    return text("""
        SELECT p.url, r.status, r.scheme, r.pages, s.raw
        FROM run_sets r
        CROSS JOIN LATERAL (SELECT url FROM pages WHERE id = r.sample_page_ids[1] OFFSET 0) p
        CROSS JOIN LATERAL (SELECT raw FROM snapshots WHERE id = r.snapshot_id OFFSET 0) s
        WHERE r.run_id = :run_id
        ORDER BY r.pages DESC, r.snapshot_id, r.status, r.scheme, r.facts_id LIMIT :limit
    """)


def forget() -> TextClause:
    """Drop the probes of runs below :high, but for those of baselines.

    Plan: uq_probes_run_id_kind_key_step, then ix_baselines_run_id (see models/spans.py about OFFSET 0).
    """
    return text("""
        DELETE FROM probes p
        WHERE run_id < :high AND NOT EXISTS (SELECT FROM baselines b WHERE b.run_id = p.run_id OFFSET 0)
    """)
