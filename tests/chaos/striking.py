"""How each fault is done to a sweep."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import redis

from cli import embedded
from cli.embedded import place
from cli.embedded.postgres import Postgres
from tests.chaos.schedule import Fault, Strike
from tests.processes import _program
from tests.processes._program import Home

if TYPE_CHECKING:
    from tests.chaos.sweeping import Sweep

FREEZING = frozenset({Fault.WORKER_FROZEN, Fault.BROKER_FROZEN})


@dataclass
class Striker:
    """Does to a sweep what a schedule says."""

    sweep: Sweep
    dice: random.Random

    def strike(self, strike: Strike) -> bool:
        """Let one fault happen; it is over when this returns. False when there was nobody to be hit."""
        targets = self._targets(strike.fault)
        if strike.fault in FREEZING:
            self._freeze(targets, strike.seconds)
        elif strike.fault is Fault.BROKER_EMPTIED:
            return self._empty_the_broker()
        elif strike.fault is Fault.SESSIONS_ENDED:
            return self._end_sessions() > 0
        else:
            self._kill_for_a_while(strike, targets)
        return bool(targets)

    def _targets(self, fault: Fault) -> list[int]:
        assert self.sweep.program is not None
        home, program = self.sweep.home, self.sweep.program
        find: dict[Fault, Callable[[], list[int]]] = {
            Fault.WORKER_KILLED: lambda: self._one(program.workers()),
            Fault.WORKERS_KILLED: program.workers,
            Fault.WORKER_FROZEN: lambda: self._one(self._holders() or program.workers()),
            Fault.COMMAND_KILLED: lambda: [program.pid],
            Fault.BEAT_KILLED: program.beats,
            Fault.BROKER_KILLED: home.broker,
            Fault.BROKER_FROZEN: home.broker,
            Fault.POSTGRES_STOPPED: lambda: _postmaster(home),
            Fault.EVERYTHING_KILLED: home.processes,
        }
        return find.get(fault, list)()

    def _one(self, pids: list[int]) -> list[int]:
        return self.dice.sample(pids, min(1, len(pids)))

    def _holders(self) -> list[int]:
        query = (
            "SELECT DISTINCT split_part(lease_owner, '/', 2)::int FROM shards WHERE lease_owner IS NOT NULL"
        )
        assert self.sweep.program is not None
        with contextlib.suppress(psycopg.OperationalError), self.sweep.database() as connection:
            found = {pid for (pid,) in connection.execute(query)}
            return sorted(found & set(self.sweep.program.workers()))
        return []

    def _freeze(self, pids: list[int], seconds: float) -> None:
        _program.kill(pids, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            _program.kill(pids, signal.SIGCONT)

    def _empty_the_broker(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(redis.Redis.from_url(embedded.client_url(self.sweep.servers.broker_url)).flushall())
        return False

    def _end_sessions(self) -> int:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'headersweep%' ORDER BY pid"
        chosen: list[int] = []
        with contextlib.suppress(psycopg.OperationalError), self.sweep.database() as connection:
            sessions = [pid for (pid,) in connection.execute(query)]
            chosen = self.dice.sample(sessions, (len(sessions) + 1) // 2)
            for pid in chosen:
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return len(chosen)

    def _kill_for_a_while(self, strike: Strike, targets: list[int]) -> None:
        sweep = self.sweep
        assert sweep.program is not None
        # SIGQUIT to the postmaster is an immediate stop: no checkpoint, recovery at the next start.
        stops = strike.fault is Fault.POSTGRES_STOPPED
        _program.kill(targets, signal.SIGQUIT if stops else signal.SIGKILL)
        _program.all_gone(targets)
        time.sleep(strike.seconds)
        embedded.ensure(sweep.home.path)
        if sweep.program.pid in targets:
            sweep.program.kill()
            sweep.go_on(self.dice)


def _postmaster(home: Home) -> list[int]:
    pid = Postgres(place.locate(home.path)).pid()
    return [] if pid is None else [pid]
