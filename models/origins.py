"""Origins: what politeness and robots.txt belong to, for every worker and across restarts."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    Integer,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)

from models.columns import UTC_TIME, identity, one_of
from models.metadata import KEEPS, metadata

origins = Table(
    "origins",
    metadata,
    identity(),
    Column("next_request_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("blocked_until", UTC_TIME, nullable=False, server_default=text("'-infinity'")),
    Column("robots_fetched_at", UTC_TIME),
    Column("robots_expires_at", UTC_TIME),
    Column("rate", Float),
    Column("port", Integer, nullable=False),
    Column("robots_status", SmallInteger),
    Column("backoff_level", SmallInteger, nullable=False, server_default=text("0")),
    Column("robots_failures", SmallInteger, nullable=False, server_default=text("0")),
    Column("scheme", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("robots_text", Text),
    UniqueConstraint("scheme", "host", "port"),
    one_of("scheme", ("http", "https"), "scheme"),
    CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    CheckConstraint("host = lower(host) AND length(host) BETWEEN 1 AND 255", name="host"),
    CheckConstraint("backoff_level BETWEEN 0 AND 20", name="backoff_level"),
    CheckConstraint("rate IS NULL OR rate >= 0", name="rate"),
    # HOT updates: politeness changes at every commit and stands in no index.
    postgresql_with={"fillfactor": "50"},
    info={
        KEEPS: "What politeness needs to know of an origin: when it may be asked next, how fast, and its robots.txt."
    },
)


def insert() -> TextClause:
    """Make known the origins given by :schemes, :hosts and :ports; known ones are left alone."""
    return text("""
        INSERT INTO origins (scheme, host, port)
        SELECT * FROM unnest(CAST(:schemes AS text[]), CAST(:hosts AS text[]), CAST(:ports AS int[]))
        ORDER BY 1, 2, 3
        ON CONFLICT (scheme, host, port) DO NOTHING
    """)


def find() -> TextClause:
    """The ids of the origins given by :schemes, :hosts and :ports. Plan: uq_origins_scheme_host_port."""
    return text("""
        SELECT o.id, o.scheme, o.host, o.port
        FROM unnest(CAST(:schemes AS text[]), CAST(:hosts AS text[]), CAST(:ports AS int[])) AS x(scheme, host, port)
        JOIN origins o USING (scheme, host, port)
    """)


def load() -> TextClause:
    """All that a crawl must know of the origins :ids. Plan: pk_origins."""
    return text("""
        SELECT id, scheme, host, port, rate, backoff_level, robots_text, robots_status,
               robots_fetched_at, robots_expires_at, robots_failures, clock_timestamp() AS now
        FROM origins WHERE id = ANY(CAST(:ids AS bigint[]))
    """)


def reserve() -> TextClause:
    """Reserve :counts requests, :gaps seconds apart, on the origins :ids, for every worker and across restarts.

    Returns in how many seconds the first of them is allowed, and from when to when they reach.
    Plan: pk_origins.
    """
    return text("""
        WITH wanted AS MATERIALIZED (
            SELECT o.id, w.gap, w.n, greatest(o.next_request_at, clock_timestamp()) AS first
            FROM origins o
            JOIN unnest(CAST(:ids AS bigint[]), CAST(:counts AS int[]), CAST(:gaps AS float[])) AS w(id, n, gap)
              ON w.id = o.id
            ORDER BY o.id FOR NO KEY UPDATE OF o
        )
        UPDATE origins o SET next_request_at = wanted.first + make_interval(secs => wanted.n * wanted.gap)
        FROM wanted WHERE o.id = wanted.id
        RETURNING o.id, extract(epoch FROM wanted.first - clock_timestamp())::float AS wait,
                  wanted.first AS begins, o.next_request_at AS ends
    """)


def give_back() -> TextClause:
    """Give back :seconds at the end of the reservations that reached to :ends, where nobody reserved behind them."""
    return text("""
        UPDATE origins o SET next_request_at = g.ends - make_interval(secs => g.seconds)
        FROM unnest(CAST(:ids AS bigint[]), CAST(:endss AS timestamptz[]), CAST(:seconds AS float[]))
             AS g(id, ends, seconds)
        WHERE o.id = g.id AND o.next_request_at = g.ends
    """)


def resting() -> TextClause:
    """Those of the origins :ids that asked for a rest, whoever they told. Plan: pk_origins."""
    return text("""
        SELECT id FROM origins WHERE id = ANY(CAST(:ids AS bigint[])) AND blocked_until > clock_timestamp()
    """)


def feedback() -> TextClause:
    """Keep what the origins :ids taught: rate and back-off. A wait only ever grows. Plan: pk_origins."""
    return text("""
        WITH told AS MATERIALIZED (
            SELECT o.id, f.rate, f.level, f.block
            FROM origins o
            JOIN unnest(CAST(:ids AS bigint[]), CAST(:rates AS float[]), CAST(:levels AS smallint[]),
                        CAST(:blocks AS float[]))
                 AS f(id, rate, level, block) ON f.id = o.id
            ORDER BY o.id FOR NO KEY UPDATE OF o
        )
        UPDATE origins o
        SET rate = told.rate, backoff_level = told.level,
            blocked_until = CASE WHEN told.block > 0
                THEN greatest(o.blocked_until, clock_timestamp() + make_interval(secs => told.block))
                ELSE o.blocked_until END
        FROM told WHERE o.id = told.id
    """)


def keep_robots() -> TextClause:
    """Keep an origin's robots.txt: its status, its text where it has one, and for how many seconds it holds."""
    return text("""
        UPDATE origins SET robots_status = :status, robots_text = coalesce(:body, robots_text),
               robots_fetched_at = CASE WHEN :good THEN clock_timestamp() ELSE robots_fetched_at END,
               robots_expires_at = clock_timestamp() + make_interval(secs => :holds),
               robots_failures = CASE WHEN :good THEN 0 ELSE least(robots_failures + 1, 100) END
        WHERE id = :id
    """)
