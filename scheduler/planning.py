"""Planning: which runs the sites' slots ask for, and when each of them may be worked on.

Nothing here is guarded by looking first: a slot's run is created under the unique key (site, slot), so that any
number of planners, beats and cron jobs at once make one run of it. A run that has to wait, for its splay, its site's
window or an earlier run, is kept from workers by its own row: it is worked on in [not_before, not_after).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, select

from headersweep import durations, logs, slots, windows
from headersweep.definition import Overlap, SiteDefinition
from headersweep.errors import HeadersweepError
from headersweep.windows import Opening
from models import control, runs, sites
from models.runs import NewRun
from scheduler import operations, seeding, sowing

PLAN_LIMIT = 500
"""How many due sites one transaction plans."""

PLAN_SECONDS = 1.0
"""For how long one tick goes on planning further sites; the next one does the rest."""

ARRANGE_LIMIT = 1_000
"""How many waiting runs one tick lets go, and how many it puts to rest."""

CANCEL_LIMIT = 20
"""How many overtaken runs one tick cancels, each in a transaction of its own."""

POSTPONED_BY = timedelta(hours=1)
"""When a site whose kept definition cannot be read is looked at again."""

SCHEDULE = "schedule"
"""Who asked for a run that the schedule asked for."""

OVERLAP = "overlap"
"""Why a slot was skipped, or a run cancelled."""

QUEUE_FULL = "queue_full"
"""Why a slot was skipped where slots queue."""

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
    not_before: datetime | None


@dataclass(frozen=True)
class SkippedSlot:
    """A slot that makes no run, because an earlier run of the site has not ended."""

    site_name: str
    slot: datetime
    blocking_run_id: int
    reason: str = OVERLAP


@dataclass(frozen=True)
class MissedSlots:
    """Slots from this one on that were missed and that the site's policy does not catch up."""

    site_name: str
    slot: datetime
    catch_up: str


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
    missed: tuple[MissedSlots, ...] = ()
    looked_at: int = field(default=0, compare=False)

    def __bool__(self) -> bool:
        return bool(self.created)

    @property
    def run_ids(self) -> list[int]:
        """The runs to ring the doorbell for, after the commit."""
        return [run.run_id for run in self.created]


@dataclass(frozen=True)
class Rest:
    """A run that goes on when its site's window opens again."""

    run_id: int
    site_name: str
    until: datetime


