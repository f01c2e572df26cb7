"""Watching a migration: every statement with its duration, locks, rewritten tables and log, and who waited for it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alembic import command
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cli.care import canaries
from cli.care.canaries import READER, WRITER, Flock
from models import engine as engines
from models import migrate
from models.care import watching
from models.care.watching import STRENGTHS, Canary

GLANCE_SECONDS = 0.01
QUIET_SECONDS = 0.5
"""How long the canaries sing before a step begins, so that the step's stalls have something to be compared with."""

LOCK_NOT_AVAILABLE = "55P03"

_BOOKS = re.compile(
    r"alembic_version|pg_(?:try_)?advisory|^\s*(?:SET|SHOW|BEGIN|COMMIT|ROLLBACK)\b|^\s*SELECT\b(?!.*\bINTO\b)",
    re.IGNORECASE | re.DOTALL,
)
"""What Alembic and our env.py ask for themselves."""


_REWRITES = re.compile(r"^\s*(?:ALTER|CLUSTER|REFRESH|TRUNCATE|VACUUM|REINDEX)\b", re.IGNORECASE)
"""What can give a table another file."""


@dataclass
class Statement:
    """One statement of a migration, and what it did."""

    sql: str
    began: float
    ended: float = 0.0
    locks: dict[str, str] = field(default_factory=dict)
    rewritten: tuple[str, ...] = ()
    wal_bytes: int = 0
    reader_ms: float | None = None
    writer_ms: float | None = None
    tries: int = 1

    @property
    def duration_ms(self) -> float:
        """How long it took."""
        return (self.ended - self.began) * 1000


@dataclass
class Step:
    """One way of a migration, up or down, as it went."""

    name: str
    statements: list[Statement] = field(default_factory=list)
    seconds: float = 0.0
    wal_bytes: int = 0
    reader_ms: float | None = None
    writer_ms: float | None = None
    quiet_reader_ms: float | None = None
    quiet_writer_ms: float | None = None
    errors: tuple[str, ...] = ()
    failure: str = ""

    @property
    def locked(self) -> dict[str, str]:
        """The strongest lock on each table."""
        strongest: dict[str, str] = {}
        for statement in self.statements:
            _merge(strongest, statement.locks.items())
        return strongest

    @property
    def rewritten(self) -> list[str]:
        """The tables that got another file."""
        return sorted({table for statement in self.statements for table in statement.rewritten})


class Watcher:
    """Listens to the engine that a migration runs on."""

    def __init__(self, engine: Engine) -> None:
        self.step_statements: list[Statement] = []
        self._engine = engine
        self._state: _State | None = None
        self._pid: int | None = None
        self._current: Statement | None = None
        self._stop = threading.Event()

    def listen(self, engine: Engine) -> None:
        """What env.py calls with the engine that it is going to use."""
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        event.listen(engine, "handle_error", self._failed)

    def glance(self) -> None:
        """Look at the migration's locks from outside, again and again: some statements are transactions of their own."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not self._stop.wait(GLANCE_SECONDS):
                current = self._current
                if current is None or self._pid is None:
                    continue
                rows = connection.execute(watching.locks(self._pid)).all()
                _merge(
                    current.locks, ((row.name, row.mode) for row in rows if not self._had(row.name, row.mode))
                )

    def end(self) -> None:
        """No more glances."""
        self._stop.set()

    def _had(self, table: str, mode: str) -> bool:
        return self._state is not None and self._state.has(table, mode)

    def _before(self, _connection: Connection, cursor: Any, sql: str, *_rest: Any) -> None:
        if _BOOKS.search(sql):
            return
        self._pid = cursor.connection.info.backend_pid
        if self._state is None:
            self._state = _State.of(cursor)
        self._current = Statement(" ".join(sql.split()), time.monotonic())

    def _after(self, _connection: Connection, cursor: Any, sql: str, *_rest: Any) -> None:
        current, self._current = self._current, None
        before = self._state
        if current is None or before is None or _BOOKS.search(sql):
            return
        current.ended = time.monotonic()
        now = self._state = _State.of(cursor, before, files_too=_REWRITES.search(sql) is not None)
        _merge(
            current.locks, ((name, mode) for name, mode in now.locks.items() if not before.has(name, mode))
        )
        current.rewritten = tuple(
            sorted(name for name, file in now.files.items() if before.files.get(name, file) != file)
        )
        current.wal_bytes = now.position - before.position
        self._keep(current)

    def _keep(self, done: Statement) -> None:
        for earlier in self.step_statements:
            if earlier.sql == done.sql:  # the whole transaction is tried again after a lock timeout
                done.tries = earlier.tries + 1
                self.step_statements.remove(earlier)
                break
        self.step_statements.append(done)

    def _failed(self, context: Any) -> None:
        if self._state is not None:  # what it held is given back
            self._state = replace(self._state, locks={})
        if (
            self._current is not None
            and getattr(context.original_exception, "sqlstate", "") == LOCK_NOT_AVAILABLE
        ):
            self._current.ended = time.monotonic()
            self._keep(self._current)
        self._current = None


@dataclass(frozen=True)
class _State:
    """What the migration's own session sees of itself."""

    locks: dict[str, str]
    files: dict[str, int]
    position: int

    def has(self, table: str, mode: str) -> bool:
        """Whether it holds that lock, or a stronger one."""
        return table in self.locks and STRENGTHS.index(self.locks[table]) >= STRENGTHS.index(mode)

    @classmethod
    def of(cls, cursor: Any, known: _State | None = None, *, files_too: bool = True) -> _State:
        """Asked in the migration's own session, since nobody else sees what it has not committed."""
        # A cursor of its own: the migration's one may have rows to fetch.
        with cursor.connection.cursor() as own:
            held, position, files = own.execute(str(watching.glance(files_too=files_too))).fetchone()
        found: dict[str, str] = {}
        _merge(found, held or ())
        return cls(found, (files or {}) if files_too or known is None else known.files, position)


