"""One sweep under one schedule of faults, from its start to a run that is over."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from cli.embedded import Servers
from tests.chaos import audit, disk, points
from tests.chaos.messages import meddled
from tests.chaos.points import Source
from tests.chaos.schedule import Fault, Messages, Mode, Schedule, Strike
from tests.chaos.schedule import Servers as Whose
from tests.chaos.striking import Striker
from tests.chaos.wire import Proxy, proxied
from tests.processes import _program
from tests.processes._program import Home, Program
from tests.site_server import SiteServer

CONCURRENCY = 4
COMMIT_PAGES = 20
LEASE_SECONDS = 2.0
SLOT = "2026-03-01T10:00:00Z"
BUSY = 5
"""The run is there, and leases say that it is being worked on: those of processes just killed, too."""

UNAVAILABLE = 7
"""The command gave up on Postgres, or on servers that did not start; the run can be resumed."""

STRIKE_PATIENCE = 15.0
"""A sweep that a fault holds up for longer than this is struck again all the same."""

READY = "Ctrl-C stops everything"
"""What ``up`` says when it can be asked to end."""

END_SECONDS = 90.0
LOOK_SECONDS = 0.05
FINAL = "SELECT state IN ('finished', 'partial', 'failed', 'cancelled') FROM runs"


@dataclass
class Sweep:
    """A sweep in a home whose servers belong to the driver, so that no kill of a command ends them."""

    home: Home
    site: SiteServer
    schedule: Schedule
    servers: Servers
    program: Program | None = None
    struck: list[Strike] = field(default_factory=list)
    fault_ended: float | None = None
    pages_then: int = 0
    messages: int = 0
    gave_up: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    """More settings for whatever is started."""

    proxy: Proxy | None = None
    mounted: bool = False
    second_beat: subprocess.Popen[bytes] | None = None
    recovered: list[float] = field(default_factory=list)
    """For each fault after which a visit, or the end, came before the next fault: the seconds until then."""

    _kept: int | None = None
    """How many visits there were at the end of the last fault, while none was added since."""

    def start(self) -> None:
        """Begin, or go on with the same slot."""
        path = str(_program.site_file(self.home.folder, self.site, concurrency=CONCURRENCY))
        command = ["sweep", "--site-file", path, "--slot", SLOT]
        if self.schedule.mode is Mode.SWEEP:
            self.program = self.home.start(*command, "--format", "json", **self._environ())
            return
        self._plan(*command)
        self.program = self.home.start("up", **self._environ())
        self._start_second_beat()

    def go_on(self, dice: random.Random) -> None:
        """Start again after a kill: the same slot, or ``resume``, which are the same."""
        if self.schedule.mode is Mode.SWEEP and self._exists() and dice.random() < 0.5:
            self.program = self.home.start("resume", "1", "--format", "json", **self._environ())
        else:
            self.start()

    def _plan(self, *command: str) -> None:
        ended = self.home.run(*command, "--no-wait", **self._environ())
        assert ended.code in {0, BUSY}, f"planning ended with {ended.code}: {ended.err}"

    def _environ(self) -> dict[str, str]:
        return {
            "HEADERSWEEP_WORKERS": str(self.schedule.workers),
            "HEADERSWEEP_LEASE_SECONDS": str(LEASE_SECONDS),
            "HEADERSWEEP_COMMIT_PAGES": str(COMMIT_PAGES),
            "HEADERSWEEP_SHARDS_PER_SLICE": "2",
            **({} if self.proxy is None else self._urls()),
            **self.environ,
        }

    def _start_second_beat(self) -> None:
        """Beside the one of ``up``, as somebody does who forgot that one; it stays until the end."""
        running = self.second_beat is not None and self.second_beat.poll() is None
        if self.schedule.beats == 1 or running:
            return
        self.end_second_beat()
        schedule = str(self.home.folder / "second-beat")
        command = [
            sys.executable,
            "-P",
            "-m",
            "celery",
            "-A",
            "worker",
            "beat",
            "-l",
            "WARNING",
            "--pidfile=",
        ]
        with (self.home.folder / "second-beat.log").open("ab") as stream:
            self.second_beat = subprocess.Popen(
                [*command, "-s", schedule],
                env=self.home.environment() | self._urls() | self._environ(),
                cwd=_program.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    def end_second_beat(self) -> None:
        """End it, if it still runs."""
        if self.second_beat is not None:
            self.second_beat.terminate()
            self.second_beat.wait(_program.END_SECONDS)
            self.second_beat = None

    def _urls(self) -> dict[str, str]:
        database = self.servers.database_url if self.proxy is None else self.proxy.url
        return {
            "HEADERSWEEP_DATABASE_URL": database,
            "HEADERSWEEP_BROKER_URL": self.servers.broker_url,
        }

    # -- looking -----------------------------------------------------------------------------------------------

    def pages(self) -> int:
        """How many different pages were asked for."""
        return len(self.site.hits().keys() & self.site.plan.numbers.keys())

    def kept(self) -> list[int]:
        """How many visits were committed; nothing while Postgres does not say."""
        with contextlib.suppress(psycopg.OperationalError), self.database() as connection:
            return [count for (count,) in connection.execute("SELECT count(*) FROM visits")]
        return []

    def database(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.servers.owner_url, autocommit=True, connect_timeout=5)

    def is_over(self) -> bool:
        """Whether the command ended by itself, or, under ``up``, whether the run has a final state."""
        assert self.program is not None
        if self.program.process.poll() is not None:
            return True
        if self.schedule.mode is Mode.SWEEP:
            return False
        with contextlib.suppress(psycopg.OperationalError), self.database() as connection:
            return connection.execute(FINAL).fetchall() == [(True,)]
        return False

    def _exists(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self.database() as connection:
            return bool(connection.execute("SELECT id FROM runs").fetchall())
        return False

    # -- the course of it --------------------------------------------------------------------------------------

    def under_fire(self) -> None:
        """Start, strike as the schedule says, and see the run to its end."""
        dice = random.Random(self.schedule.seed)  # noqa: S311 - repeatable, not secret
        enough = points.TakenOver(self.schedule.aim, self.database, LEASE_SECONDS + 1.0)
        with (
            meddled(self.servers.broker_url, self.schedule.messages) as meddler,
            points.helped(self.home, self.schedule.aim, enough, self._over_now),
        ):
            self.start()
            for strike in self.schedule.strikes:
                if not self._reaches(strike.at):
                    break
                self._strike(strike, dice)
            self._to_the_end(dice)
            self.messages = meddler.count + points.dropped(self.home)

    def _reaches(self, share: float) -> bool:
        wanted, deadline = share * len(self.site.plan.numbers), time.monotonic() + STRIKE_PATIENCE
        while not self.is_over():
            self._look_for_life()
            if self.pages() >= wanted or time.monotonic() > deadline:
                return True
            time.sleep(LOOK_SECONDS)
        return False

    def _strike(self, strike: Strike, dice: random.Random) -> None:
        assert self.program is not None
        if Striker(self, dice).strike(strike):
            self.struck.append(strike)
        self._over_now()

    def _over_now(self) -> None:
        """A fault ended at this moment."""
        self.fault_ended, self.pages_then = time.monotonic(), self.pages()
        (self._kept,) = _program.until(self.kept, what="an answer of Postgres")

    def _look_for_life(self) -> None:
        """Note when the first visit was committed after a fault."""
        if self._kept is None or self.fault_ended is None:
            return
        if any(count > self._kept for count in self.kept()):
            self.recovered.append(time.monotonic() - self.fault_ended)
            self._kept = None

    def finished_after(self) -> float:
        """How long after the last fault the run got its final state, by its own row."""
        if self.fault_ended is None:
            return 0.0
        with self.database() as connection:
            row = connection.execute(
                "SELECT extract(epoch FROM clock_timestamp() - finished_at) FROM runs"
            ).fetchone()
        assert row is not None
        return time.monotonic() - float(row[0]) - self.fault_ended

    def _to_the_end(self, dice: random.Random) -> None:
        deadline = time.monotonic() + END_SECONDS
        while True:
            _program.until(
                self._is_over_by_now,
                max(1.0, deadline - time.monotonic()),
                "the end of the run",
            )
            assert self.program is not None
            code = self.program.process.poll()
            if code != UNAVAILABLE and not self._killed_itself():
                break
            self.gave_up.append(self.program.said()[-300:])
            self.go_on(dice)
        self._leave(code)
        self.end_second_beat()

    def _killed_itself(self) -> bool:
        return (
            self.program is not None
            and self.program.pid == points.struck(self.home)
            and self.program.process.poll() is not None
        )

    def _is_over_by_now(self) -> bool:
        self._look_for_life()
        return self.is_over()

    def _is_up(self) -> bool:
        assert self.program is not None
        return READY in self.program.said()

    def _leave(self, code: int | None) -> None:
        assert self.program is not None
        if self.schedule.mode is Mode.UP:
            assert code is None, f"`up` ended by itself with {code}: {self.program.said()[-2000:]}"
            # Others may have ended the run while this one, started again after a kill, still imports its modules.
            _program.until(self._is_up, what="the start of `up`")
            self.program.stop(signal.SIGTERM)
        ended = self.program.wait()
        assert ended.code == 0, f"exit code {ended.code}: {ended.err[-2000:]}"
        if self._kept is not None:
            # Nothing was left to be fetched, or the last look came too late.
            self.recovered.append(max(0.0, self.finished_after()))


@contextlib.contextmanager
def swept(
    made: Home,
    site: SiteServer,
    schedule: Schedule,
    source: Source = Source(),  # noqa: B008 - frozen
) -> Iterator[Sweep]:
    """A fresh home in which the schedule was carried out, with its servers still running."""
    site.forget()
    home = made.copy_to(_program.new_folder())
    with contextlib.ExitStack() as stack:
        stack.callback(home.close)
        mounted = schedule.has(Fault.DISK_FULL) and stack.enter_context(disk.small(home))
        servers = stack.enter_context(home.servers())
        audit.install(servers.owner_url, source.sql)
        points.meddled(home, schedule.aim, schedule.clock, source)
        if schedule.messages is Messages.DROPPED:
            points.silenced(home)
        sweep = Sweep(home, site, schedule, servers, mounted=mounted, environ=dict(schedule.settings))
        if schedule.servers is Whose.GIVEN:
            sweep.proxy = stack.enter_context(proxied(home.folder / "proxy", servers.database_url))
        stack.callback(sweep.end_second_beat)
        sweep.under_fire()
        yield sweep
