"""Partitions of visits and frontier by run-id range: made before they are needed, dropped by retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from models.schema import PARTITIONED

if TYPE_CHECKING:
    from sqlalchemy import Connection

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
