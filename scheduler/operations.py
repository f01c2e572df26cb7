"""What operators do: cancel, resume, rerun, pause; idempotent, visible in tables and log, with who and why.

What is done to a run is kept with it (``models.actions``), in the transaction that does it; what changes nothing is
not kept. Given twice, also at the same time, each has the effect of being given once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from headersweep import logs
from headersweep.errors import UsageError
from headersweep.states import FINAL_STATES, Outcome, RunAction, RunState
from models import actions, control, partitions, runs, shards, visits
from scheduler import finishing, retention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

log = logs.get_logger()

RETRIED = (Outcome.FAILED, Outcome.ROBOTS_UNREACHABLE)
"""The outcomes that ``rerun --failed`` takes back."""


def found(rows: Sequence[Row[Any]], run_id: int) -> Row[Any]:
    """The one row about a run; a UsageError when there is none."""
    if not rows:
        raise UsageError(f"there is no run {run_id}; `headersweep runs` lists them")
    return rows[0]


def locked(connection: Connection, run_id: int) -> Row[Any]:
    """A run, held until the transaction ends, so that nobody closes it or opens it again meanwhile."""
    return found(connection.execute(runs.lock_one(), {"id": run_id}).all(), run_id)


def cancel(connection: Connection, run_id: int, by: str, reason: str) -> bool:
    """End a run where it stands; False when it had ended before. What was visited stays."""
    run = locked(connection, run_id)
    if run.state in FINAL_STATES:
        return False
    connection.execute(text(f"SET LOCAL statement_timeout = {finishing.CLOSING_TIMEOUT_MS}"))
    connection.execute(shards.fence_off(), {"run_id": run_id})
    finishing.close(connection, run, finishing.account(connection, run_id), RunState.CANCELLED)
    keep(connection, run_id, run.generation, RunAction.CANCEL, by, reason)
    log.info("run.cancelled", run_id=run_id, site_name=run.site_name, requested_by=by, reason=reason)
    return True


def resume(connection: Connection, run_id: int, by: str, reason: str) -> bool:
    """Let a run go on from where it stands; a cancelled one is opened again. False when there is nothing to go on with."""
    run = found(connection.execute(runs.load(), {"ids": [run_id]}).all(), run_id)
    generation = run.generation
    if run.state in FINAL_STATES:
        # Only now: nobody waits behind the closing of a large run to be told that it is open.
        run = locked(connection, run_id)
        if run.state == RunState.CANCELLED:
            retention.refuse_dropped(connection, run)
            generation = _reopen(connection, run_id)
        elif run.state in FINAL_STATES:
            return False
        else:
            generation = run.generation
    if keep(connection, run_id, generation, RunAction.RESUME, by, reason):
        log.info(
            "run.resumed",
            run_id=run_id,
            site_name=run.site_name,
            generation=generation,
            requested_by=by,
            reason=reason,
        )
    return True


def rerun_failed(connection: Connection, run_id: int, by: str, reason: str) -> int:
    """Put the pages of a closed run that could not be fetched back to be tried again; returns how many.

    None when that was asked for before and is under way.
    """
    run = locked(connection, run_id)
    if run.state not in FINAL_STATES:
        _refuse_unless_rerun(connection, run)
        return 0
    retention.refuse_dropped(connection, run)
    partitions.ensure(connection, run_id)
    values = {"run_id": run_id, "outcomes": [int(outcome) for outcome in RETRIED]}
    back = connection.execute(visits.drop_failed(), values).scalars().all()
    if not back and run.state != RunState.CANCELLED:
        return 0
    connection.execute(shards.uncount(), {"run_id": run_id, "page_ids": back})
    generation = _reopen(connection, run_id)
    keep(connection, run_id, generation, RunAction.RERUN_FAILED, by, reason)
    log.info(
        "run.reopened",
        run_id=run_id,
        site_name=run.site_name,
        pages=len(back),
        generation=generation,
        requested_by=by,
        reason=reason,
    )
    return len(back)


def _refuse_unless_rerun(connection: Connection, run: Row[Any]) -> None:
    asked = {"run_id": run.id, "generation": run.generation, "action": str(RunAction.RERUN_FAILED)}
    if not connection.execute(actions.was_done(), asked).scalar_one():
        raise UsageError(f"run {run.id} is {run.state}: `headersweep resume {run.id}` lets it go on")


def keep(  # noqa: PLR0913, PLR0917 - the columns of an action
    connection: Connection,
    run_id: int,
    generation: int,
    action: RunAction,
    by: str,
    reason: str,
    made_run_id: int | None = None,
) -> bool:
    """Keep with a run what was done to it; False when the very same was kept before."""
    values = {
        "run_id": run_id,
        "made_run_id": made_run_id,
        "generation": generation,
        "action": str(action),
        "asked_by": by,
        "reason": reason,
    }
    return connection.execute(actions.add(), values).one_or_none() is not None


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


def _reopen(connection: Connection, run_id: int) -> int:
    """Open a closed run again; returns its new generation."""
    generation: int = connection.execute(runs.reopen(), {"id": run_id}).one().generation
    connection.execute(shards.reopen(), {"run_id": run_id})
    return generation