def _merge(into: dict[str, str], more: Any) -> None:
    """Keep the stronger of two locks."""
    for table, mode in more:
        if table not in into or STRENGTHS.index(mode) > STRENGTHS.index(into[table]):
            into[table] = mode


def step(  # noqa: PLR0913 - what there is to say of a step
    name: str,
    database_url: str,
    move: Callable[[Any], None],
    watched: Sequence[Canary],
    *,
    versions: Any = None,
    observed: bool = True,
) -> Step:
    """Make one step under the canaries' eyes; ``move`` gets Alembic's configuration.

    Not ``observed``, only the canaries look on: exactly as it runs for everybody.
    """
    engine = engines.connect(database_url, poolclass=NullPool)
    watcher = Watcher(engine)
    settings = migrate.config(database_url, versions=versions)
    if observed:
        settings.attributes["watch"] = watcher.listen
    glancing = threading.Thread(target=watcher.glance, daemon=True)
    with canaries.singing(database_url, watched) as flock:
        if watched:
            time.sleep(QUIET_SECONDS)
        before, began = _position(engine), time.monotonic()
        glancing.start()
        failure = ""
        try:
            move(settings)
        except DBAPIError as error:
            failure = str(error.orig).strip().splitlines()[0]
        finally:
            ended = time.monotonic()
            watcher.end()
            glancing.join()
        after = _position(engine)
    told = _told(name, watcher.step_statements, flock, (began, ended), after - before)
    return replace(told, failure=failure)


def _position(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(watching.position()).scalar_one())


def _told(
    name: str, statements: list[Statement], flock: Flock, stretch: tuple[float, float], wal_bytes: int
) -> Step:
    """Give each statement, and the step from its first one on, the longest wait that reached into it."""
    began, ended = stretch
    first = statements[0].began if statements else began
    for statement in statements:
        statement.reader_ms = flock.longest(READER, statement.began, statement.ended)
        statement.writer_ms = flock.longest(WRITER, statement.began, statement.ended)
    return Step(
        name,
        statements,
        ended - began,
        wal_bytes,
        reader_ms=flock.longest(READER, first, ended),
        writer_ms=flock.longest(WRITER, first, ended),
        quiet_reader_ms=flock.longest(READER, 0.0, began),
        quiet_writer_ms=flock.longest(WRITER, 0.0, began),
        errors=tuple(flock.errors),
    )


def up(revision: str) -> Callable[[Any], None]:
    """The move to a revision."""
    return lambda settings: command.upgrade(settings, revision)


def down(revision: str | None) -> Callable[[Any], None]:
    """The move back to a revision, or to nothing."""
    return lambda settings: command.downgrade(settings, revision or "base")


def bring(database_url: str, revision: str | None, *, versions: Any = None) -> None:
    """Bring a scratch database to a revision, whichever way that is; nobody looks on."""
    settings = migrate.config(database_url, versions=versions)
    engine = engines.connect(database_url, poolclass=NullPool)
    order = _order(settings)
    at = migrate.current(engine)
    here = order.index(at) if at in order else -1
    there = order.index(revision) if revision is not None else -1
    if there > here:
        command.upgrade(settings, str(revision))
    elif there < here:
        command.downgrade(settings, revision or "base")


def _order(settings: Any) -> list[str]:
    """All revisions, the oldest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()][::-1]
