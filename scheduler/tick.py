"""The tick: the one idempotent look at everything, by beat, every waiting command and each worker's own timer.

It plans what is due, breaks the leases of dead owners, closes runs that are done, writes the promised log events, drops
what is past retention, and says whether somebody should ring the doorbell. Any number of ticks at once do no harm; a
missed one costs seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headersweep import events, logs
from models import control, outbox, partitions, probes, runs, shards
from scheduler import finishing, owners, ping, planning, probing, retention

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

log = logs.get_logger()

EMIT_LIMIT = 200

TURN = "tick"
TURN_SECONDS = 60.0
"""Somebody does a whole tick at least this often, also where the first look finds nothing due."""

FORGET_HEARTBEATS_SECONDS = 86_400.0


@dataclass(frozen=True)
class TickResult:
    """What a tick did, and how many shards and probes wait for a worker."""

    planned: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    rescued: int = 0
    emitted: int = 0
    due_shards: int = 0
    due_probes: int = 0
    dropped: list[str] = field(default_factory=list)

    @property
    def ring(self) -> bool:
        """Whether there is work that a worker should be told of."""
        return self.due_shards > 0 or self.due_probes > 0


def tick(engine: Engine, *, retention_days: int = 0, ping_url: str = "") -> TickResult:
    """Look at everything once. Without a retention time nothing is dropped, without a URL nobody outside is told."""
    if not is_anything_due(engine):
        return TickResult()
    planned = planning.plan(engine)
    with engine.begin() as connection:
        rescued = rescue(connection) + probing.rescue(connection)
    finished = finishing.finish_due(engine)
    emitted = emit(engine, ping_url)
    with engine.begin() as connection:
        due = connection.execute(shards.due_count()).scalar_one()
        due_probes = connection.execute(probes.due_count()).scalar_one()
        newest = connection.execute(runs.newest()).scalar()
        # Ahead of need, so that no run waits for it.
        partitions.ensure(connection, (newest or 0) + partitions.RUNS_PER_PARTITION)
        # At the end: a tick that fails before has not had its turn.
        if connection.execute(control.take_turn(TURN, TURN_SECONDS)).first() is not None:
            connection.execute(control.forget_heartbeats(FORGET_HEARTBEATS_SECONDS))
    dropped = retention.drop_old(engine, retention_days)
    return TickResult(planned, finished, rescued, emitted, due, due_probes, dropped)


def plan(engine: Engine) -> list[int]:
    """Make the runs of the slots that have come, and arrange those that wait; the log lines follow the commits."""
    return planning.plan(engine) if is_anything_due(engine) else []


def is_anything_due(engine: Engine) -> bool:
    """Whether a tick may find work. One statement, since most ticks of most days find none."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return bool(connection.scalar(control.anything_due(TURN, TURN_SECONDS)))


def rescue(connection: Connection) -> int:
    """End the leases of processes of this host that are gone for certain, so that nobody waits for their clock."""
    dead = [
        owner for owner in connection.execute(shards.leased_owners()).scalars() if owners.dead_here(owner)
    ]
    if not dead:
        return 0
    rows = connection.execute(shards.expire(), {"owners": dead}).all()
    for row in rows:
        log.info("shard.rescued", run_id=row.run_id, shard_id=row.id)
    return len(rows)


def emit(engine: Engine, ping_url: str = "") -> int:
    """Write the promised log events; after a crash in between, again under the same event id. Then tell the switch."""
    with engine.begin() as connection:
        rows = connection.execute(outbox.waiting(), {"limit": EMIT_LIMIT}).all()
        for row in rows:
            log.info(
                "run.finished", **events.checked("run.finished", {"event_id": row.event_id, **row.payload})
            )
        if rows:
            connection.execute(outbox.mark_emitted(), {"ids": [row.id for row in rows]})
    ping.tell(ping_url, [(row.event_id, row.payload) for row in rows])
    return len(rows)
