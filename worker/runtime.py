"""What one worker process has once: an event loop, a fetcher, a way to Postgres, a heartbeat, and its own timer."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from headersweep import logs, robots
from models import control
from models import engine as engines
from scheduler import finishing, owners, tick
from worker import fetch
from worker.probe import Prober
from worker.slice import Slice

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sqlalchemy import Connection

    from headersweep.settings import Settings
    from worker.site import RunSite
    from worker.slice import SliceReport

log = logs.get_logger()

T = TypeVar("T")

PAGES_REMEMBERED = 1_000_000
"""Found pages remembered over all runs; the memory of a worker is bounded by it, whatever runs at once."""
HEARTBEAT_SECONDS = 3.0
STOP_SECONDS = 12.0
"""A slice that is asked to stop lets its fetches end for some seconds, then commits and releases."""


class Runtime:
    """The long-lived side of a worker process. Tasks are synchronous and hand coroutines to its one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.owner = owners.own(secrets.token_hex(4))
        self.node = self.owner
        self._supervisor = owners.of(settings.supervisor_pid, "supervisor") if settings.supervisor_pid else ""
        self.engine = engines.connect(settings.database_url, application="headersweep worker")
        self.database_pool = ThreadPoolExecutor(2, thread_name_prefix="database")
        self.agent = robots.AGENT
        self.fetcher = fetch.Fetcher(user_agent=fetch.user_agent(settings.contact))
        self.stopping = threading.Event()
        self.sites: OrderedDict[int, RunSite] = OrderedDict()
        self.stranded: list[tuple[int, int, bool]] = []
        self._slice = threading.Lock()
        self._probing = threading.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timers: list[threading.Thread] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the process's event loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a coroutine beside the running one; from the event loop only."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def database(self, call: Callable[[Connection], T]) -> T:
        """Run a call in one transaction, in a thread, so that fetching goes on meanwhile."""

        def work() -> T:
            with self.engine.begin() as connection:
                engines.insist(connection, self.settings.lease_seconds)
                return call(connection)

        return await asyncio.get_running_loop().run_in_executor(self.database_pool, work)

    def knows(self, run_id: int, generation: int) -> bool:
        """Whether what a run's shards have in common is here; a run that was opened again is another one."""
        site = self.sites.get(run_id)
        if site is None or site.generation != generation:
            return False
        self.sites.move_to_end(run_id)
        return True

    def remember(self, site: RunSite) -> None:
        """Keep what a run's shards have in common for the next slices."""
        self.sites[site.run_id] = site
        self.sites.move_to_end(site.run_id)

    def _trim(self) -> None:
        """Between slices, let go of the runs that were worked on least recently."""
        while len(self.sites) > 2 * self.settings.shards_per_slice:
            self.sites.popitem(last=False)
        for site in self.sites.values():
            if sum(other.remembered for other in self.sites.values()) <= PAGES_REMEMBERED:
                break
            site.forget()

    def crawl_slice(self) -> SliceReport | None:
        """Work one slice; None when this process is at one already, or about to stop."""
        if self.stopping.is_set() or not self._slice.acquire(blocking=False):
            return None
        started = time.monotonic()
        try:
            report = self.call(Slice(self, self.settings).run())
        finally:
            self._trim()
            self._slice.release()
        self._after(report, round((time.monotonic() - started) * 1000))
        return report

    def _after(self, report: SliceReport, duration_ms: int) -> None:
        """Say what the slice did, and close the runs that it ended: whoever sees it first does that."""
        if not report.claimed:
            return
        log.info("slice.finished", pages=report.pages, shards=report.claimed, duration_ms=duration_ms)
        if not report.abandoned and finishing.finish_due(self.engine):
            tick.emit(self.engine, self.settings.ping_url)
            self.start_probing()

    @property
    def busy(self) -> bool:
        """Whether a slice is at work in this process."""
        return self._slice.locked()

    def start_probing(self) -> None:
        """Make the probes that are due, beside whatever else this process does; nothing when it is at that already."""
        if not self.stopping.is_set() and not self._probing.locked():
            threading.Thread(target=self.probe, name="probes", daemon=True).start()

    def probe(self) -> int:
        """Make probes until none is due; returns how many were claimed. At most one call at a time does anything."""
        if self.stopping.is_set() or not self._probing.acquire(blocking=False):
            return 0
        try:
            return self.call(Prober(self, self.settings).run())
        except SQLAlchemyError as error:
            # What it held comes back by its leases.
            log.warning("probes.abandoned", error_type=type(error).__name__)
            return 0
        finally:
            self._probing.release()

    # -- the process's own timer -------------------------------------------------------------------------------

    def start_timer(self) -> None:
        """Look at everything now and then, whatever the broker does: Redis is an accelerator, Postgres the product."""
        # Apart, since a tick may close a large run, or go to work itself, while the heart must not stop.
        for name, seconds, call in (
            ("heart", HEARTBEAT_SECONDS, self._beat),
            ("timer", self.settings.tick_seconds, self._tick),
        ):
            timer = threading.Thread(target=self._every, args=(seconds, call), name=name, daemon=True)
            self._timers.append(timer)
            timer.start()

    def _every(self, seconds: float, call: Callable[[], None]) -> None:
        while not self.stopping.is_set():
            try:
                call()
            except SQLAlchemyError as error:
                log.warning("tick.failed", error_type=type(error).__name__)
            self.stopping.wait(seconds)

    def _beat(self) -> None:
        self._watch_supervisor()
        detail = {"owner": self.owner, "busy": self.busy, "supervisor": self._supervisor}
        with self.engine.begin() as connection:
            engines.insist(connection, HEARTBEAT_SECONDS)
            connection.execute(control.record_heartbeat(name=self.node, kind="worker", detail=detail))

    def _tick(self) -> None:
        result = tick.tick(
            self.engine, retention_days=self.settings.retention_days, ping_url=self.settings.ping_url
        )
        if result.due_probes:
            self.start_probing()
        if result.due_shards and not self.busy:
            # Not by the doorbell: a process that is at work may answer it, and the broker may be away.
            threading.Thread(target=self._help, name="slice", daemon=True).start()

    def _help(self) -> None:
        """Work on what is due for as long as there is some, beside the timer: heartbeats must go on."""
        try:
            while (report := self.crawl_slice()) is not None and report.claimed and report.more:
                pass
        except SQLAlchemyError as error:
            log.warning("tick.failed", error_type=type(error).__name__)

    def _watch_supervisor(self) -> None:
        """Stop when the supervisor that started this process is gone: it cannot stop us any more."""
        supervisor = self.settings.supervisor_pid
        if supervisor and os.getppid() != supervisor:
            os.kill(os.getpid(), signal.SIGTERM)

    def stop(self) -> None:
        """Start nothing new; a slice at work ends cleanly within seconds."""
        self.stopping.set()

    def close(self) -> None:
        """End for good: what is under way is given up, connections are closed."""
        self.stop()
        for timer in self._timers:
            timer.join()
        with self._slice, self._probing:
            self.call(self.fetcher.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.database_pool.shutdown()
        self.engine.dispose()

    def finish(self, seconds: float = STOP_SECONDS) -> None:
        """Wait until the slice and the probes at work have handed back what they held: Celery knows only what it started."""
        for work in (self._slice, self._probing):
            if work.acquire(timeout=seconds):
                work.release()
        self._sign_off()

    def _sign_off(self) -> None:
        """Take the heartbeat away: a command that looks for workers must not wait for one that went home."""
        try:
            with self.engine.begin() as connection:
                engines.insist(connection, HEARTBEAT_SECONDS)
                connection.execute(control.forget_heartbeat(self.node))
        except SQLAlchemyError as error:
            log.warning("tick.failed", error_type=type(error).__name__)
