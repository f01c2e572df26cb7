"""Retention: visits and frontier of runs that ended long ago go, whole partitions at a time; spans and snapshots stay.

What was noted of such runs' sitemaps and probes goes with their frontier; log events go one by one, when they were written long ago.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from headersweep import logs
from headersweep.errors import UsageError
from models import control, frontier, outbox, partitions, probes, visits

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row

log = logs.get_logger()

TURN = "retention"
TURN_SECONDS = 3600.0
BUSY_SECONDS = 60.0
"""When a partition was in use, the next look is this much later instead of a whole turn."""

LOCK_TIMEOUT_MS = 250
"""For so long everybody who wants the table may have to wait behind us, while we wait for those who have it."""

EVENTS_AT_ONCE = 1_000

_LOCK_NOT_AVAILABLE = "55P03"


def drop_old(engine: Engine, days: int) -> list[str]:
    """Drop the partitions that are past retention, at most one look an hour; returns their names. 0 days: never."""
    if not days or not _is_our_turn(engine):
        return []
    with engine.connect() as connection:
        lows = list(connection.execute(partitions.droppable(days)).scalars())
    pairs = [(parent, low) for low in lows for parent in partitions.DROP_ORDER]
    dropped = [f"{parent}_r{low}" for parent, low in pairs if _drop(engine, parent, low, days)]
    while _forget_events(engine, days) == EVENTS_AT_ONCE:
        pass
    return dropped


def _forget_events(engine: Engine, days: int) -> int:
    with engine.begin() as connection:
        return connection.execute(outbox.forget(), {"limit": EVENTS_AT_ONCE, "days": days}).rowcount


def _is_our_turn(engine: Engine) -> bool:
    with engine.begin() as connection:
        return connection.execute(control.take_turn(TURN, TURN_SECONDS)).one_or_none() is not None


def _drop(engine: Engine, parent: str, low: int, days: int) -> bool:
    """One partition, one transaction: whoever writes several tables cannot deadlock with it."""
    started = time.monotonic()
    try:
        with engine.begin() as connection:
            dropped = _drop_locked(connection, parent, low, days)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        _postpone(engine, f"{parent}_r{low}")
        return False
    if dropped:
        duration = round((time.monotonic() - started) * 1000)
        log.info("partition.dropped", partition=f"{parent}_r{low}", retention_days=days, duration_ms=duration)
    return dropped


def _drop_locked(connection: Connection, parent: str, low: int, days: int) -> bool:
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.execute(partitions.lock_runs(low))
    # Looked at again under the lock: somebody may have opened one of the runs meanwhile.
    if connection.execute(partitions.droppable(days, low)).scalar() is None:
        return False
    if parent == "frontier":
        # Before the table is locked, which nobody should have to wait for.
        high = low + partitions.RUNS_PER_PARTITION
        connection.execute(frontier.forget_sitemaps(), {"low": low, "high": high})
        connection.execute(probes.forget(), {"high": high})
    return partitions.drop(connection, parent, low)


def _postpone(engine: Engine, partition: str) -> None:
    with engine.begin() as connection:
        connection.execute(control.shorten_turn(TURN, TURN_SECONDS - BUSY_SECONDS))
    log.info("partition.postponed", partition=partition)


def refuse_dropped(connection: Connection, run: Row[Any]) -> None:
    """UsageError for a closed run whose visits are gone: opened again, it would be closed as an empty one."""
    visited = (run.discovered or 0) - (run.unvisited or 0)
    if visited and not connection.execute(visits.any_kept(), {"run_id": run.id}).scalar_one():
        raise UsageError(
            f"the visits of run {run.id} were dropped by retention, so it cannot go on; "
            f"`headersweep rerun {run.id}` sweeps its site anew"
        )