@dataclass(frozen=True)
class _DueSite:
    site_id: int
    name: str
    definition: SiteDefinition
    due_at: datetime
    slots: tuple[datetime, ...]
    next_slot_at: datetime | None
    offset: timedelta


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

    It starts at once, whatever else is at work on the site, but in the site's window.
    Idempotency key: (site, slot). After the commit: ``log_created`` and ring.
    """
    if slot.tzinfo is None:
        raise ValueError("a slot is an aware time")
    opening = _opening_now(connection, definition)
    statement = runs.create_run(
        site_id=site_id,
        slot=slot,
        definition=definition.as_json(),
        requested_by=requested_by,
        reason=reason,
        not_before=opening.start if opening else None,
        not_after=opening.end if opening else None,
    )
    run_id = connection.scalar(statement)
    if run_id is None:
        return EnsuredRun(connection.execute(runs.run_of_slot(site_id, slot)).scalar_one(), created=False)
    seeding.seed(connection, run_id=run_id, site_id=site_id, definition=definition)
    return EnsuredRun(run_id, created=True)


def plan(engine: Engine) -> list[int]:
    """All that a tick has to do about slots: make the runs of those that have come, and arrange what waits.

    Returns the new runs, to ring the doorbell for.
    """
    deadline = time.monotonic() + PLAN_SECONDS
    run_ids: list[int] = []
    while True:
        with engine.begin() as connection:
            result = plan_due(connection)
        log_plan(result)
        run_ids += result.run_ids
        if result.looked_at < PLAN_LIMIT or time.monotonic() >= deadline:
            break
    arrange(engine)
    return run_ids


def plan_due(connection: Connection, now: datetime | None = None, *, limit: int = PLAN_LIMIT) -> Plan:
    """Create the runs of the slots that have come, and set when each of these sites is due next.

    ``now`` is the database's clock unless given. After the commit: ``log_plan`` and ring for ``run_ids``.
    """
    if connection.scalar(control.is_paused()):
        return Plan()
    moment = now or _clock(connection)
    rows = connection.execute(sites.due_sites(moment, limit)).all()
    if not rows:
        return Plan()
    due, postponed = _read(rows, moment)
    wanted, skipped = _without_overlap(connection, due, moment)
    created = _create(connection, due, wanted)
    next_slots = {site.site_id: site.next_slot_at for site in due}
    unread = [row.id for row in rows if row.id not in next_slots]
    next_slots.update(dict.fromkeys(unread, moment + POSTPONED_BY))
    connection.execute(sites.set_next_slots(next_slots))
    return Plan(tuple(created), tuple(skipped), tuple(postponed), tuple(_missed(due)), len(rows))


def arrange(engine: Engine, now: datetime | None = None) -> None:
    """Cancel what was overtaken, let go what waited for that, and put to rest what is outside of its window.

    Idempotent, like everything a tick does, and in short transactions: only closing a cancelled run may take long.
    """
    with engine.connect() as connection:
        if connection.scalar(control.is_paused()):
            return
    cancel_overtaken(engine)
    with engine.begin() as connection:
        freed = release_queued(connection, now)
    with engine.begin() as connection:
        rests = hold_outside_windows(connection, now)
    for run_id in freed:
        log.info("run.released", run_id=run_id)
    for rest in rests:
        log.info("run.rested", run_id=rest.run_id, site_name=rest.site_name, until=rest.until.isoformat())


def cancel_overtaken(engine: Engine) -> list[int]:
    """Cancel the runs that a later run of their site waits for, where its policy says so; returns them."""
    cancelled: list[int] = []
    while len(cancelled) < CANCEL_LIMIT:
        with engine.begin() as connection:
            run_id = connection.scalar(runs.overtaken())
            if run_id is None:
                break
            operations.cancel(connection, run_id, SCHEDULE, OVERLAP)
        cancelled.append(run_id)
    return cancelled


def release_queued(connection: Connection, now: datetime | None = None) -> list[int]:
    """Let the runs go whose earlier runs have all ended; returns them."""
    rows = connection.execute(runs.released(), {"limit": ARRANGE_LIMIT}).all()
    if rows:
        moment = now or _clock(connection)
        _set_openings(connection, {row.id: _opening(row.definition, moment, row.slot) for row in rows})
    return [row.id for row in rows]


def hold_outside_windows(connection: Connection, now: datetime | None = None) -> list[Rest]:
    """Give the open runs whose window has closed its next opening; returns those that rest until then."""
    moment = now or _clock(connection)
    rows = connection.execute(runs.out_of_window(), {"now": moment, "limit": ARRANGE_LIMIT}).all()
    openings = {row.id: _opening(row.definition, moment) for row in rows}
    if openings:
        _set_openings(connection, openings)
    return [
        Rest(row.id, row.definition.get("name", ""), openings[row.id].start)
        for row in rows
        if openings[row.id].start > moment
    ]


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
            reason=skip.reason,
            run_id=skip.blocking_run_id,
        )
    for missed in plan.missed:
        log.warning(
            "slots.missed",
            site_name=missed.site_name,
            slot=missed.slot.isoformat(),
            reason=f"catch_up={missed.catch_up}",
        )
    for site in plan.postponed:
        log.error("site.postponed", site_name=site.site_name, error_detail=site.error)


def _clock(connection: Connection) -> datetime:
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment


def _read(rows: Sequence[Row[Any]], now: datetime) -> tuple[list[_DueSite], list[PostponedSite]]:
    due: list[_DueSite] = []
    postponed: list[PostponedSite] = []
    for row in rows:
        try:
            due.append(_due_site(row, now))
        except (TypeError, ValueError, HeadersweepError) as error:
            # One site that a newer program or a person broke must not hold up all the others.
            postponed.append(PostponedSite(row.name, str(error)))
    return due, postponed


def _due_site(row: Row[Any], now: datetime) -> _DueSite:
    definition = SiteDefinition.from_json(row.definition)
    if definition.schedule is None:
        raise ValueError("due, but without a schedule")
    if definition.window is not None:
        windows.parse(definition.window)
    seeding.start_pages(definition)
    come = slots.due_slots(
        definition.schedule,
        definition.timezone,
        due_at=row.next_slot_at,
        now=now,
        catch_up=definition.catch_up,
        window=durations.parse(definition.catch_up_window),
        limit=definition.catch_up_limit,
    )
    following = slots.next_slot(definition.schedule, definition.timezone, now)
    return _DueSite(row.id, row.name, definition, row.next_slot_at, come, following, _offset(definition))


def _offset(definition: SiteDefinition) -> timedelta:
    if definition.splay is None:
        return timedelta()
    return slots.splay_offset(definition.name, durations.parse(definition.splay))


def _missed(due: Sequence[_DueSite]) -> list[MissedSlots]:
    return [
        MissedSlots(site.name, site.due_at, str(site.definition.catch_up))
        for site in due
        if not site.slots or site.due_at < site.slots[0]
    ]


def _without_overlap(
    connection: Connection, due: Sequence[_DueSite], now: datetime
) -> tuple[list[NewRun], list[SkippedSlot]]:
    """The runs to create: at once where nothing else of the site is open, else as the site's policy says."""
    open_slots: dict[int, dict[datetime, int]] = {}
    for run in connection.execute(runs.open_runs_of([site.site_id for site in due])):
        open_slots.setdefault(run.site_id, {})[run.slot] = run.id
    wanted: list[NewRun] = []
    skipped: list[SkippedSlot] = []
    for site in due:
        blocking = open_slots.get(site.site_id, {})
        new = [slot for slot in site.slots if slot not in blocking]
        room = _room(site.definition, len(blocking))
        wanted += [
            _new_run(site, slot, now, waits=bool(blocking) or number > 0)
            for number, slot in enumerate(new[:room])
        ]
        reason = QUEUE_FULL if site.definition.overlap is Overlap.QUEUE else OVERLAP
        skipped += [SkippedSlot(site.name, slot, max(blocking.values()), reason) for slot in new[room:]]
    return wanted, skipped


