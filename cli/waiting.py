"""Waiting for runs: start workers where nobody else works, tick, show progress, and stop cleanly on Ctrl-C."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from cli import context, progress, standstill, supervisor, targets
from cli.context import Database
from cli.options import Presentation
from cli.render import words
from cli.supervisor import Heartbeat, Supervisor
from headersweep.definition import SiteDefinition
from headersweep.errors import BusyError, HeadersweepError, InterruptedRunError
from headersweep.states import FINAL_STATES

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

LOOK_SECONDS = 0.5
LONELY_SECONDS = 30.0
"""When other people's workers were not seen for this long, the waiting command starts its own."""

PATIENCE_SECONDS = 60.0
"""How long Postgres may be away before the waiting command gives up; the run itself never does."""

PROBES_SECONDS = 300.0
"""How long a command waits for the probes of its runs, once these are over: they are made politely, one after the other."""

BROKER_AWAY = "the broker does not answer; the sweep goes on as soon as it is back"

_STEP_SECONDS = 0.05


class Interrupts:
    """Counts Ctrl-C, SIGTERM and hang-ups while the block lasts: the first is a wish, the second a KeyboardInterrupt."""

    def __init__(self) -> None:
        self.count = 0
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, *context.endings()):
            self._previous[number] = signal.signal(number, self._count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Sleep, but wake up when interrupted (a lock-based event could deadlock with its own signal handler)."""
        deadline = time.monotonic() + seconds
        while not self.count and time.monotonic() < deadline:
            time.sleep(_STEP_SECONDS)


@dataclasses.dataclass
class Wait:
    """One command's wait for its runs."""

    database: Database
    run_ids: Sequence[int]
    crew: Supervisor
    workers: int
    interrupts: Interrupts
    next_tick: float = 0.0
    away_since: float | None = None
    seen_worker_at: float = dataclasses.field(default_factory=time.monotonic)
    told: set[str] = dataclasses.field(default_factory=set)
    probes_left: int = 0
    probing_since: float | None = None

    def tell_once(self, message: str) -> None:
        """Say something that stays true for a while, once."""
        if message not in self.told:
            self.told.add(message)
            context.notice(message)


def until_final(
    database: Database, run_ids: Sequence[int], *, workers: int | None, contact: str = ""
) -> None:
    """Return when all runs are over; InterruptedRunError when the operator stopped the wait."""
    if _all_final(_standing(database, run_ids)) and not _probes_left(database, run_ids):
        say_what_is_promised(database)
        return
    filled = dataclasses.replace(database.settings, contact=database.settings.contact or contact)
    crew = Supervisor(filled, lambda: worker_heartbeats(database))
    with Interrupts() as interrupts:
        wait = Wait(database, run_ids, crew, supervisor.worker_count(workers, filled), interrupts)
        try:
            with _stopped_at_the_end(crew):
                _start_crew_if_needed(wait)
                _ring(wait)
                _follow(wait)
        except KeyboardInterrupt as error:
            crew.kill()
            raise _interrupted(run_ids, has_own=True) from error
    say_what_is_promised(database)


def say_what_is_promised(database: Database) -> None:
    """Write the log events that a worker promised and died before it wrote them: nobody may tick here after us."""
    from sqlalchemy.exc import DBAPIError

    from scheduler import tick

    try:
        tick.emit(database.engine, database.settings.ping_url)
    except DBAPIError as error:
        # The runs are over all the same, and the promise stays: the next tick keeps it.
        if not context.is_disconnect(error):
            raise


def see_through(
    database: Database, run_id: int, presentation: Presentation, *, workers: int | None, no_wait: bool
) -> int:
    """Go on with one run that exists, print what was found, and return the exit code."""
    from cli import report, results

    with database.engine.connect() as connection:
        run = report.find_run(connection, run_id)
        definition = SiteDefinition.from_json(report.definition_of(connection, run_id))
    if run.is_final and not _probes_left(database, [run_id]):
        context.notice(f"run {run_id} is over already")
    elif no_wait:
        leave(database, [run_id], started=[])
    else:
        named = contact(database, [(definition, True)])
        until_final(database, [run_id], workers=workers, contact=named)
    return results.finish(database.engine, [run_id], presentation)


@contextlib.contextmanager
def _stopped_at_the_end(crew: Supervisor) -> Iterator[None]:
    try:
        yield
    finally:
        crew.stop()


def _follow(wait: Wait) -> None:
    with progress.view() as view:
        while True:
            rows = _patiently(wait, lambda: _round(wait))
            if rows is not None:
                view.show(_summed(rows))
                if _all_final(rows) and _has_probed(wait):
                    return
            if wait.interrupts.count:
                context.notice(
                    "stopping: what is in flight is finished and kept (Ctrl-C again stops at once)"
                )
                raise _interrupted(wait.run_ids, has_own=not wait.crew.is_empty)
            wait.interrupts.sleep(LOOK_SECONDS)


def _round(wait: Wait) -> Sequence[Row[Any]]:
    """Look once: tick when it is time, watch the children, read the progress."""
    if time.monotonic() >= wait.next_tick:
        context.revive(wait.database)
        wait.next_tick = time.monotonic() + wait.database.settings.tick_seconds
        _tick(wait)
    wait.crew.poll()
    rows = _standing(wait.database, wait.run_ids)
    # Behind it: whoever closes a run plants its probes in the same transaction.
    wait.probes_left = _probes_left(wait.database, wait.run_ids)
    return rows


def _probes_left(database: Database, run_ids: Sequence[int]) -> int:
    """How many probes of the runs somebody may still make: none while they are paused, or their site is disabled."""
    from models import probes

    with database.engine.connect() as connection:
        found: int = connection.execute(probes.workable_count(), {"run_ids": list(run_ids)}).scalar_one()
    return found


def _has_probed(wait: Wait) -> bool:
    """Whether nothing more is to be waited for, now that the runs are over: all probes have ended, or it takes too long."""
    if not wait.probes_left:
        return True
    now = time.monotonic()
    wait.probing_since = wait.probing_since or now
    left = words.count(wait.probes_left, "probe")
    if now - wait.probing_since > PROBES_SECONDS:
        numbers = ", ".join(str(run_id) for run_id in wait.run_ids)
        context.notice(
            f"not waiting any longer for {left} of run {numbers}; `headersweep show` tells how they end"
        )
        return True
    if "probes" not in wait.told:
        wait.told.add("probes")
        context.notice(f"the pages are done; waiting for {left} that the site asks for")
    return False


def _tick(wait: Wait) -> None:
    from scheduler import tick

    settings = wait.database.settings
    result = tick.tick(
        wait.database.engine, retention_days=settings.retention_days, ping_url=settings.ping_url
    )
    if result.ring:
        _ring(wait)
    _tell_if_paused(wait)
    _tell_what_rests(wait)
    if wait.crew.is_empty:
        _start_crew_if_needed(wait)


def _patiently(wait: Wait, look: Callable[[], Sequence[Row[Any]]]) -> Sequence[Row[Any]] | None:
    """What ``look`` sees; None while Postgres is away; after a minute of that, UnavailableError."""
    from sqlalchemy.exc import DBAPIError

    try:
        rows = look()
    except DBAPIError as error:
        if not context.is_disconnect(error):
            raise
        now, wait.next_tick = time.monotonic(), 0.0
        wait.away_since = wait.away_since or now
        wait.tell_once("Postgres does not answer; waiting for it to come back")
        if now - wait.away_since > PATIENCE_SECONDS:
            raise _gave_up(wait, error) from error
        return None
    wait.away_since = None
    return rows


def _gave_up(wait: Wait, error: Exception) -> HeadersweepError:
    unreachable = context.unreachable(wait.database.settings, error)
    return type(unreachable)(f"{unreachable}\n{resume_hint(wait.run_ids)}")


def _tell_if_paused(wait: Wait) -> None:
    from models import control

    with wait.database.engine.connect() as connection:
        row = connection.execute(control.switch_state()).one_or_none()
    if row is not None and row.paused:
        wait.tell_once(standstill.paused(row))


def _tell_what_rests(wait: Wait) -> None:
    """Say why nothing happens with a run that nobody may work on now."""
    from models import reports

    with wait.database.engine.connect() as connection:
        rows = connection.execute(reports.resting(wait.run_ids)).all()
    for row in rows:
        wait.tell_once(standstill.rest(row).said)


def _start_crew_if_needed(wait: Wait) -> None:
    """Start own workers on embedded servers, and where no worker was seen for a while."""
    now = time.monotonic()
    if not wait.database.embedded:
        beats = worker_heartbeats(wait.database)
        if any(beat.age_seconds <= standstill.FRESH_SECONDS and not beat.is_leaving for beat in beats):
            wait.seen_worker_at = now
            return
        if wait.next_tick and now - wait.seen_worker_at < LONELY_SECONDS:
            return
    wait.crew.start_workers(wait.workers)
    started = words.count(wait.workers, "worker")
    context.notice(f"started {started}; their logs: {wait.crew.log_folder}")


def worker_heartbeats(database: Database) -> list[Heartbeat]:
    """The workers that reported themselves, with the age of what they said."""
    from models import control
    from scheduler import owners

    with database.engine.connect() as connection:
        rows = connection.execute(control.list_heartbeats()).all()
    return [
        Heartbeat(row.name, row.age_seconds, is_leaving=owners.leaving(row.detail))
        for row in rows
        if row.kind == "worker"
    ]


def _ring(wait: Wait) -> None:
    """Ring for work; say so when the broker is away (nothing is lost by that, only time)."""
    from scheduler import doorbell

    if not doorbell.ring(wait.database.settings.broker_url, wait.workers):
        wait.tell_once(BROKER_AWAY)


def _standing(database: Database, run_ids: Sequence[int]) -> Sequence[Row[Any]]:
    with database.engine.connect() as connection:
        return standing(connection, run_ids)


def standing(connection: Connection, run_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """How far the runs are."""
    from models import reports

    return connection.execute(reports.progress(run_ids)).all()


def _summed(rows: Sequence[Row[Any]]) -> progress.Standing:
    return progress.total(
        [row.site for row in rows], sum(row.done for row in rows), sum(row.found for row in rows)
    )


def _all_final(rows: Sequence[Row[Any]]) -> bool:
    return all(row.state in FINAL_STATES for row in rows)


def leave(database: Database, run_ids: Sequence[int], *, started: Sequence[int]) -> None:
    """Ring and go; BusyError when somebody works already on a run that this command did not create."""
    from scheduler import doorbell

    busy = [row.id for row in _standing(database, run_ids) if row.held and row.id not in started]
    if busy:
        numbers = ", ".join(str(run_id) for run_id in busy)
        raise BusyError(
            f"run {numbers} is being worked on elsewhere; `headersweep show {busy[0]}` tells how far"
        )
    if not doorbell.ring(database.settings.broker_url, len(run_ids)):
        context.notice(BROKER_AWAY)
    if database.embedded:
        context.notice("nobody works on embedded servers unless a command waits: `headersweep up`, or resume")


def contact(database: Database, chosen: Sequence[tuple[SiteDefinition, bool]]) -> str:
    """Whom the workers started here shall name; said aloud when it was worked out rather than set."""
    if database.settings.contact:
        return database.settings.contact
    found = [targets.contact_for(definition, is_adhoc=is_adhoc) for definition, is_adhoc in chosen]
    named = targets.contact(found)
    if named:
        context.notice(
            f"requests name {named} as contact; HEADERSWEEP_CONTACT=mailto:you@your.site changes that"
        )
    return named


def resume_hint(run_ids: Sequence[int]) -> str:
    """How to go on with runs that are not over."""
    commands = " ; ".join(f"headersweep resume {run_id}" for run_id in run_ids)
    return f"nothing is lost; to go on: {commands}"


def _interrupted(run_ids: Sequence[int], *, has_own: bool) -> InterruptedRunError:
    if has_own:
        return InterruptedRunError(f"interrupted; {resume_hint(run_ids)}")
    numbers = ", ".join(str(run_id) for run_id in run_ids)
    return InterruptedRunError(
        f"stopped waiting; other workers go on with run {numbers} (`headersweep cancel` ends it, "
        f"`headersweep resume {run_ids[-1]}` waits again)"
    )
