"""The embedded Redis-compatible server: started, asked whether it answers, and stopped."""

from __future__ import annotations

import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit

from cli.embedded import logfile, processes
from cli.embedded.binaries import Program
from cli.embedded.server import Server

START_SECONDS = 60.0
ANSWER_SECONDS = 5.0
STOP = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "set-proc-title": "no",  # the path of its settings must stay in its command line: that is how we know it
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory-policy": "noeviction",
    "databases": "1",
    "loglevel": "notice",
}


@dataclass(frozen=True)
class Broker(Server):
    """The broker of one home. What it holds are doorbells: losing them costs seconds."""

    name: ClassVar[str] = "broker"

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.place.sockets / "broker.sock"

    @property
    def url(self) -> str:
        """The way in, for Celery; :func:`client_url` turns it into one for redis-py."""
        return f"redis+socket://:{self.secrets.broker}@{quote(str(self.socket))}?virtual_host=0"

    @property
    def settings(self) -> Path:
        """The file that it is started with."""
        return self.place.settings / "broker.conf"

    @property
    def mark(self) -> processes.Mark:
        """Its settings stand in its command line."""
        return processes.Mark(("valkey-server", "redis-server"), str(self.settings))

    @property
    def pid_file(self) -> Path:
        """Written by the server; left behind by one that was killed."""
        return self.folder / "server.pid"

    def reply(self) -> bytes:
        """What it answers to its password and a PING."""
        return _reply(self.socket, self.secrets.broker)

    def answers(self) -> bool:
        """Whether it takes commands; it refuses while it loads its files."""
        return self.reply().endswith(b"+PONG\r\n")

    def start(self, program: Program) -> str:
        """Start it; answers what it had to recover from, if anything. Files that it cannot read are set aside."""
        if self.is_there() and self._comes_up(self.pid() or 0):
            return ""  # a command that was killed had started it
        crashed = self.pid_file.exists()
        self.stop()
        self.pid_file.unlink(missing_ok=True)
        self._write_settings()
        said = self.log.size()
        if self._comes_up(self._launch(program)):
            return "it had been killed" if crashed else ""
        if (aside := self._set_data_aside()) and self._comes_up(self._launch(program)):
            return f"its files could not be read and were set aside: {aside}"
        what = f"{program} did not start in {self.folder}"
        raise logfile.failure(f"{what}; its log is {self.log.path}", self.log.tail(said))

    def stop(self) -> bool:
        """Stop it properly; True when it was running."""
        found = processes.marked(self.mark)
        for pid in found:
            processes.end(pid, self.mark, STOP, self.place.account.send)
        return bool(found)

    def _write_settings(self) -> None:
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            self.place.account.own(self.data)
        settings = SETTINGS | {
            "unixsocket": str(self.socket),
            "dir": str(self.data),
            "pidfile": str(self.pid_file),
            "requirepass": self.secrets.broker,
        }
        lines = (f"{name} {_quoted(value)}\n" for name, value in settings.items())
        self.place.write("broker.conf", "# Written by headersweep at every start.\n" + "".join(lines))

    def _launch(self, program: Program) -> int:
        return self.place.account.launch([str(program.path), str(self.settings)], self.log.path)

    def _comes_up(self, pid: int) -> bool:
        """Wait until this server answers; False when it gave up."""
        for _ in processes.ticks(START_SECONDS):
            if self.answers():
                return True
            if not processes.is_alive(pid) and not self.reply():
                return False
        return False

    def _set_data_aside(self) -> Path | None:
        """Make room for a start with nothing when the files are damaged or of a newer server; where they are now."""
        if not any(self.data.iterdir()):
            return None
        aside = self.folder / f"data.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        self.data.rename(aside)
        self._write_settings()
        return aside


def client_url(broker_url: str) -> str:
    """The same server as a URL for redis-py, which writes unix sockets in another way than Celery."""
    parts = urlsplit(broker_url)
    if parts.scheme != "redis+socket":
        return broker_url
    return f"unix://:{parts.password or ''}@{parts.path}?db=0"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _reply(path: Path, password: str) -> bytes:
    """What the server answers to a password and a PING; nothing when nobody is there."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(ANSWER_SECONDS)
            link.connect(str(path))
            link.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2 and (piece := link.recv(1024)):  # noqa: PLR2004 - two commands, two answers
                answer += piece
            return answer
    except OSError:
        return b""
