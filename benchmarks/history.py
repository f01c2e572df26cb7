"""What history costs at the size of a large run: repeated nonces when it closes, a comparison from spans.

    python -m benchmarks.history postgresql://user@host/scratch [--pages 200000]

The database is one of its own that this run may fill: everything in it is dropped first. Postgres' statistics know nothing
of the newest run, as when it has just ended. Each figure is the best of three.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, text

from models import drift, migrate, nonces, partitions, reviews
from models import engine as engines
from scheduler import judging

ROUNDS = 3
CHANGED_SHARE = 100
"""One page of so many changed between the two runs."""

NONCES = {
    "no nonces": "NULL",
    "a new nonce on each page": "substring(sha256((CAST(:run AS bigint) || '-' || i)::bytea) FOR 8)",
    "each nonce on two pages": "substring(sha256((CAST(:run AS bigint) || '-' || i / 2)::bytea) FOR 8)",
    "the same on each page in both runs": "substring(sha256(i::text::bytea) FOR 8)",
    "one nonce for all": "'\\x0102030405060708'::bytea",
}
CANONICAL = (
    "headers/1\ncontent-security-policy: script-src 'nonce-<nonce>'\ncontent-type: text/html\nx-mark: "
)

LOAD = (
    "INSERT INTO sites (name, source, definition) VALUES ('large', 'file', '{}')",
    """INSERT INTO snapshots (content_hash, canonical, raw)
       SELECT sha256(i::text::bytea), :canonical || i, 'x' FROM generate_series(1, 50) i""",
    """INSERT INTO pages (site_id, depth, url_key, url)
       SELECT 1, 1, decode(md5(i::text), 'hex'), 'https://large.example/' || i FROM generate_series(1, :n) i""",
    """INSERT INTO runs (site_id, slot, state, requested_by, definition, finished_at, digest, discovered, stored,
                         robots_denied, robots_unreachable, out_of_scope, trapped, failed, skipped_limit, unvisited)
       SELECT 1, '2026-01-01Z'::timestamptz + i * interval '1 hour', 'finished', 'test', '{}', now(), sha256(''), :n, :n,
              0, 0, 0, 0, 0, 0, 0 FROM generate_series(1, 40) i""",
    """INSERT INTO spans (page_id, first_run_id, last_run_id, site_id, snapshot_id, status)
       SELECT i, 1, CASE WHEN i % :share = 0 THEN 30 END, 1, 1, 200 FROM generate_series(1, :n) i""",
    """INSERT INTO spans (page_id, first_run_id, site_id, snapshot_id, status)
       SELECT i, 31, 1, 2, 200 FROM generate_series(1, :n) i WHERE i % :share = 0""",
)
VISITS = """INSERT INTO visits (run_id, page_id, snapshot_id, fetched_at, status, outcome, nonce_digest)
            SELECT :run, i, i % 50 + 1, now(), 200, 1, {nonce} FROM generate_series(1, :n) i"""


def main() -> None:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="a scratch database; everything in it is dropped")
    parser.add_argument("--pages", type=int, default=200_000)
    given = parser.parse_args()
    engine = engines.connect(given.url)
    load(engine, given.pages)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        compare(connection)
    for name, nonce in NONCES.items():
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            close(connection, name, nonce, given.pages)
    engine.dispose()


def load(engine: Engine, pages: int) -> None:
    """Start from an empty database with one site, its pages, forty closed runs, and the spans of all pages."""
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    migrate.upgrade(engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        partitions.ensure(connection, 1)
        values = {"n": pages, "canonical": CANONICAL, "share": CHANGED_SHARE}
        for statement in LOAD:
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
        connection.execute(text("ANALYZE"))


def compare(connection: Connection) -> None:
    """Two runs from their spans: far apart, and neighbours."""
    for old, new in ((30, 31), (1, 40), (39, 40)):
        values = {"site_id": 1, "old": old, "new": new, "since": 26}
        seconds = best(functools.partial(groups, connection, values))
        show(f"run {old} to run {new} from spans", seconds)


def groups(connection: Connection, values: dict[str, int]) -> int:
    """How many groups of pages differ between two runs."""
    return len(connection.execute(drift.from_spans(), values).all())


def close(connection: Connection, name: str, nonce: str, pages: int) -> None:
    """The header sets of a run and its repeated nonces, with the run before it at hand."""
    connection.execute(text("TRUNCATE visits, run_sets, run_nonces"))
    connection.execute(text(judging.UNSORTED))
    for run_id in (39, 40):
        connection.execute(text(VISITS.format(nonce=nonce)), {"run": run_id, "n": pages})
        started = time.perf_counter()
        connection.execute(reviews.add_sets(), {"run_id": run_id})
        sets = time.perf_counter() - started

    def add() -> None:
        connection.execute(nonces.drop(), {"run_id": 40})
        earlier = list(connection.execute(nonces.earlier(), {"run_id": 40}).scalars())
        connection.execute(nonces.add(), {"run_id": 40, "earlier": earlier})

    show(f"nonces, {name}", best(add), f"sets of the run: {sets * 1000:,.0f} ms")


def best(work: Callable[[], object]) -> float:
    """The least of some rounds, in seconds."""
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def show(name: str, seconds: float, more: str = "") -> None:
    """One line of the result."""
    print(f"{name:<48} {seconds * 1000:10,.1f} ms  {more}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
