"""Starts workers and a beat as processes of their own, replaces those that die or fall silent, and stops them all."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import cli
from headersweep import logs
from headersweep.errors import ConfigurationError
from headersweep.settings import FILE_SUFFIX, PREFIX, Settings

STOP_GRACE_SECONDS = 15.0
"""A worker ends its slice within 10 s of a SIGTERM; after this it is killed, and its leases bring the pages back."""

SILENT_LEASES = 3
SILENT_SECONDS = 60.0
"""A worker whose heartbeat is older than three leases, and than this, hangs."""

QUICK_DEATH_SECONDS = 10.0
MAX_BACKOFF_SECONDS = 30.0
HOPELESS_DEATHS = 5
"""So many quick deaths in a row of every worker mean that the installation is broken, not unlucky."""

MAX_WORKERS = 4
LOG_TAIL_BYTES = 2_000
MAX_LOG_BYTES = 20_000_000
"""A child's log beyond this is moved aside when the child starts."""

log = logs.get_logger()


class Process(Protocol):
    """What the supervisor needs of a child process."""

    pid: int

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, waited for."""


@dataclass(frozen=True)
class Heartbeat:
    """One process that reported itself in the database."""

    name: str
    age_seconds: float
    is_leaving: bool = False
    """It is certainly gone, or its supervisor is, which ends it within seconds."""


@dataclass
class Post:
    """One place that a child process fills; when that child goes, another takes the place."""

    kind: str
    number: int
    node: str = ""
    process: Process | None = None
    started_at: float = 0.0
    start_after: float = 0.0
    quick_deaths: int = 0


Spawn = Callable[[list[str], Mapping[str, str], Path], Process]


def worker_count(wanted: int | None, settings: Settings) -> int:
    """How many workers to start: as asked for, as set, or one for each core up to four."""
    return wanted or settings.workers or min(os.cpu_count() or 1, MAX_WORKERS)


class Supervisor:
    """Keeps a number of workers, and perhaps a beat, alive for as long as its owner calls ``poll``."""

    def __init__(
        self,
        settings: Settings,
        heartbeats: Callable[[], Iterable[Heartbeat]],
        *,
        spawn: Spawn | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._heartbeats = heartbeats
        self._spawn = spawn or _spawn
        self._clock = clock
        self._logs = Path(settings.home).absolute() / "logs"
        self._posts: list[Post] = []
        self._started = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was started here."""
        return not self._posts

    @property
    def log_folder(self) -> Path:
        """Where the children's logs are."""
        return self._logs

    def start_workers(self, count: int) -> None:
        """Start so many worker processes."""
        for number in range(1, count + 1):
            self._fill(Post("worker", number))

    def start_beat(self) -> None:
        """Start the process that looks at the schedule."""
        self._fill(Post("beat", 1))

    def poll(self) -> None:
        """Replace what died or hangs; raise ConfigurationError when every worker dies as soon as it is started."""
        silent = self._silent() if self._posts else _never
        for post in self._posts:
            self._look_at(post, silent)
        workers = [post for post in self._posts if post.kind == "worker"]
        if workers and all(post.quick_deaths >= HOPELESS_DEATHS for post in workers):
            raise ConfigurationError(
                f"the workers end as soon as they are started; the log says: {self._tail(workers[0])} "
                f"({self._log_file(workers[0])})"
            )

    def stop(self, grace: float = STOP_GRACE_SECONDS) -> None:
        """Ask all children to finish what they do, wait for them, and kill what is left."""
        self._signal_all(signal.SIGTERM)
        deadline = self._clock() + grace
        for post in self._posts:
            if post.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    post.process.wait(timeout=max(0.0, deadline - self._clock()))
        self.kill()

    def kill(self) -> None:
        """End all children at once; their leases bring back what they held."""
        self._signal_all(signal.SIGKILL)
        for post in self._posts:
            if post.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    post.process.wait(timeout=5.0)
        self._posts.clear()

    def _fill(self, post: Post) -> None:
        self._posts.append(post)
        self._start(post)

    def _start(self, post: Post) -> None:
        self._started += 1
        # A new name each time: the heartbeat of a predecessor must not count for its successor.
        post.node = f"w{self._started}-{os.getpid()}"
        post.process = self._spawn(self._command(post), environment(self._settings), self._log_file(post))
        post.started_at = self._clock()

    def _command(self, post: Post) -> list[str]:
        # -P: no folder of the operator's comes before our packages, whatever lies there.
        start = [sys.executable, "-P", "-m", "celery", "-A", "worker"]
        if post.kind == "beat":
            schedule = str(self._logs.parent / "celerybeat-schedule")
            return [*start, "beat", "-l", "WARNING", "-s", schedule, "--pidfile="]
        # Two threads: one for a slice, one so that planning and rescuing do not wait behind it.
        pool = ["-P", "threads", "-c", "2", "-n", f"{post.node}@%h"]
        # Nobody listens to what Celery's workers tell each other, every two seconds: our heartbeats are in the database.
        silent = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return [*start, "worker", *pool, *silent, "-l", "WARNING"]

    def _look_at(self, post: Post, silent: Callable[[Post], bool]) -> None:
        if post.process is None:
            if self._clock() >= post.start_after:
                self._start(post)
            return
        code = post.process.poll()
        if code is not None:
            self._replace(post, post.process, "exited", code)
        elif silent(post):
            _signal_group(post.process, signal.SIGKILL)
            self._replace(post, post.process, "silent", post.process.wait(timeout=5.0))

    def _replace(self, post: Post, process: Process, why: str, code: int) -> None:
        now, pid = self._clock(), process.pid
        quick = now - post.started_at < QUICK_DEATH_SECONDS
        post.quick_deaths = post.quick_deaths + 1 if quick else 0
        delay = min(MAX_BACKOFF_SECONDS, 2.0 ** (post.quick_deaths - 1)) if quick else 0.0
        post.start_after = now + delay
        post.process = None
        log.warning("worker.replaced", reason=f"{post.kind} {why}", process_id=pid, exit_code=code)

    def _silent(self) -> Callable[[Post], bool]:
        limit = max(SILENT_SECONDS, SILENT_LEASES * self._settings.lease_seconds)
        stale = [beat for beat in self._heartbeats() if beat.age_seconds > limit]

        def _is_silent(post: Post) -> bool:
            return post.kind == "worker" and any(_belongs(beat, post) for beat in stale)

        return _is_silent

    def _signal_all(self, number: signal.Signals) -> None:
        for post in self._posts:
            if post.process is not None and post.process.poll() is None:
                _signal_group(post.process, number)

    def _log_file(self, post: Post) -> Path:
        return self._logs / (f"worker-{post.number}.log" if post.kind == "worker" else "beat.log")

    def _tail(self, post: Post) -> str:
        try:
            with self._log_file(post).open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                lines = stream.read().decode("utf-8", "replace").split("\n")
        except OSError as error:
            return f"(cannot be read: {error.strerror})"
        return next((line.strip() for line in reversed(lines) if line.strip()), "(nothing)")


