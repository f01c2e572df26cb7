"""A deployment with real servers of its own, good or deliberately bad, and what ``checklist --self`` says of it.

Run by test_checklist_of_deployments.py in network and process namespaces of its own, so that a server which listens on every address is
reached by nobody, and the process list holds nothing but this: ``python -m tests.processes.deployment_command FOLDER good|bad``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis

from cli.embedded import account as accounts
from cli.embedded import binaries
from headersweep.definition import RobotsMode, SiteDefinition
from models import migrate

POSTGRES_PORT, BROKER_PORT = 5432, 6379
WAIT_SECONDS = 60.0
ROLE = Path(__file__).parents[2] / "deploy" / "postgres" / "role.sh"
WEAK = "postgres"
GOOD_SITE = SiteDefinition(
    "docs",
    ("https://docs.example.com/",),
    owner="web@example.com",
    expected_result="as always",
    rollback_note="git revert",
    schedule="30 2 * * *",
    allow_addresses=("10.20.0.0/16",),
)
BAD_SITE = replace(
    GOOD_SITE,
    owner="",
    rollback_note="",
    allow_addresses=("169.254.0.0/16", "0.0.0.0/0"),
    allow_unverified_tls=True,
    rate=0.0,
    max_rate=0.0,
    robots=RobotsMode.IGNORE,
)


@dataclass(frozen=True)
class Passwords:
    """What opens what."""

    owner: str
    role: str
    broker: str


def loopback_up() -> None:
    """A new network namespace has a loopback device that is down: SIOCGIFFLAGS, then SIOCSIFFLAGS with IFF_UP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14s", b"lo", 0, b"")
        flags = struct.unpack("16sh14s", fcntl.ioctl(control, 0x8913, request))[1]
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14s", b"lo", flags | 1, b""))


