"""What operators do: cancel, resume, rerun, pause; idempotent, visible in tables and log, with who and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headersweep import logs
from headersweep.errors import UsageError
from headersweep.states import FINAL_STATES, Outcome, RunState
from models import control, partitions, runs, shards, visits
from scheduler import finishing, retention

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

log = logs.get_logger()

RETRIED = (Outcome.FAILED, Outcome.ROBOTS_UNREACHABLE)
"""The outcomes that ``rerun --failed`` takes back."""


def _locked(connection: Connection, run_id: int) -> Row[Any]:
    run = connection.execute(runs.lock_one(), {"id": run_id}).one_or_none()
    if run is None:
        raise UsageError(f"there is no run {run_id}; `headersweep runs` lists them")
    return run


def cancel(connection: Connection, run_id: int, by: str, reason: str) -> bool:
    """End a run where it stands; False when it had ended before. What was visited stays."""
    run = _locked(connection, run_id)
    if run.state in FINAL_STATES:
        return False
    connection.execute(shards.fence_off(), {"run_id": run_id})
    finishing.close(connection, run, finishing.account(connection, run_id), RunState.CANCELLED)
    log.info("run.cancelled", run_id=run_id, site_name=run.site_name, requested_by=by, reason=reason)
    return True


def resume(connection: Connection, run_id: int, by: str, reason: str) -> bool:
    """Let a run go on from where it stands; a cancelled one is opened again. False when there is nothing to go on with."""
    run = _locked(connection, run_id)
    if run.state == RunState.CANCELLED:
        retention.refuse_dropped(connection, run)
        _reopen(connection, run, by, reason)
    elif run.state in FINAL_STATES:
        return False
    log.info("run.resumed", run_id=run_id, site_name=run.site_name, requested_by=by, reason=reason)
    return True


def rerun_failed(connection: Connection, run_id: int, by: str, reason: str) -> int:
    """Put the pages of a closed run that could not be fetched back to be tried again; returns how many."""
    run = _locked(connection, run_id)
    if run.state not in FINAL_STATES:
        raise UsageError(f"run {run_id} is {run.state}: `headersweep resume {run_id}` lets it go on")
    retention.refuse_dropped(connection, run)
    partitions.ensure(connection, run_id)
    values = {"run_id": run_id, "outcomes": [int(outcome) for outcome in RETRIED]}
    back = connection.execute(visits.drop_failed(), values).scalars().all()
    if not back and run.state != RunState.CANCELLED:
        return 0
    connection.execute(shards.uncount(), {"run_id": run_id, "page_ids": back})
    _reopen(connection, run, by, reason)
    log.info(
        "run.reopened",
        run_id=run_id,
        site_name=run.site_name,
        pages=len(back),
        requested_by=by,
        reason=reason,
    )
    return len(back)


def pause(connection: Connection, by: str, reason: str) -> bool:
    """Turn the kill switch: nothing new is planned or fetched within seconds; False when it was turned before."""
    changed = connection.execute(control.pause(changed_by=by, reason=reason)).one_or_none() is not None
    if changed:
        log.warning("sweeps.paused", requested_by=by, reason=reason)
    return changed


def unpause(connection: Connection, by: str, reason: str) -> bool:
    """Let everything go on; False when nothing was paused."""
    changed = connection.execute(control.unpause(changed_by=by, reason=reason)).one_or_none() is not None
    if changed:
        log.info("sweeps.resumed", requested_by=by, reason=reason)
    return changed


def _reopen(connection: Connection, run: Row[Any], by: str, reason: str) -> None:
    connection.execute(runs.reopen(), {"id": run.id, "requested_by": by, "reason": reason})
    connection.execute(shards.reopen(), {"run_id": run.id})
