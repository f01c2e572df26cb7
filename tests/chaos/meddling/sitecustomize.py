"""Meddles with a process of ours from inside, as variables that begin with CHAOS_ say; without them it does nothing.

The interpreter imports a module of this name at its start. Only the driver of the chaos suite puts this folder on
PYTHONPATH, so the product knows nothing of it. Whatever is patched must exist: a name that was changed ends the process,
so that the suite turns red instead of blind.

    CHAOS_NAMED=1         database sessions carry the process id in their application name (the audit reads it)
    CHAOS_POINT=NAME      a place of POINTS; what is done there: CHAOS_DEED
    CHAOS_DEED=kill       or exit, stop (somebody continues it), lost (the connection is gone once COMMIT was done)
    CHAOS_WHO=worker      or beat, command, w1 (the first worker that a supervisor started)
    CHAOS_AFTER=0         how often the process passes the point unharmed
    CHAOS_MARK=PATH       made by whoever does it first, with its process id: a point strikes once a home
    CHAOS_DROPPED=PATH    no message of this process reaches the broker; the file grows by a byte for each
    CHAOS_CLOCK=w1:120    the wall clocks of such processes are ahead by so many seconds; several with commas
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

KILLED = 137
REFUSED = 70
SETTLING_SECONDS = 0.2
"""A signal that a process sends to itself reaches all of its threads a moment later."""

Test = Callable[[tuple[Any, ...], Any], bool]


def always(_arguments: tuple[Any, ...], _answer: Any) -> bool:
    return True


def holding_results(arguments: tuple[Any, ...], _answer: Any) -> bool:
    return any(batch.results for batches in arguments if isinstance(batches, list) for batch in batches)


def with_rows(arguments: tuple[Any, ...], _answer: Any) -> bool:
    return bool(arguments[1])


def truly(_arguments: tuple[Any, ...], answer: Any) -> bool:
    return bool(answer)


class Point(NamedTuple):
    """Where something happens: before or after the calls of a function for which the test holds."""

    module: str
    function: str
    after: bool
    test: Test = always


POINTS = {
    # A claim is committed, nothing was fetched.
    "claimed": Point("worker.claim", "Claims.work_on", after=False),
    # Pages were fetched, nothing of them is written.
    "fetched": Point("worker.commit", "Committer.commit", after=False, test=holding_results),
    # In a commit: nothing is locked yet, no fencing number compared.
    "locking": Point("worker.commit", "Committer._locked", after=False, test=holding_results),
    # In a commit: the visits are inserted.
    "written": Point("worker.commit", "_add_visits", after=True, test=with_rows),
    # The same transaction's COMMIT was done, its answer has not been seen.
    "committed": Point("worker.commit", "_add_visits", after=True, test=with_rows),
    # Whatever there is to ring for is committed.
    "unrung": Point("scheduler.doorbell", "ring", after=False),
    # The runs of due slots are committed.
    "planned": Point("scheduler.planning", "plan", after=True, test=truly),
    # A command's run is committed.
    "enlisted": Point("cli.enlist", "plan", after=True),
    # In the closing transaction: the run was looked at and counted.
    "looked": Point("scheduler.finishing", "account", after=True),
    # In the closing transaction: all of it is written, run.finished promised.
    "closing": Point("scheduler.finishing", "promise", after=True),
    # The closing transaction is committed, run.finished not yet logged.
    "closed": Point("scheduler.finishing", "finish", after=True, test=truly),
    # run.finished is logged, and not yet marked so.
    "told": Point("models.outbox", "mark_emitted", after=False),
}


def who() -> set[str]:
    """What this process is, by its command line."""
    words = sys.orig_argv
    if "celery" not in words:
        return {"command"} if "cli" in words else set()
    if "beat" in words:
        return {"beat"}
    node = words[words.index("-n") + 1] if "-n" in words else ""
    return {"worker", node.partition("-")[0]}


class Trap:
    """Strikes once a home, when the chosen kind of process has passed often enough."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.name = environ["CHAOS_POINT"]
        self.point = POINTS[self.name]
        self._deed = {"kill": self._kill, "exit": self._exit, "stop": self._stop, "lost": self._lose}[
            environ["CHAOS_DEED"]
        ]
        self._mark = environ["CHAOS_MARK"]
        self._left = int(environ.get("CHAOS_AFTER", "0"))
        self._armed = environ["CHAOS_WHO"] in who()
        self._lock = threading.Lock()
        self._written = threading.local()

    def passed(self) -> None:
        """Called at the point."""
        if not self._armed:
            return
        with self._lock:
            self._left -= 1
            if self._left >= 0 or not self._is_first():
                return
        self._deed()

    def _is_first(self) -> bool:
        self._armed = False
        try:
            file = os.open(self._mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        os.write(file, f"{os.getpid()}\n".encode())
        os.close(file)
        return True

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _exit(self) -> None:
        os._exit(KILLED)

    def _stop(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(SETTLING_SECONDS)

    def _lose(self) -> None:
        import psycopg

        raise psycopg.OperationalError("the connection is closed (chaos)")

    # -- COMMIT itself -----------------------------------------------------------------------------------------

    def note_written(self) -> None:
        """This thread's transaction has inserted visits."""
        self._written.yes = True

    def after_commit(self, connection: Any) -> None:
        """A COMMIT was answered; the answer goes no further when the point is about that."""
        if getattr(self._written, "yes", False):
            self._written.yes = False
            if self._armed and self._deed == self._lose:
                connection.dbapi_connection.close()
            self.passed()


# -- patching on import ----------------------------------------------------------------------------------------


class Patches(importlib.abc.MetaPathFinder):
    """Changes named functions of modules right after these were executed, before anybody else sees them."""

    def __init__(self) -> None:
        self._wanted: dict[str, list[tuple[str, Callable[[Any], Any]]]] = {}

    def add(self, module: str, function: str, wrap: Callable[[Any], Any]) -> None:
        self._wanted.setdefault(module, []).append((function, wrap))

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._wanted:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        assert spec is not None, f"chaos: there is no module {name}"
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._apply(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _apply(self, module: ModuleType) -> None:
        for dotted, wrap in self._wanted[module.__name__]:
            holder: Any = module
            *outer, name = dotted.split(".")
            for part in outer:
                holder = getattr(holder, part)
            # An attribute that is gone raises here: the import fails, and with it the process.
            setattr(holder, name, wrap(vars(holder)[name]))


def trapped(trap: Trap) -> Callable[[Any], Any]:
    """Wraps the function that a point is about."""

    def wrap(function: Any) -> Any:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if not trap.point.after and trap.point.test(arguments, None):
                trap.passed()
            answer = function(*arguments, **named)
            if trap.point.after and trap.point.test(arguments, answer):
                (trap.note_written if trap.name == "committed" else trap.passed)()
            return answer

        return wrapped

    return wrap


def dropped(path: str) -> Callable[[Any], Any]:
    """Wraps kombu's way to a queue. From outside a message cannot be taken away for sure: who waits for it has it at once."""

    def wrap(put: Any) -> Any:
        @functools.wraps(put)
        def wrapped(*_arguments: Any, **_named: Any) -> None:
            file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
            os.write(file, b".")
            os.close(file)

        return wrapped

    return wrap


def named_sessions(connect: Any) -> Any:
    """Wraps models.engine.connect: sessions say which process they belong to."""

    @functools.wraps(connect)
    def wrapped(database_url: str, **named: Any) -> Any:
        application = named.pop("application", "headersweep")
        return connect(database_url, application=f"{application} pid={os.getpid()}", **named)

    return wrapped


def watched_commits(trap: Trap) -> Callable[[Any], Any]:
    """Wraps models.engine.connect: the trap hears of every COMMIT that was done."""

    def wrap(connect: Any) -> Any:
        @functools.wraps(connect)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            engine = connect(*arguments, **named)
            do_commit = engine.dialect.do_commit

            def commit(connection: Any) -> None:
                do_commit(connection)
                trap.after_commit(connection)

            engine.dialect.do_commit = commit
            return engine

        return wrapped

    return wrap


def begin(environ: dict[str, str]) -> None:
    """Do what the variables say."""
    for part in filter(None, environ.get("CHAOS_CLOCK", "").split(",")):
        name, _, seconds = part.partition(":")
        if name in who():
            # By name: this folder is no package.
            importlib.import_module("wrong_clock").shift(float(seconds))
    patches = Patches()
    if environ.get("CHAOS_NAMED"):
        patches.add("models.engine", "connect", named_sessions)
    if environ.get("CHAOS_DROPPED"):
        patches.add("kombu.transport.redis", "Channel._put", dropped(environ["CHAOS_DROPPED"]))
    if "CHAOS_POINT" in environ:
        trap = Trap(environ)
        patches.add(trap.point.module, trap.point.function, trapped(trap))
        if trap.name == "committed":
            patches.add("models.engine", "connect", watched_commits(trap))
    sys.meta_path.insert(0, patches)


if any(name.startswith("CHAOS_") for name in os.environ):
    _begun = False
    try:
        begin(dict(os.environ))
        _begun = True
    finally:
        if not _begun:
            # The interpreter would go on without us: that must not look like a test that passed.
            traceback.print_exc()
            os._exit(REFUSED)
