"""Starting and stopping: the first command starts the servers, later ones join, the last one stops them."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli.embedded import binaries, locks, place
from cli.embedded.binaries import Choice, Program
from cli.embedded.broker import Broker
from cli.embedded.place import Place
from cli.embedded.postgres import Postgres
from headersweep import logs
from headersweep.errors import UnavailableError

log = logs.get_logger()

LEAVING_SECONDS = 150.0  # somebody else's stop may take that long
GLANCE_SECONDS = 0.5


@dataclass(frozen=True)
class Servers:
    """Running servers: how to reach them, and what the operator should be told about them."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    home: Path
    notice: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerStatus:
    """One server as it is found; nothing is started for it."""

    name: str
    process_id: int | None
    answers: bool
    log: Path
    socket: Path
    data: Path
    major: int | None = None


@dataclass(frozen=True)
class Status:
    """The servers of one home, for ``headersweep doctor``."""

    home: Path
    state: Path
    account: str
    in_use: bool
    servers: tuple[ServerStatus, ...]
    notice: tuple[str, ...]


@contextlib.contextmanager
def running(home: Path, *, choice: Choice = Choice()) -> Iterator[Servers]:  # noqa: B008 - frozen
    """Both servers, for as long as it is entered; shared with every other command in this home."""
    where = place.locate(home)
    try:
        with locks.using(where):
            with locks.deciding(where), place.explained(where):
                _start_missing(where, choice)
            postgres, broker = _pair(where)
            yield Servers(postgres.url, broker.url, postgres.owner_url, where.home, where.notice)
    finally:
        _leave(where)


def ensure(home: Path, *, choice: Choice = Choice()) -> tuple[str, ...]:  # noqa: B008 - frozen
    """Start again what died in the meantime, and name it; cheap while all is well. For users of ``running`` only."""
    where = place.locate(home)
    for server in _pair(where):
        server.log.keep_small()
    if all(server.pid() for server in _pair(where)):
        return ()
    with locks.deciding(where), place.explained(where):
        return _start_missing(where, choice)


def stop(home: Path) -> bool:
    """Stop servers that nobody uses any more, left behind by a killed command; True when there were any."""
    where = place.locate(home)
    with locks.deciding(where):
        return False if locks.is_used(where) else _stop(where)


def status(home: Path) -> Status | None:
    """What runs in this home; None when nothing was ever started there."""
    if not place.exists(home):
        return None
    where = place.locate(home)
    found = tuple(_status(server) for server in _pair(where))
    return Status(where.home, where.state, where.account.name, _is_used(where), found, where.notice)


def _is_used(where: Place) -> bool:
    try:
        with locks.deciding(where, GLANCE_SECONDS):
            return locks.is_used(where)
    except UnavailableError:
        return True  # somebody is starting them


def _status(server: Postgres | Broker) -> ServerStatus:
    major = server.major() if isinstance(server, Postgres) else None
    return ServerStatus(
        server.name, server.pid(), server.answers(), server.log.path, server.socket, server.data, major
    )


def _pair(where: Place) -> tuple[Postgres, Broker]:
    return Postgres(where), Broker(where)


def _start_missing(where: Place, choice: Choice) -> tuple[str, ...]:
    where.prepare()
    postgres, broker = _pair(where)
    started = []
    if not postgres.answers():
        program = binaries.postgres(where.account, where.copies, only=choice.postgres, major=postgres.major())
        _start(postgres, program)
        started.append(postgres.name)
    if not broker.answers():
        program = binaries.broker(where.account, where.copies, only=choice.broker)
        _start(broker, program)
        started.append(broker.name)
    return tuple(started)


def _start(server: Postgres | Broker, program: Program) -> None:
    began = time.monotonic()
    server.log.keep_small()
    recovered = server.start(program)
    pid, took = server.pid(), _since(began)
    if recovered:
        log.warning(
            "server.recovered", server_name=server.name, process_id=pid, reason=recovered, duration_ms=took
        )
    else:
        address = str(server.socket)
        log.info(
            "server.started",
            server_name=server.name,
            server_address=address,
            process_id=pid,
            duration_ms=took,
        )


def _leave(where: Place) -> None:
    """Stop the servers behind the last user. Whoever is just starting or stopping them will do that instead of us."""
    with contextlib.suppress(UnavailableError), locks.deciding(where, LEAVING_SECONDS):
        if not locks.is_used(where):
            _stop(where)


def _stop(where: Place) -> bool:
    stopped = False
    for server in reversed(_pair(where)):
        began = time.monotonic()
        if server.stop():
            stopped = True
            log.info("server.stopped", server_name=server.name, duration_ms=_since(began))
    if stopped and where.state not in where.sockets.parents:
        shutil.rmtree(where.sockets, ignore_errors=True)
    return stopped


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