# --- servers ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def postgres(folder: Path, passwords: Passwords, *, bad: bool) -> Iterator[str]:
    """A server with one role for us; answers the URL of its owner."""
    account = accounts.choose()
    program = binaries.postgres(account, folder / "copies")
    data, words = folder / "data", folder / "initial"
    data.mkdir(mode=0o700)
    words.write_text(passwords.owner)
    words.chmod(0o600)
    for path in (data, words):
        account.own(path)
    how = "trust" if bad else "scram-sha-256"
    made = account.run(
        [str(program.folder / "initdb"), "-D", str(data), "-U", "owner", f"--auth={how}", f"--pwfile={words}", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    settings = {
        "port": POSTGRES_PORT,
        "unix_socket_directories": "",
        "listen_addresses": "*" if bad else "127.0.0.1",
        "fsync": "off" if bad else "on",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    log = folder / "postgres.txt"
    log.touch()
    account.own(log)
    pid = account.launch([str(program.path), "-D", str(data), *options], log)
    url = f"postgresql://owner:{passwords.owner}@127.0.0.1:{POSTGRES_PORT}/postgres"
    try:
        _until(lambda: psycopg.connect(url).close(), log)
        yield url
    finally:
        _end(pid)


@contextlib.contextmanager
def broker(folder: Path, passwords: Passwords, *, bad: bool) -> Iterator[None]:
    """A Redis-compatible server on loopback."""
    account = accounts.choose()
    program = binaries.broker(account, folder / "copies")
    config, log = folder / "broker.conf", folder / "broker.txt"
    lines = [f"port {BROKER_PORT}", 'save ""', "appendonly no"]
    lines += ["bind *", "protected-mode no", "maxmemory-policy allkeys-lru"] if bad else [
        "bind 127.0.0.1", f"requirepass {passwords.broker}", "maxmemory-policy noeviction",
    ]  # fmt: skip
    config.write_text("\n".join(lines) + "\n")
    log.touch()
    for path in (config, log):
        account.own(path)
    pid = account.launch([str(program.path), str(config)], log)
    client = redis.Redis(port=BROKER_PORT, password=None if bad else passwords.broker)
    try:
        _until(client.ping, log)
        yield
    finally:
        _end(pid)


def _until(answers: Any, log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            answers()
        except (psycopg.OperationalError, redis.exceptions.ConnectionError):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 15)
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.1)


# --- what is in them --------------------------------------------------------------------------------------------


def furnish(owner_url: str, passwords: Passwords, *, bad: bool) -> str:
    """The role, the database and what a deployment of some weeks holds; answers our URL."""
    if bad or shutil.which("psql") is None:
        rights = "SUPERUSER" if bad else ""
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE headersweep LOGIN {rights} PASSWORD '{passwords.role}'".encode())
            connection.execute("CREATE DATABASE headersweep OWNER headersweep")
    else:
        _make_role_as_compose_does(passwords)
    url = f"postgresql://headersweep:{quote(passwords.role)}@127.0.0.1:{POSTGRES_PORT}/headersweep"
    migrate.upgrade(url)
    site = BAD_SITE if bad else GOOD_SITE
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO sites (name, source, enabled, definition) VALUES (%s, 'file', true, %s)",
            (site.name, json.dumps(site.as_json())),
        )
        if bad:
            _spoil(connection)
        else:
            connection.execute("INSERT INTO heartbeats (name, kind) VALUES ('beat', 'beat')")
    if bad:
        migrate.downgrade(url, "-1")
    return url


def _make_role_as_compose_does(passwords: Passwords) -> None:
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write(passwords.role)
        secret.flush()
        environ = {
            "PATH": os.environ["PATH"],
            "PGHOST": "127.0.0.1",
            "PGPORT": str(POSTGRES_PORT),
            "PGPASSWORD": passwords.owner,
            "POSTGRES_USER": "owner",
            "DATABASE_PASSWORD_FILE": secret.name,
        }
        done = subprocess.run([str(ROLE)], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _spoil(connection: psycopg.Connection[Any]) -> None:
    connection.execute("GRANT ALL ON sites TO PUBLIC")
    connection.execute(
        "UPDATE control SET paused = true, changed_by = 'ann', changed_at = now() - interval '3 days'"
    )
    connection.execute(
        "INSERT INTO outbox (event_id, event, payload, created_at) VALUES ('x', 'run.finished', '{}', now() - interval '1 hour')"
    )
    connection.execute("CREATE INDEX left_behind ON sites (source)")
    # As a cancelled concurrent build leaves it; test_rebuilding of indexes cancels a real one.
    connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'left_behind'::regclass")


def environment(folder: Path, url: str, passwords: Passwords, *, bad: bool) -> dict[str, str]:
    """What whoever types the command has around it."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    home, sites, stamp = folder / "home", folder / "sites", folder / "backed-up"
    for each in (home, sites):
        each.mkdir()
    (sites / "docs.toml").write_text("")
    stamp.touch()
    broker_url = f"redis://:{passwords.broker}@127.0.0.1:{BROKER_PORT}/0"
    found = plain | {
        "HEADERSWEEP_HOME": str(home),
        "HEADERSWEEP_SITES": str(sites),
        "HEADERSWEEP_BACKUP_STAMP": str(stamp),
    }
    files = {"HEADERSWEEP_DATABASE_URL": url, "HEADERSWEEP_BROKER_URL": broker_url}
    if bad:
        found |= _careless(folder, sites, home, stamp, passwords)
        found["HEADERSWEEP_BROKER_URL"] = broker_url
        del files["HEADERSWEEP_BROKER_URL"]
    else:
        (home / "worker.log").write_text('{"event": "run.finished"}\n')
        found["HEADERSWEEP_PING_URL_FILE"] = str(_secret(folder / "ping", "https://switch.example/x"))
        shutil.rmtree(sites)
        sites.mkdir()
    for name, value in files.items():
        found[f"{name}_FILE"] = str(_secret(folder / name.lower(), value, 0o644 if bad else 0o600))
    return found


def _careless(folder: Path, sites: Path, home: Path, stamp: Path, passwords: Passwords) -> dict[str, str]:
    sites.chmod(0o777)
    os.utime(stamp, (time.time() - 100 * 3600,) * 2)
    (home / "worker.log").write_text(f"cannot connect with password={passwords.role}\n")
    return {
        "HEADERSWEEP_LOG": "console",
        "HEADERSWEEP_LOG_LEVEL": "warning",
        "HEADERSWEEP_RETENTION_DAYS": "0",
    }


def _secret(path: Path, value: str, mode: int = 0o600) -> Path:
    path.write_text(value)
    path.chmod(mode)
    return path


@contextlib.contextmanager
def careless_processes(passwords: Passwords, *, bad: bool) -> Iterator[None]:
    """One that shows a password to everybody, and a worker that listens."""
    listens = "import socket, time; s = socket.create_server(('127.0.0.1', 8765)); time.sleep(600)"
    commands = [
        [sys.executable, "-c", "import time; time.sleep(600)", f"--password={passwords.role}"],
        [sys.executable, "-c", listens, "celery", "-A worker", "worker"],
    ]
    started = [subprocess.Popen(command) for command in commands if bad]
    try:
        time.sleep(1.0 if bad else 0.0)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def main() -> None:
    """Print what the checklist says, as JSON."""
    folder, bad = Path(sys.argv[1]), sys.argv[2] == "bad"
    loopback_up()
    passwords = Passwords(
        secrets.token_hex(16), WEAK if bad else secrets.token_hex(16), WEAK if bad else secrets.token_hex(16)
    )
    with postgres(folder, passwords, bad=bad) as owner_url, broker(folder, passwords, bad=bad):
        url = furnish(owner_url, passwords, bad=bad)
        environ = environment(folder, url, passwords, bad=bad)
        with careless_processes(passwords, bad=bad):
            done = subprocess.run(
                [sys.executable, "-m", "cli", "checklist", "--self", "--format", "json"],
                env=environ,
                cwd=Path(__file__).parents[2],
                capture_output=True,
                text=True,
                check=False,
            )
    sys.stderr.write(done.stderr)
    sys.stdout.write(done.stdout)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
