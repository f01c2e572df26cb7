"""Partitions of visits and frontier by run-id range: made before they are needed, dropped by retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from models.schema import PARTITIONED

if TYPE_CHECKING:
    from sqlalchemy import Connection, TextClause

DROP_ORDER = ("visits", "frontier")
"""Visits go first: whoever finds a run without visits knows that it was dropped, whatever is left of its frontier."""

RUNS_PER_PARTITION = 1000
_LOCK = 4_801_207_222


def bounds(run_id: int) -> tuple[int, int]:
    """The half-open range of run ids that shares a partition with this one."""
    low = run_id // RUNS_PER_PARTITION * RUNS_PER_PARTITION
    return low, low + RUNS_PER_PARTITION


def ensure(connection: Connection, run_id: int) -> None:
    """Make the partitions that a run needs, unless they are there. Safe beside busy workers: the parents stay usable."""
    low, high = bounds(run_id)
    missing = [parent for parent in PARTITIONED if not _exists(connection, f"{parent}_r{low}")]
    if not missing:
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    for parent in missing:
        if not _exists(connection, f"{parent}_r{low}"):
            _create(connection, parent, low, high)


def _exists(connection: Connection, name: str) -> bool:
    # Not to_regclass(): its cache goes on saying no after the lock was waited for, and another made the table.
    found = text(
        "SELECT FROM pg_class WHERE relname = :name AND relnamespace = current_schema()::regnamespace"
    )
    return connection.execute(found, {"name": name}).first() is not None


def _create(connection: Connection, parent: str, low: int, high: int) -> None:
    # ATTACH locks the parent far less than CREATE TABLE ... PARTITION OF would.
    connection.execute(text(f"CREATE TABLE {parent}_r{low} (LIKE {parent} INCLUDING ALL)"))
    connection.execute(
        text(f"ALTER TABLE {parent} ATTACH PARTITION {parent}_r{low} FOR VALUES FROM ({low}) TO ({high})")
    )


def droppable(days: int, low: int | None = None) -> TextClause:
    """Where the partitions begin whose runs are all over for longer than so many days, the oldest first.

    Never the one of the newest run, nor one made ahead of need. ``low`` asks about one alone. Plan: pk_runs, by range.
    """
    return text(
        """
        WITH parts AS (
            SELECT DISTINCT CAST(substring(c.relname FROM '_r([0-9]+)$') AS bigint) AS low
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = ANY(CAST(:parents AS regclass[]))
        )
        SELECT low FROM parts
        WHERE low + :width <= (SELECT max(id) FROM runs)
          AND low = coalesce(CAST(:low AS bigint), low)
          AND NOT EXISTS (
              SELECT FROM runs r WHERE r.id >= low AND r.id < low + :width
              AND (r.finished_at IS NULL OR r.finished_at > clock_timestamp() - make_interval(days => :days)))
        ORDER BY low
        """
    ).bindparams(parents=list(DROP_ORDER), width=RUNS_PER_PARTITION, low=low, days=days)


def lock_runs(low: int) -> TextClause:
    """Keep the runs of a partition as they are until the transaction ends: nobody opens one of them again."""
    return text("SELECT id FROM runs WHERE id >= :low AND id < :high ORDER BY id FOR SHARE").bindparams(
        low=low, high=low + RUNS_PER_PARTITION
    )


def drop(connection: Connection, parent: str, low: int) -> bool:
    """Detach and drop one partition; False when it was gone before. The caller sets a short lock_timeout."""
    name = f"{parent}_r{low}"
    if not _exists(connection, name):
        return False
    # Detached first: dropping an attached one would lock the parent for as long as the files take to go.
    connection.execute(text(f"ALTER TABLE {parent} DETACH PARTITION {name}"))
    connection.execute(text(f"DROP TABLE {name}"))
    return True
