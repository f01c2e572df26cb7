"""Planning: which runs the sites' slots ask for. Takes a connection; whoever called commits, logs, and rings.

Nothing here is guarded by looking first: a slot's run is created under the unique key (site, slot), so that any
number of planners, beats and cron jobs at once make one run of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from headersweep import logs, slots
from headersweep.definition import SiteDefinition
from models import control, runs, sites
from scheduler import seeding

PLAN_LIMIT = 1_000
"""How many due sites one transaction plans; the next tick goes on with the rest."""

POSTPONED_BY = timedelta(hours=1)
"""When a site whose kept definition cannot be read is looked at again."""

SCHEDULE = "schedule"
"""Who asked for a run that the schedule asked for."""

log = logs.get_logger()


class EnsuredRun(NamedTuple):
    """The one run of a slot, and whether this call created it."""

    run_id: int
    created: bool


@dataclass(frozen=True)
class PlannedRun:
    """A run that a slot asked for and that did not exist before."""

    run_id: int
    site_name: str
    slot: datetime


@dataclass(frozen=True)
class SkippedSlot:
    """A slot that makes no run, because an earlier run of the site has not ended."""

    site_name: str
    slot: datetime
    blocking_run_id: int


@dataclass(frozen=True)
class PostponedSite:
    """A site that could not be planned, because what is kept about it cannot be read."""

    site_name: str
    error: str


@dataclass(frozen=True)
class Plan:
    """What one look at the due sites came to; true if it created a run."""

    created: tuple[PlannedRun, ...] = ()
    skipped: tuple[SkippedSlot, ...] = ()
    postponed: tuple[PostponedSite, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.created)

    @property
    def run_ids(self) -> list[int]:
        """The runs to ring the doorbell for, after the commit."""
        return [run.run_id for run in self.created]


@dataclass(frozen=True)
class _DueSite:
    site_id: int
    name: str
    definition: SiteDefinition
    slot: datetime
    next_slot_at: datetime | None


def ensure_run(  # noqa: PLR0913 - all of them by keyword, all of them needed
    connection: Connection,
    *,
    site_id: int,
    definition: SiteDefinition,
    slot: datetime,
    requested_by: str,
    reason: str = "",
) -> EnsuredRun:
    """The run of a slot, created and seeded in this transaction unless it exists; then it stays as it is.

    Idempotency key: (site, slot). After the commit: ``log_created`` and ring.
    """
    if slot.tzinfo is None:
        raise ValueError("a slot is an aware time")
    statement = runs.create_run(
        site_id=site_id,
        slot=slot,
        definition=definition.as_json(),
        requested_by=requested_by,
        reason=reason,
    )
    run_id = connection.scalar(statement)
    if run_id is None:
        return EnsuredRun(connection.execute(runs.run_of_slot(site_id, slot)).scalar_one(), created=False)
    seeding.seed(connection, run_id=run_id, site_id=site_id, definition=definition)
    return EnsuredRun(run_id, created=True)


def plan_due(connection: Connection, now: datetime | None = None, *, limit: int = PLAN_LIMIT) -> Plan:
    """Create the runs of the slots that have come, and set when each of these sites is due next.

    ``now`` is the database's clock unless given. After the commit: ``log_plan`` and ring for ``run_ids``.
    """
    if connection.scalar(control.is_paused()):
        return Plan()
    moment = now or connection.execute(select(func.clock_timestamp())).scalar_one()
    rows = connection.execute(sites.due_sites(moment, limit)).all()
    if not rows:
        return Plan()
    due, postponed = _read(rows, moment)
    wanted, skipped = _without_overlap(connection, due)
    created = _create(connection, wanted)
    next_slots = {site.site_id: site.next_slot_at for site in due}
    unread = [row.id for row in rows if row.id not in next_slots]
    next_slots.update(dict.fromkeys(unread, moment + POSTPONED_BY))
    connection.execute(sites.set_next_slots(next_slots))
    return Plan(tuple(created), tuple(skipped), tuple(postponed))


def next_slot_of(definition: SiteDefinition, after: datetime) -> datetime | None:
    """When a site is due next; never, without a schedule or while it is disabled."""
    if definition.schedule is None or not definition.enabled:
        return None
    return slots.next_slot(definition.schedule, definition.timezone, after)


def log_created(*, run_id: int, site_name: str, slot: datetime, requested_by: str, reason: str = "") -> None:
    """Say that a run was created; call it after the commit."""
    log.info(
        "run.created",
        run_id=run_id,
        site_name=site_name,
        slot=slot.isoformat(),
        requested_by=requested_by,
        reason=reason,
    )


def log_plan(plan: Plan) -> None:
    """Say what a plan came to, one line for each run or site; call it after the commit."""
    for run in plan.created:
        log_created(run_id=run.run_id, site_name=run.site_name, slot=run.slot, requested_by=SCHEDULE)
    for skip in plan.skipped:
        log.warning(
            "run.skipped",
            site_name=skip.site_name,
            slot=skip.slot.isoformat(),
            reason="overlap",
            run_id=skip.blocking_run_id,
        )
    for site in plan.postponed:
        log.error("site.postponed", site_name=site.site_name, error_detail=site.error)


def _read(rows: Sequence[Row[Any]], now: datetime) -> tuple[list[_DueSite], list[PostponedSite]]:
    due: list[_DueSite] = []
    postponed: list[PostponedSite] = []
    for row in rows:
        try:
            due.append(_due_site(row, now))
        except (TypeError, ValueError) as error:
            # One site that a newer program or a person broke must not hold up all the others.
            postponed.append(PostponedSite(row.name, str(error)))
    return due, postponed


def _due_site(row: Row[Any], now: datetime) -> _DueSite:
    definition = SiteDefinition.from_json(row.definition)
    if definition.schedule is None:
        raise ValueError("due, but without a schedule")
    return _DueSite(
        row.id,
        row.name,
        definition,
        _caught_up(definition.schedule, definition.timezone, row.next_slot_at, now),
        slots.next_slot(definition.schedule, definition.timezone, now),
    )


def _caught_up(schedule: str, timezone: str, due_at: datetime, now: datetime) -> datetime:
    """The slot to run now: of those missed since ``due_at``, the last."""
    latest = slots.previous_slot(schedule, timezone, now)
    return due_at if latest is None else max(due_at, latest)


def _without_overlap(
    connection: Connection, due: Sequence[_DueSite]
) -> tuple[list[_DueSite], list[SkippedSlot]]:
    """The due sites without those whose earlier run is still at work."""
    open_slots: dict[int, dict[datetime, int]] = {}
    for run in connection.execute(runs.open_runs_of([site.site_id for site in due])):
        open_slots.setdefault(run.site_id, {})[run.slot] = run.id
    wanted, skipped = [], []
    for site in due:
        blocking = open_slots.get(site.site_id, {})
        if not blocking:
            wanted.append(site)
        elif site.slot not in blocking:
            skipped.append(SkippedSlot(site.name, site.slot, max(blocking.values())))
    return wanted, skipped


def _create(connection: Connection, due: Sequence[_DueSite]) -> list[PlannedRun]:
    by_id = {site.site_id: site for site in due}
    statement = runs.create_runs(
        [(site.site_id, site.slot) for site in due], requested_by=SCHEDULE, reason=""
    )
    created = []
    for row in connection.execute(statement).all():
        site = by_id[row.site_id]
        seeding.seed(connection, run_id=row.id, site_id=site.site_id, definition=site.definition)
        created.append(PlannedRun(row.id, site.name, row.slot))
    return created
