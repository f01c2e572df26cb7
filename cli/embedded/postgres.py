"""The embedded Postgres: made, started, asked whether it answers, and stopped."""

from __future__ import annotations

import shutil
import signal
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import ClassVar
from urllib.parse import quote

from cli.embedded import logfile, processes
from cli.embedded.binaries import Program
from cli.embedded.server import Server
from headersweep.errors import UnavailableError

ROLE = "headersweep"
OWNER = "postgres"
PORT = 5432  # names the socket file; nothing listens on the network

START_SECONDS = 600.0  # recovery after a crash may replay gigabytes
ORPHAN_SECONDS = 10.0
STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 20.0), (signal.SIGKILL, 10.0))
ANSWER_SECONDS = 5.0
RESTART_SECONDS = 10.0

BUILTIN_LOCALE_SINCE = 17

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "dynamic_shared_memory_type": "posix",
    # A crawl writes in bulk, second after second: few checkpoints, small WAL, nothing given up of durability.
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # Error details quote values of rows; those are evidence, which no log may hold.
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}
ACCESS = f"local all {OWNER} scram-sha-256\nlocal {ROLE} {ROLE} scram-sha-256\n"


@dataclass(frozen=True)
class Postgres(Server):
    """The Postgres of one home. Its data folder exists only when it is complete."""

    name: ClassVar[str] = "postgres"

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.place.sockets / f".s.PGSQL.{PORT}"

    @property
    def url(self) -> str:
        """The application's way in, for SQLAlchemy and psycopg."""
        host = quote(str(self.place.sockets), safe="")
        return f"postgresql://{ROLE}:{self.secrets.application}@/{ROLE}?host={host}&port={PORT}"

    @property
    def owner_url(self) -> str:
        """The cluster's owner's way in, who may make databases: for tests and for maintenance."""
        host = quote(str(self.place.sockets), safe="")
        return f"postgresql://{OWNER}:{self.secrets.owner}@/{ROLE}?host={host}&port={PORT}"

    @property
    def mark(self) -> processes.Mark:
        """The cluster's name: in the command line of the postmaster and in the title of each of its children."""
        return processes.Mark(("postgres",), f"headersweep-{self.place.tag}")

    def major(self) -> int | None:
        """The major version that the data belongs to; None when there is none yet."""
        version = self.data / "PG_VERSION"
        return int(version.read_bytes().split(b".")[0]) if version.is_file() else None

    @property
    def pid_file(self) -> Path:
        """The postmaster's; left behind by one that was killed."""
        return self.data / "postmaster.pid"

    def reply(self) -> bytes:
        """What it answers to the opening of a connection."""
        return _reply(self.socket)

    def answers(self) -> bool:
        """Whether it takes connections: it asks for a password then, and refuses while it starts or stops."""
        return self.reply()[:1] == b"R"

    def start(self, program: Program) -> str:
        """Start it, making the data first if there is none; answers what it had to recover from, if anything."""
        if self.is_there() and self._comes_up(self.pid() or 0):
            return ""  # a command that was killed had started it
        if not self.data.exists():
            self._create(program)
        crashed = self.pid_file.exists()
        self.stop()
        self._clear_lock_files()
        self._write_settings()
        self._start_patiently(program)
        return "it had been killed" if crashed else ""

    def stop(self) -> bool:
        """Stop it properly, with its children; True when something was running."""
        postmaster = processes.read_pid(self.pid_file)
        found = processes.marked(self.mark)
        if postmaster in found:
            self._wait_out_restart(postmaster)
            processes.end(postmaster, self.mark, STOP, self.place.account.send)
        # Children notice by themselves that their postmaster is gone; those that are stuck are ended.
        if not processes.wait_until_gone(found, self.mark, ORPHAN_SECONDS):
            for pid in found:
                processes.end(pid, self.mark, STOP[1:], self.place.account.send)
        return bool(found)

    def _wait_out_restart(self, postmaster: int) -> None:
        """Postgres 18 can hang when it is told to stop while it starts again after the death of a child."""
        for _ in processes.ticks(RESTART_SECONDS):
            if self.answers() or not processes.is_running(postmaster, self.mark):
                return

    def _create(self, program: Program) -> None:
        """Make the data folder aside and rename it, so that a crash in between leaves nothing half made."""
        for abandoned in self.folder.glob("unfinished-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        # Never the same name again: what a killed command has started may still be writing there.
        fresh = self.folder / f"unfinished-{token_hex(4)}"
        self._run_to_end([str(program.folder / "initdb"), "-D", str(fresh), *_initdb_options(program.major)])
        # Passwords go through standard input of a server without any socket: never a file, an argument or trust.
        single = [str(program.path), "--single", "-D", str(fresh), "-c", "exit_on_error=on", "template1"]
        self._run_to_end(single, stdin=self._roles())
        fresh.rename(self.data)

    def _roles(self) -> str:
        return (
            f"ALTER ROLE {OWNER} PASSWORD '{self.secrets.owner}';\n"
            f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self.secrets.application}';\n"
            f"CREATE DATABASE {ROLE} OWNER {ROLE};\n"
        )

    def _run_to_end(self, command: list[str], stdin: str = "") -> None:
        done = self.place.account.run(command, stdin=stdin)
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-logfile.QUOTED_LINES :])
            raise logfile.failure(f"{Path(command[0]).name} could not make {self.data}", said)

    def _write_settings(self) -> None:
        folder = str(self.place.sockets).replace('"', '""')
        hba = self.place.write("pg_hba.conf", ACCESS)
        settings = SETTINGS | {
            "unix_socket_directories": f'"{folder}"',
            "port": str(PORT),
            "hba_file": str(hba),
        }
        lines = (f"{name} = {_quoted(value)}\n" for name, value in settings.items())
        self.place.write("postgresql.conf", "# Written by headersweep at every start.\n" + "".join(lines))

    def _clear_lock_files(self) -> None:
        """Drop what a crash left: Postgres would trust any process of its account that has the number by now."""
        for path in (
            self.pid_file,
            self.socket,
            self.socket.with_name(self.socket.name + ".lock"),
        ):
            path.unlink(missing_ok=True)

    def _start_patiently(self, program: Program) -> None:
        """Start it, again and again while the system has not given back the shared memory of a killed one."""
        said = self.log.size()
        for _ in processes.ticks(ORPHAN_SECONDS):
            if self._comes_up(self._launch(program)):
                return
            text = self.log.read_from(said)
            if b"still in use" not in text and b"lock file" not in text:
                break
        what = f"Postgres ({program.source}) did not start on {self.data}"
        raise logfile.failure(f"{what}; its log is {self.log.path}", self.log.tail(said))

    def _launch(self, program: Program) -> int:
        settings = self.place.settings / "postgresql.conf"
        options = [f"config_file={settings}", f"cluster_name={self.mark.text}"]
        command = [
            str(program.path),
            "-D",
            str(self.data),
            *(word for one in options for word in ("-c", one)),
        ]
        return self.place.account.launch(command, self.log.path)

    def _comes_up(self, pid: int) -> bool:
        """Wait until this postmaster answers; False when it gave up."""
        for _ in processes.ticks(START_SECONDS):
            if self.answers():
                return True
            if not processes.is_alive(pid) and not self.reply():
                return False
        raise UnavailableError(
            f"Postgres still recovers after {START_SECONDS:.0f} s; it goes on by itself: watch {self.log.path}, "
            f"and start headersweep again when it is done"
        )


def _initdb_options(major: int) -> list[str]:
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    if major < BUILTIN_LOCALE_SINCE:
        locale = ["--locale=C.UTF-8"]
    common = [
        "--username",
        OWNER,
        "--auth=reject",
        "--data-checksums",
        "--encoding=UTF8",
        "--no-instructions",
    ]
    return [*common, *locale]


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _reply(path: Path) -> bytes:
    """What Postgres answers to the opening of a connection; nothing when nobody is there."""
    parameters = f"user\0{ROLE}\0database\0{ROLE}\0\0".encode()
    opening = struct.pack("!ii", 8 + len(parameters), 3 << 16) + parameters
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(ANSWER_SECONDS)
            link.connect(str(path))
            link.sendall(opening)
            return link.recv(4096)  # all of it: what is left unread would be logged as a lost connection
    except OSError:
        return b""
