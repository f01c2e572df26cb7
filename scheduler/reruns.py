"""Reruns of whole runs: the same site once more, as that run did it, as a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headersweep.definition import SiteDefinition
from headersweep.states import RunAction
from models import actions
from scheduler import operations, planning

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from scheduler.planning import EnsuredRun


def rerun(connection: Connection, run_id: int, slot: datetime, by: str, reason: str) -> EnsuredRun:
    """A new run of a run's site, for this slot, with the definition that run had; while such a one is open, that one.

    The run's row is held, so that two who ask at once get the same. After the commit: ``planning.log_created`` and ring.
    """
    run = operations.locked(connection, run_id)
    under_way = connection.scalar(actions.open_rerun(), {"run_id": run_id})
    if under_way is not None:
        return planning.EnsuredRun(under_way, created=False)
    ensured = planning.ensure_run(
        connection,
        site_id=run.site_id,
        definition=SiteDefinition.from_json(run.definition),
        slot=slot,
        requested_by=by,
        reason=why(run_id, reason),
    )
    operations.keep(connection, run_id, run.generation, RunAction.RERUN, by, reason, ensured.run_id)
    return ensured


def why(run_id: int, reason: str) -> str:
    """The reason of the new run: which run it repeats, and what for."""
    return f"rerun of run {run_id}: {reason}" if reason else f"rerun of run {run_id}"
