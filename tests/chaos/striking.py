"""How each fault is done to a sweep."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import redis

from cli import embedded
from cli.embedded import locks, place
from cli.embedded.broker import Broker
from cli.embedded.postgres import Postgres
from tests.chaos import disk
from tests.chaos.schedule import CUTS, OUTAGES, Fault, Strike
from tests.processes import _program
from tests.processes._program import Home

if TYPE_CHECKING:
    from tests.chaos.sweeping import Sweep

CUT_PATIENCE = 10.0
"""A worker commits at least once a second while it has pages."""

PANIC = 0.5
"""How often a full disk hits the log as well."""

SPARE_SEGMENTS = 8
MARKER = "chaos:before"
REFUSALS = {
    Fault.POSTGRES_REFUSING: ("ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"),
    Fault.POSTGRES_CROWDED: ("CONNECTION LIMIT 0", "CONNECTION LIMIT -1"),
}
"""What makes Postgres turn everybody away, and what ends that; a limit gives the error of too many clients."""


@dataclass
class Striker:
    """Does to a sweep what a schedule says."""

    sweep: Sweep
    dice: random.Random

    def strike(self, strike: Strike) -> bool:
        """Let one fault happen; it is over when this returns. False when there was nobody to be hit."""
        others: dict[Fault, Callable[[Strike], bool]] = {
            Fault.WORKER_FROZEN: self._freeze,
            Fault.BROKER_FROZEN: self._freeze,
            Fault.BROKER_EMPTIED: self._empty_the_broker,
            Fault.BROKER_LOST: self._lose_the_broker,
            Fault.BROKER_AWAY: self._lose_the_broker,
            Fault.SESSIONS_ENDED: self._end_sessions,
            Fault.DISK_FULL: self._fill_the_disk,
            **dict.fromkeys(REFUSALS, self._refuse),
            **dict.fromkeys(CUTS, self._cut),
        }
        return others.get(strike.fault, self._kill_for_a_while)(strike)

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
            Fault.POSTGRES_KILLED: home.postgres,
            Fault.POSTGRES_AWAY: lambda: self.dice.choice((_postmaster, Home.postgres))(home),
            Fault.EVERYTHING_KILLED: home.processes,
        }
        return find[fault]()

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

    # -- processes ---------------------------------------------------------------------------------------------

    def _freeze(self, strike: Strike) -> bool:
        pids = self._targets(strike.fault)
        _program.kill(pids, signal.SIGSTOP)
        try:
            time.sleep(strike.seconds)
        finally:
            _program.kill(pids, signal.SIGCONT)
        return bool(pids)

    def _kill_for_a_while(self, strike: Strike) -> bool:
        sweep, targets = self.sweep, self._targets(strike.fault)
        assert sweep.program is not None
        # SIGQUIT to the postmaster is an immediate stop: no checkpoint, recovery at the next start.
        stops = strike.fault in {Fault.POSTGRES_STOPPED, Fault.POSTGRES_AWAY} and len(targets) == 1
        _program.kill(targets, signal.SIGQUIT if stops else signal.SIGKILL)
        _program.all_gone(targets)
        time.sleep(strike.seconds)
        if strike.fault in OUTAGES:
            assert not _postmaster(sweep.home), "somebody started Postgres during its outage"
        embedded.ensure(sweep.home.path)
        if sweep.program.pid in targets:
            sweep.program.kill()
            sweep.go_on(self.dice)
        return bool(targets)

    # -- the broker --------------------------------------------------------------------------------------------

    def _broker(self) -> Any:
        return redis.Redis.from_url(embedded.client_url(self.sweep.servers.broker_url))

    def _empty_the_broker(self, _strike: Strike) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self._broker().flushall())
        return False

    def _lose_the_broker(self, strike: Strike) -> bool:
        """Kill it and throw away its files before anybody starts it again; it comes back knowing nothing."""
        home, where = self.sweep.home, place.locate(self.sweep.home.path)
        with contextlib.suppress(redis.RedisError):
            self._broker().set(MARKER, "1")
        with locks.deciding(where):
            pids = home.broker()
            _program.kill(pids)
            _program.all_gone(pids)
            shutil.rmtree(Broker(where).data)
        time.sleep(strike.seconds)
        if strike.fault in OUTAGES:
            assert not home.broker(), "somebody started the broker during its outage"
        embedded.ensure(home.path)
        assert not self._broker().exists(MARKER), "the broker came back with what it had"
        return bool(pids)

    # -- Postgres ----------------------------------------------------------------------------------------------

    def _end_sessions(self, _strike: Strike) -> bool:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'headersweep%' ORDER BY pid"
        chosen: list[int] = []
        with contextlib.suppress(psycopg.OperationalError), self.sweep.database() as connection:
            sessions = [pid for (pid,) in connection.execute(query)]
            chosen = self.dice.sample(sessions, (len(sessions) + 1) // 2)
            for pid in chosen:
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return bool(chosen)

    def _refuse(self, strike: Strike) -> bool:
        begin, end = REFUSALS[strike.fault]
        with _beside(self.sweep.servers.owner_url) as connection:
            database = connection.execute("SELECT datname FROM pg_database WHERE datname = 'headersweep'")
            assert database.fetchall()
            connection.execute(f"ALTER DATABASE headersweep {begin}".encode())
            try:
                query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'headersweep'"
                ended = connection.execute(query).fetchall()
                time.sleep(strike.seconds)
            finally:
                connection.execute(f"ALTER DATABASE headersweep {end}".encode())
        return bool(ended)

    def _cut(self, strike: Strike) -> bool:
        proxy = self.sweep.proxy
        assert proxy is not None
        try:
            if not proxy.cut(strike.fault, CUT_PATIENCE):
                return False
            time.sleep(strike.seconds)
        finally:
            proxy.heal()
        return True

    def _fill_the_disk(self, strike: Strike) -> bool:
        home = self.sweep.home
        before = disk.refusals(home), _postmaster(home)
        filled = disk.filled if self.sweep.mounted else disk.limited
        with filled(home):
            if self.dice.random() < PANIC and self.sweep.mounted:
                self._end_the_log_segment()
            time.sleep(strike.seconds)
        embedded.ensure(home.path)
        # Under the stand-in Postgres cannot even write to its log.
        return (disk.refusals(home), _postmaster(home)) != before

    def _end_the_log_segment(self) -> None:
        """Make the next record of the log need a new file, which a full disk has no room for: a crash, not an error."""
        with contextlib.suppress(psycopg.Error), self.sweep.database() as connection:
            for _ in range(SPARE_SEGMENTS):
                connection.execute("SELECT pg_switch_wal(), txid_current()")


def _postmaster(home: Home) -> list[int]:
    pid = Postgres(place.locate(home.path)).pid()
    return [] if pid is None else [pid]


@contextlib.contextmanager
def _beside(owner_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A session of the owner in another database than the program's."""
    with psycopg.connect(owner_url, dbname="postgres", autocommit=True) as connection:
        yield connection