def _room(definition: SiteDefinition, open_runs: int) -> int:
    """How many further runs of a site there may be: a queue that only grows would never be worked off."""
    if open_runs and definition.overlap is Overlap.SKIP:
        return 0
    if definition.overlap is Overlap.QUEUE:
        return max(0, definition.catch_up_limit - open_runs)
    return definition.catch_up_limit


def _new_run(site: _DueSite, slot: datetime, now: datetime, *, waits: bool) -> NewRun:
    if waits:
        return NewRun(site.site_id, slot, None, None)
    start = slots.start_of(slot, now, site.offset)
    opening = windows.opening(site.definition.window, site.definition.timezone, start, site.offset)
    return NewRun(site.site_id, slot, opening.start, opening.end)


def _opening_now(connection: Connection, definition: SiteDefinition) -> Opening | None:
    """When a run that somebody asks for may be worked on; nothing where the site has no window."""
    if definition.window is None:
        return None
    return windows.opening(definition.window, definition.timezone, _clock(connection), _offset(definition))


def _opening(kept: dict[str, Any], now: datetime, slot: datetime | None = None) -> Opening:
    """When a run may be worked on next; one whose definition cannot be read is looked at again after a while."""
    try:
        definition = SiteDefinition.from_json(kept)
        offset = _offset(definition)
        start = now if slot is None else max(now, slot + offset)
        return windows.opening(definition.window, definition.timezone, start, offset)
    except (TypeError, ValueError):
        return Opening(now + POSTPONED_BY, now + POSTPONED_BY)


def _set_openings(connection: Connection, openings: dict[int, Opening]) -> None:
    values = {
        "ids": list(openings),
        "not_befores": [opening.start for opening in openings.values()],
        "not_afters": [opening.end for opening in openings.values()],
    }
    connection.execute(runs.set_opening(), values)


def _create(connection: Connection, due: Sequence[_DueSite], wanted: Sequence[NewRun]) -> list[PlannedRun]:
    if not wanted:
        return []
    by_id = {site.site_id: site for site in due}
    rows = connection.execute(runs.create_runs(wanted, requested_by=SCHEDULE, reason="")).all()
    sowing.sow(
        connection, [sowing.NewRun(row.id, row.site_id, by_id[row.site_id].definition) for row in rows]
    )
    return [
        PlannedRun(row.id, by_id[row.site_id].name, row.slot, row.not_before)
        for row in sorted(rows, key=lambda row: row.id)
    ]
