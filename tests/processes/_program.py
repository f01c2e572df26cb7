"""The program as a user has it: commands as processes in a home of their own, looked at from outside, and killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg

from cli import embedded
from cli.embedded import place, processes
from cli.embedded.broker import Broker
from cli.embedded.postgres import Postgres
from tests.integration._listening import Listening
from tests.site_server import SiteServer

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
END_SECONDS = 60.0
STEP_SECONDS = 0.05


def until(condition: Callable[[], Any], seconds: float = START_SECONDS, what: str = "it") -> Any:
    """Wait until something is true and return it; fail the test when it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(STEP_SECONDS)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in {"Z", "X"}


def kill(pids: list[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Signal processes at once; those that are gone are what was wanted."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def all_gone(pids: list[int], seconds: float = START_SECONDS) -> None:
    """Fail unless all of them end in time."""
    until(lambda: not [pid for pid in pids if alive(pid)], seconds, f"the end of {pids}")


def children(parent: int) -> dict[int, str]:
    """The living child processes of a process, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(int(entry.name)) == parent:
            with contextlib.suppress(OSError):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def _parent(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    state, parent = text.rpartition(")")[2].split()[:2]
    return 0 if state in {"Z", "X"} else int(parent)


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit code, and what it said."""

    code: int
    out: str
    err: str
    seconds: float

    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def only_run(self) -> dict[str, Any]:
        """The one run that it printed."""
        (run,) = self.json()["runs"]
        return dict(run)


@dataclass
class Program:
    """A command that was started."""

    process: subprocess.Popen[bytes]
    out: IO[bytes]
    err: IO[bytes]
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid

    def workers(self) -> list[int]:
        """Its living worker processes."""
        return [pid for pid, line in children(self.pid).items() if "celery -A worker worker" in line]

    def beats(self) -> list[int]:
        """Its living beat."""
        return [pid for pid, line in children(self.pid).items() if "celery -A worker beat" in line]

    def said(self) -> str:
        """What it wrote to stderr so far."""
        return Path(self.err.name).read_text(encoding="utf-8")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ask it to end, as Ctrl-C does or the given signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = END_SECONDS) -> Ended:
        """Wait for its end; what it said stands in the failure when it takes too long."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end within {seconds:.0f} s; it said: {self.said()}") from None
        took = time.monotonic() - self.started
        return Ended(code, Path(self.out.name).read_text(encoding="utf-8"), self.said(), took)


class Home:
    """One home: commands are started in it, and what they leave behind is found by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "home"
        self.sites = folder / "sites"
        self.environ: dict[str, str] = {}
        self._programs: list[Program] = []
        self._numbers = iter(range(1_000_000))

    def start(self, *arguments: str, **environ: str) -> Program:
        """Start a command; it reads no settings but the given ones."""
        number = next(self._numbers)
        out, err = (self.folder / f"{number}.{name}" for name in ("out", "err"))
        with out.open("wb") as out_stream, err.open("wb") as err_stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli", *arguments],
                env=self.environment() | environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out_stream,
                stderr=err_stream,
            )
        program = Program(process, out_stream, err_stream)
        self._programs.append(program)
        return program

    def run(self, *arguments: str, **environ: str) -> Ended:
        """Run a command to its end."""
        return self.start(*arguments, **environ).wait()

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEADERSWEEP_")}
        ours = {
            "HEADERSWEEP_HOME": str(self.path),
            "HEADERSWEEP_SITES": str(self.sites),
            "HEADERSWEEP_WORKERS": "2",
            "PYTHONPATH": str(ROOT),
        }
        return inherited | ours | self.environ

    # -- its servers -------------------------------------------------------------------------------------------

    def postgres(self) -> list[int]:
        """All processes of its Postgres."""
        return processes.marked(Postgres(place.locate(self.path)).mark) if self.path.exists() else []

    def broker(self) -> list[int]:
        """Its broker."""
        return processes.marked(Broker(place.locate(self.path)).mark) if self.path.exists() else []

    @contextlib.contextmanager
    def servers(self) -> Iterator[embedded.Servers]:
        """Its servers, for as long as the block: whoever was killed has left them running or not."""
        with embedded.running(self.path) as servers:
            yield servers

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        """Its database, started for this if need be."""
        with self.servers() as servers, psycopg.connect(servers.database_url, autocommit=True) as connection:
            yield connection

    # -- its processes -----------------------------------------------------------------------------------------

    def processes(self) -> list[int]:
        """Every living process of this home: commands, workers, beats and servers."""
        ours = f"HEADERSWEEP_HOME={self.path}".encode()
        found = {pid for pid in _pids() if alive(pid) and ours in _environ(pid)}
        return sorted(found | set(self.postgres()) | set(self.broker()))

    def end(self) -> None:
        """End whatever still runs here, by process id."""
        for program in self._programs:
            if program.process.poll() is None:
                program.process.kill()
            program.process.wait()
        kill(self.processes())
        all_gone(self.processes())

    def close(self) -> None:
        """End whatever a failed test left, and remove the home."""
        self.end()
        state = place.locate(self.path).state if self.path.exists() else None
        for folder in (self.folder, *([state] if state else [])):
            shutil.rmtree(folder, ignore_errors=True)

    def copy_to(self, folder: Path) -> Home:
        """A home of the same contents, as if it had been made anew; nothing may run in this one."""
        copied = Home(folder)
        subprocess.run(["cp", "-a", str(self.path), str(copied.path)], check=True)
        return copied


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environ(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def new_folder() -> Path:
    """A folder that the servers' account can pass through; pytest's own are closed to all others."""
    folder = Path(tempfile.mkdtemp(prefix="headersweep-test-"))
    folder.chmod(0o755)
    return folder


@contextlib.contextmanager
def home() -> Iterator[Home]:
    """A new home; whatever runs in it at the end is ended."""
    made = Home(new_folder())
    try:
        yield made
    finally:
        made.close()


def site_file(folder: Path, site: SiteServer | Listening, name: str = "zoo", **keys: object) -> Path:
    """A site file for a test server: at full speed, loopback allowed."""
    values: dict[str, object] = {
        "name": name,
        "start_urls": list(site.start_urls),
        "owner": "the tests",
        "expected_result": "every page once",
        "rollback_note": "none needed",
        "rate": 0,
        "max_rate": 0,
        "concurrency": 4,
        "allow_addresses": ["127.0.0.0/8"],
        **keys,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    # JSON's strings, numbers, booleans and lists are TOML as well.
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return path
