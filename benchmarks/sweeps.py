"""Sweeping with headersweep's own command line, in a home of its own, and what that cost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import cpu
from benchmarks.server import Server

ROOT = Path(__file__).resolve().parent.parent
CONCURRENCY = 32
TIMEOUT_SECONDS = 3_600.0
KILL_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Sweep:
    """One finished sweep: what it printed and what it used."""

    run: dict[str, Any]
    usage: cpu.Usage
    postgres_cpu: float | None
    requests: int

    @property
    def pages(self) -> int:
        """Pages with an answer."""
        return int(self.run["pages"])

    @property
    def seconds(self) -> float:
        """From the first claim of the run to its end, as the run's row says."""
        return int(self.run["duration_ms"]) / 1000


@dataclass
class Home:
    """Where headersweep keeps its servers during a benchmark, and how its commands are called."""

    environment: Mapping[str, str]
    database_url: str
    postmaster: int | None = None

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one command of ours; its progress is not shown, its result goes to a pipe."""
        command = [sys.executable, "-m", "cli", *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=dict(self.environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def output(self, *arguments: str) -> bytes:
        """The result of one command; RuntimeError when it fails."""
        process = self.command(*arguments)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        # A run with more failures than its owner tolerates (4) has been measured all the same.
        if process.returncode not in {0, 4}:
            raise RuntimeError(f"headersweep {' '.join(arguments)}: exit {process.returncode}: {_tail(err)}")
        return out


@contextlib.contextmanager
def home() -> Iterator[Home]:
    """Servers of our own that run as long as the block: embedded ones, or those that the environment names."""
    with tempfile.TemporaryDirectory(prefix="headersweep-bench-home-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # embedded servers may run as another account
        environment = {**os.environ, "HEADERSWEEP_HOME": folder, "PYTHONPATH": str(ROOT)}
        if environment.get("HEADERSWEEP_DATABASE_URL"):
            yield _made(environment, environment["HEADERSWEEP_DATABASE_URL"])
            return
        from cli import embedded  # noqa: PLC0415 - not there where the servers are given

        with embedded.running(Path(folder)) as servers:
            yield _made(environment, servers.database_url)


def _made(environment: Mapping[str, str], database_url: str) -> Home:
    made = Home(environment, database_url)
    made.output("db", "upgrade")
    made.postmaster = _postmaster(database_url)
    return made


def _postmaster(database_url: str) -> int | None:
    """The process that all of Postgres descends from, when it runs on this machine."""
    import psycopg  # noqa: PLC0415 - the fallback of a broken installation is to measure without it

    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
        backend = cpu.read(found[0]) if found else None
    # Elsewhere that number belongs to nobody, or to some stranger.
    name = Path(f"/proc/{backend.parent}/comm") if backend else None
    return backend.parent if backend and name and name.read_text().startswith("postgres") else None


def sweep(
    home: Home, server: Server, *, max_pages: int | None = None, kill_after: int | None = None
) -> Sweep:
    """Sweep the site with one worker and measure it; ``kill_after`` so many requests the worker is killed once."""
    options = ["--allow-private", "--rate", "0", "--concurrency", str(CONCURRENCY), "--workers", "1"]
    limit = ["--max-pages", str(max_pages)] if max_pages else []
    postgres = cpu.family_seconds(home.postmaster) if home.postmaster else None
    requests = server.requests()
    usage = cpu.Usage()
    began = time.monotonic()
    process = home.command("sweep", server.url, *options, *limit, "--format", "json")
    with cpu.workers_of(process, usage), _killing(usage, server, requests, kill_after):
        out = _finished(process)
    usage.wall_seconds = time.monotonic() - began
    run = json.loads(out)["runs"][0]
    ended = cpu.family_seconds(home.postmaster) if home.postmaster else None
    used = None if postgres is None or ended is None else ended - postgres
    # Whoever asks the server makes a request, too.
    return Sweep(run, usage, used, server.requests() - requests - usage.looks - 1)


def _finished(process: subprocess.Popen[bytes]) -> bytes:
    out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    if process.returncode not in {0, 4}:
        raise RuntimeError(f"headersweep sweep: exit {process.returncode}: {_tail(err)}")
    return out


def _tail(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()[-2_000:]


@contextlib.contextmanager
def _killing(usage: cpu.Usage, server: Server, requests: int, after: int | None) -> Iterator[None]:
    """Kill the worker as soon as the server answered so many requests of this sweep."""
    if after is None:
        yield
        return
    ended = threading.Event()
    killer = threading.Thread(target=_kill, args=(usage, server, requests, after, ended), daemon=True)
    killer.start()
    try:
        yield
    finally:
        ended.set()
        killer.join()


def _kill(usage: cpu.Usage, server: Server, requests: int, after: int, ended: threading.Event) -> None:
    while not ended.wait(KILL_LOOK_SECONDS):
        usage.looks += 1
        if server.requests() - requests - usage.looks >= after and usage.worker_pids:
            for pid in set(usage.worker_pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            usage.killed = True
            return


def urls(home: Home, run: int, outcome: str = "stored") -> list[str]:
    """The URLs of a run with one outcome, as often as they are in the export."""
    lines = home.output("export", str(run), "--format", "jsonl").splitlines()
    visits = (json.loads(line) for line in lines)
    return [visit["url"] for visit in visits if visit["outcome"] == outcome]
