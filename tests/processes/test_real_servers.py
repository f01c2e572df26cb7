"""The whole program on servers of its operator's own: Debian's Postgres 15 and Redis 7, with passwords, by compose's commands."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import yaml

from demosite import pages, serving
from tests import servers

ROOT = Path(__file__).parents[2]
POSTGRES = Path("/usr/lib/postgresql/15/bin")
REDIS = shutil.which("redis-server", path="/usr/bin:/usr/local/bin")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PASSWORD = "secret-of-tests/?"
WAIT_SECONDS = 60.0

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(
        not (POSTGRES / "postgres").is_file() or REDIS is None,
        reason=f"needs {POSTGRES}/postgres (Debian: postgresql-15) and redis-server",
    ),
]


@dataclass(frozen=True)
class Installation:
    """Servers, the folder of the secrets, and a folder to work in."""

    folder: Path
    environ: Mapping[str, str]

    def headersweep(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run our command to its end."""
        return self.run("headersweep", *arguments)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run one of compose's commands to its end."""
        return subprocess.run(
            _command(command),
            check=False,
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """One of compose's lasting commands, ended by SIGTERM."""
        log = self.folder / f"{command[3]}.log"
        with (
            log.open("w") as stream,
            subprocess.Popen(
                _command(command), env=self.environ, cwd=self.folder, stdout=stream, stderr=stream, text=True
            ) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()
                process.wait(30)


def _command(command: tuple[str, ...]) -> list[str]:
    starts = {
        "headersweep": ["-m", "cli"],
        "celery": ["-m", "celery"],
        "python": [],
    }
    return [sys.executable, *starts[command[0]], *command[1:]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until(answers: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            answers()
        except (psycopg.OperationalError, redis.exceptions.ConnectionError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


def _identity(folder: Path) -> dict[str, Any]:
    """Postgres refuses root: then both servers run as nobody."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def _server(
    command: list[str], folder: Path, identity: Mapping[str, Any], answers: Callable[[], object]
) -> Iterator[None]:
    log = folder.with_suffix(".log")
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, stdout=stream, stderr=stream, cwd=folder, **identity) as process,
    ):
        try:
            _until(answers, process, log)
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    folder.mkdir()
    (folder / "password").write_text(PASSWORD)
    identity = _identity(folder)
    make = [
        "initdb",
        "--pgdata=data",
        "--username=ops",
        "--auth=scram-sha-256",
        "--pwfile=password",
        "--no-sync",
    ]
    subprocess.run([POSTGRES / make[0], *make[1:]], cwd=folder, check=True, capture_output=True, **identity)
    port = _free_port()
    command = ["-D", "data", "-p", str(port), "-k", str(folder), "-c", "fsync=off", "-h", "127.0.0.1"]
    admin = f"host=127.0.0.1 port={port} user=ops password={PASSWORD} dbname=postgres"
    with _server(
        [str(POSTGRES / "postgres"), *command], folder, identity, lambda: psycopg.connect(admin).close()
    ):
        with psycopg.connect(admin, autocommit=True) as connection:
            # As production.md says: an account that owns one database and may do nothing else.
            connection.execute(f"CREATE ROLE headersweep LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE headersweep OWNER headersweep")
        yield f"postgresql://headersweep:{PASSWORD.replace('/', '%2F').replace('?', '%3F')}@127.0.0.1:{port}/headersweep"


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    folder.mkdir()
    port = _free_port()
    lines = [f"port {port}", "bind 127.0.0.1", f'requirepass "{PASSWORD}"', "maxmemory-policy noeviction"]
    (folder / "redis.conf").write_text("\n".join([*lines, "appendonly yes", f"dir {folder}"]))
    client = redis.Redis(port=port, password=PASSWORD)
    assert REDIS
    with client, _server([REDIS, "redis.conf"], folder, _identity(folder), client.ping):
        yield f"redis://:{PASSWORD.replace('/', '%2F').replace('?', '%3F')}@127.0.0.1:{port}/0"


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    # Not below pytest's own folder, which other accounts cannot enter.
    with tempfile.TemporaryDirectory(prefix="headersweep-real-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _postgres(folder / "postgres") as database_url, _redis(folder / "redis") as broker_url:
            (folder / "database_url").write_text(database_url + "\n")
            (folder / "broker_url").write_text(broker_url + "\n")
            yield Installation(
                folder,
                {
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "HEADERSWEEP_DATABASE_URL_FILE": str(folder / "database_url"),
                    "HEADERSWEEP_BROKER_URL_FILE": str(folder / "broker_url"),
                    "HEADERSWEEP_HOME": str(folder / "home"),
                    "HEADERSWEEP_LOG": "json",
                },
            )


@pytest.fixture(scope="module")
def migrated(installation: Installation) -> Installation:
    before = installation.headersweep("runs")
    assert before.returncode == 6, before.stderr
    assert "headersweep db upgrade" in before.stderr
    done = installation.run(*SERVICES["migrate"]["command"])
    assert done.returncode == 0, done.stderr
    return installation


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with serving.in_background(pages.respond) as port:
        yield f"http://127.0.0.1:{port}/"


def _digest(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["state"], run["accounting"]["failed"]) == ("finished", 0)
    digest: str = run["digest"]
    return digest


def test_a_sweep_has_the_same_digest_as_on_embedded_servers(migrated: Installation, demo: str) -> None:
    command = ["sweep", demo, "--allow-private", "--format", "json"]
    real = _digest(migrated.headersweep(*command))
    ours = {name: value for name, value in migrated.environ.items() if not name.endswith("_URL_FILE")}
    embedded = Installation(migrated.folder, {**ours, "HEADERSWEEP_HOME": str(servers.shared_home())})
    assert _digest(embedded.headersweep(*command)) == real


def test_the_services_of_compose_sweep_and_are_healthy_and_doctor_is_content(
    migrated: Installation, demo: str
) -> None:
    beat = [part.replace("/tmp", str(migrated.folder)) for part in SERVICES["beat"]["command"]]  # noqa: S108 - compose's
    with migrated.running(*SERVICES["worker"]["command"]), migrated.running(*beat):
        for name in ("worker", "beat"):
            _healthy(migrated, name)
        swept = migrated.headersweep("sweep", demo, "--allow-private", "--format", "json")
        assert "their logs" not in swept.stderr, "it must leave the work to the workers that are there"
        checks = json.loads(migrated.headersweep("doctor", "--format", "json").stdout)["checks"]
    _digest(swept)
    assert [check for check in checks if check["level"] != "ok"] == []
    assert any("15." in check["found"] for check in checks if check["name"] == "postgres")
    log = (migrated.folder / "worker.log").read_text()
    assert "service.started" in log
    # Whoever comes first writes it: the worker that closed the run, or the command's own tick.
    assert "run.finished" in log + swept.stderr
    assert PASSWORD not in log


def _healthy(installation: Installation, name: str) -> None:
    """Wait until the service's own health check is content."""
    kind, *check = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD"
    deadline = time.monotonic() + WAIT_SECONDS
    while installation.run(*check).returncode != 0:
        assert time.monotonic() < deadline, (installation.folder / f"{name}.log").read_text()
        time.sleep(0.5)
