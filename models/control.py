"""The kill switch, and the heartbeats of workers and beats: one small row each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, SmallInteger, Table, Text, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB

from models.columns import UTC_TIME, one_of
from models.metadata import metadata

control = Table(
    "control",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1")),
    Column("changed_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("changed_by", Text, nullable=False, server_default=text("''")),
    Column("reason", Text, nullable=False, server_default=text("''")),
    CheckConstraint("id = 1", name="one_row"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("started_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("kind", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    one_of("kind", ("worker", "beat", "tick"), "kind"),
    postgresql_with={"fillfactor": "50"},
)


def pause(*, changed_by: str, reason: str) -> TextClause:
    """Turn the kill switch: nothing is planned or fetched. A row comes back only if it was not paused before."""
    return text(
        """
        INSERT INTO control (id, paused, changed_by, reason, changed_at)
        VALUES (1, true, :changed_by, :reason, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET paused = true, changed_by = excluded.changed_by,
            reason = excluded.reason, changed_at = excluded.changed_at
        WHERE NOT control.paused
        RETURNING paused
        """
    ).bindparams(changed_by=changed_by, reason=reason)


def unpause(*, changed_by: str, reason: str) -> TextClause:
    """Let everything go on. A row comes back only if it was paused before."""
    return text(
        """
        UPDATE control
        SET paused = false, changed_by = :changed_by, reason = :reason, changed_at = clock_timestamp()
        WHERE paused
        RETURNING paused
        """
    ).bindparams(changed_by=changed_by, reason=reason)


def is_paused() -> TextClause:
    """One boolean: whether the kill switch is turned; as long as nobody ever touched it, it is not."""
    return text("SELECT coalesce((SELECT paused FROM control), false)")


def switch_state() -> TextClause:
    """Whether it is paused, since when, by whom and why; no row when nobody ever touched it."""
    return text("SELECT paused, changed_at, changed_by, reason FROM control")


def record_heartbeat(
    *, name: str, kind: str, detail: Mapping[str, Any], starting: bool = False
) -> TextClause:
    """Say by the database's clock that a process is alive; ``starting`` also sets when it began."""
    return text(
        """
        INSERT INTO heartbeats (name, kind, detail) VALUES (:name, :kind, CAST(:detail AS jsonb))
        ON CONFLICT (name) DO UPDATE SET
            seen_at = clock_timestamp(), kind = excluded.kind, detail = excluded.detail,
            started_at = CASE WHEN :starting THEN clock_timestamp() ELSE heartbeats.started_at END
        """
    ).bindparams(name=name, kind=kind, detail=json.dumps(detail), starting=starting)


def list_heartbeats() -> TextClause:
    """Every process that ever reported, with the seconds since it did, the most recent first."""
    return text(
        """
        SELECT name, kind, seen_at, started_at, detail,
            CAST(extract(epoch FROM clock_timestamp() - seen_at) AS double precision) AS age_seconds
        FROM heartbeats ORDER BY seen_at DESC, name
        """
    )


def forget_heartbeat(name: str) -> TextClause:
    """Drop the heartbeat of one process, which ends in good order."""
    return text("DELETE FROM heartbeats WHERE name = :name").bindparams(name=name)


def forget_heartbeats(older_than_seconds: float) -> TextClause:
    """Drop the heartbeats of processes that are long gone."""
    return text(
        "DELETE FROM heartbeats WHERE seen_at < clock_timestamp() - make_interval(secs => :seconds)"
    ).bindparams(seconds=older_than_seconds)


def anything_due(turn: str, seconds: float) -> TextClause:
    """One boolean: an open run, a slot that has come, a promised event, a waiting probe, or a turn that nobody took for so long.

    What a tick asks first, so that an idle installation costs one statement. In a transaction of its own, whose start is
    its clock: an index serves no clock that runs on. Plan: ix_runs_open, ix_sites_due, ix_outbox_waiting, ix_probes_waiting.
    """
    return text(
        """
        SELECT EXISTS (SELECT FROM runs WHERE state IN ('planned', 'running'))
            OR EXISTS (SELECT FROM sites WHERE enabled AND next_slot_at <= now())
            OR EXISTS (SELECT FROM outbox WHERE emitted_at IS NULL)
            OR EXISTS (SELECT FROM probes WHERE state = 'waiting')
            OR NOT EXISTS (SELECT FROM heartbeats
                           WHERE name = :turn AND seen_at > now() - make_interval(secs => :seconds))
        """
    ).bindparams(turn=turn, seconds=seconds)


def take_turn(name: str, seconds: float) -> TextClause:
    """Take the turn of a job that somebody does at most once in so many seconds; no row when it was taken.

    Neither locks nor writes anything while the turn is taken, so that every tick may ask.
    """
    return text(
        """
        INSERT INTO heartbeats (name, kind)
        SELECT :name, 'tick'
        WHERE NOT EXISTS (SELECT FROM heartbeats
                          WHERE name = :name AND seen_at > clock_timestamp() - make_interval(secs => :seconds))
        ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp()
        WHERE heartbeats.seen_at <= clock_timestamp() - make_interval(secs => :seconds)
        RETURNING name
        """
    ).bindparams(name=name, seconds=seconds)


def shorten_turn(name: str, seconds: float) -> TextClause:
    """Let a job's next turn come so many seconds earlier."""
    return text(
        "UPDATE heartbeats SET seen_at = seen_at - make_interval(secs => :seconds) WHERE name = :name"
    ).bindparams(name=name, seconds=seconds)
