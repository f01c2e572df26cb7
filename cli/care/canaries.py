"""Canaries: sessions that read and write a table all the time, and notice how long they had to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from models.care import watching
from models.care.watching import Canary

PAUSE_SECONDS = 0.005
END_SECONDS = 120.0
READER, WRITER = "reader", "writer"


@dataclass(frozen=True)
class Call:
    """One question of a canary: by whom, when, and for how long it had no answer."""

    kind: str
    table: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it waited."""
        return self.ended - self.began


@dataclass
class Flock:
    """The canaries of some tables, and everything that they noticed."""

    calls: list[Call] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def longest(self, kind: str, since: float = 0.0, until: float = float("inf")) -> float | None:
        """The longest wait of a kind that began in a stretch of time, in ms; None where nobody asked."""
        found = [call.seconds for call in self.calls if call.kind == kind and since <= call.began < until]
        return max(found) * 1000 if found else None

    def count(self, kind: str) -> int:
        """How often was asked."""
        return sum(call.kind == kind for call in self.calls)


def of_tables(engine: Engine, tables: Sequence[str]) -> list[Canary]:
    """What to ask of these tables: one row by its key, as the data have it now."""
    found = []
    with engine.connect() as connection:
        for table in tables:
            keys = [
                str(name)
                for name in connection.scalars(watching.key_columns(), {"table": watching.quoted(table)})
            ]
            column = connection.scalar(watching.plain_column(), {"table": watching.quoted(table)})
            if not keys or column is None:
                continue
            row = connection.execute(watching.some_key(table, keys)).first()
            found.append(watching.canary(table, keys, str(column), tuple(row) if row else ()))
    return found


@contextmanager
def singing(database_url: str, canaries: Sequence[Canary]) -> Iterator[Flock]:
    """Ask all of them, each in a session of its own, until the block ends; whoever waits then is waited for."""
    flock, stop = Flock(), threading.Event()
    with ExitStack() as stack:
        threads = []
        for canary in canaries:
            for kind in (READER, WRITER):
                session = stack.enter_context(_session(database_url))
                threads.append(
                    threading.Thread(target=_sing, args=(session, canary, kind, flock, stop), daemon=True)
                )
        for thread in threads:
            thread.start()
        try:
            yield flock
        finally:
            stop.set()
            for thread in threads:
                thread.join(END_SECONDS)


@contextmanager
def _session(database_url: str) -> Iterator[psycopg.Connection]:
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    # A canary tells of locks: it does not wait for the disk, and keeps no plan that a change of types would break.
    options = "-c synchronous_commit=off -c statement_timeout=0 -c lock_timeout=0"
    with psycopg.connect(
        url, autocommit=True, prepare_threshold=None, options=options, application_name="headersweep-canary"
    ) as session:
        yield session


def _sing(
    session: psycopg.Connection, canary: Canary, kind: str, flock: Flock, stop: threading.Event
) -> None:
    statement = (canary.read if kind == READER else canary.write).encode()
    while not stop.is_set():
        began = time.monotonic()
        try:
            session.execute(statement, canary.key)
        except psycopg.Error as error:
            if session.closed or len(flock.errors) > 100:  # noqa: PLR2004 - enough to know
                return
            flock.errors.append(f"{kind} of {canary.table}: {str(error).splitlines()[0]}")
        flock.calls.append(Call(kind, canary.table, began, time.monotonic()))
        stop.wait(PAUSE_SECONDS)
