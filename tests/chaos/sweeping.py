"""One sweep under one schedule of faults, from its start to a run that is over."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from cli.embedded import Servers
from tests.chaos.messages import meddled
from tests.chaos.schedule import Mode, Schedule, Strike
from tests.chaos.striking import Striker
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

    def start(self) -> None:
        """Begin, or go on with the same slot."""
        path = str(_program.site_file(self.home.folder, self.site, concurrency=CONCURRENCY))
        command = ["sweep", "--site-file", path, "--slot", SLOT]
        if self.schedule.mode is Mode.SWEEP:
            self.program = self.home.start(*command, "--format", "json", **self._environ())
            return
        self._plan(*command)
        self.program = self.home.start("up", **self._environ())

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
            **self.environ,
        }

    # -- looking -----------------------------------------------------------------------------------------------

    def pages(self) -> int:
        """How many different pages were asked for."""
        return len(self.site.hits().keys() & self.site.plan.numbers.keys())

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
        with meddled(self.servers.broker_url, self.schedule.messages) as meddler:
            self.start()
            for strike in self.schedule.strikes:
                if not self._reaches(strike.at):
                    break
                self._strike(strike, dice)
            self._to_the_end(dice)
            self.messages = meddler.count

    def _reaches(self, share: float) -> bool:
        wanted, deadline = share * len(self.site.plan.numbers), time.monotonic() + STRIKE_PATIENCE
        while not self.is_over():
            if self.pages() >= wanted or time.monotonic() > deadline:
                return True
            time.sleep(LOOK_SECONDS)
        return False

    def _strike(self, strike: Strike, dice: random.Random) -> None:
        assert self.program is not None
        if Striker(self, dice).strike(strike):
            self.struck.append(strike)
        self.fault_ended, self.pages_then = time.monotonic(), self.pages()

    def _to_the_end(self, dice: random.Random) -> None:
        deadline = time.monotonic() + END_SECONDS
        while True:
            _program.until(self.is_over, max(1.0, deadline - time.monotonic()), "the end of the run")
            assert self.program is not None
            code = self.program.process.poll()
            if code != UNAVAILABLE:
                break
            self.gave_up.append(self.program.said()[-300:])
            self.go_on(dice)
        self._leave(code)

    def _leave(self, code: int | None) -> None:
        assert self.program is not None
        if self.schedule.mode is Mode.UP:
            assert code is None, f"`up` ended by itself with {code}: {self.program.said()[-2000:]}"
            self.program.stop(signal.SIGTERM)
        ended = self.program.wait()
        assert ended.code == 0, f"exit code {ended.code}: {ended.err[-2000:]}"


@contextlib.contextmanager
def swept(made: Home, site: SiteServer, schedule: Schedule) -> Iterator[Sweep]:
    """A fresh home in which the schedule was carried out, with its servers still running."""
    site.forget()
    home = made.copy_to(_program.new_folder())
    try:
        with home.servers() as servers:
            sweep = Sweep(home, site, schedule, servers)
            sweep.under_fire()
            yield sweep
    finally:
        home.close()