def _never(_post: Post) -> bool:
    return False


def _belongs(beat: Heartbeat, post: Post) -> bool:
    return beat.name.partition("@")[0] == post.node


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a child: secrets stand here and never among the arguments, which every user can read."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith(PREFIX) and name.endswith(FILE_SUFFIX))
    }
    # Children run in our packages' folder, so that `celery -A worker` finds ours: paths must not depend on that.
    named = dataclasses.replace(
        settings,
        home=str(Path(settings.home).absolute()),
        sites=str(Path(settings.sites).absolute()),
        log="json",
        supervisor_pid=os.getpid(),
    )
    ours = {
        f"{PREFIX}{item.name.upper()}": str(getattr(named, item.name))
        for item in dataclasses.fields(Settings)
        if getattr(named, item.name) != item.default
    }
    return {**inherited, **ours}


def _spawn(command: list[str], environ: Mapping[str, str], log_file: Path) -> Process:
    with _opened(log_file) as stream:
        return subprocess.Popen(
            command,
            env=dict(environ),
            cwd=Path(cli.__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            # A group of its own: Ctrl-C on the terminal reaches only us, and we stop the children in order.
            start_new_session=True,
        )


def _opened(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the workers' logs to {path.parent}: {error.strerror}; "
            "set HEADERSWEEP_HOME to a folder that this user may write"
        ) from error


def _signal_group(process: Process, number: signal.Signals) -> None:
    # The child leads its own group; it may be gone already, which is what was wanted.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
