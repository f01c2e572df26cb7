"""What both embedded servers have: a place, a folder, a log, a socket, and a process that is known by its mark."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cli.embedded import processes
from cli.embedded.logfile import LogFile
from cli.embedded.place import Credentials, Place, credentials


@dataclass(frozen=True)
class Server(ABC):
    """One server of one home."""

    place: Place
    name: ClassVar[str]

    @property
    def secrets(self) -> Credentials:
        """The passwords."""
        return credentials(self.place)

    @property
    def folder(self) -> Path:
        """Everything that the server itself writes."""
        return self.place.state / self.name

    @property
    def data(self) -> Path:
        """What it keeps."""
        return self.folder / "data"

    @property
    def log(self) -> LogFile:
        """What the server says."""
        return LogFile(self.folder / "server.log")

    @property
    @abstractmethod
    def socket(self) -> Path:
        """Where it listens."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """Where it writes its number; what is left of it tells of a crash."""

    @property
    @abstractmethod
    def mark(self) -> processes.Mark:
        """What tells its processes from others."""

    @abstractmethod
    def reply(self) -> bytes:
        """What it answers to a first word; nothing when nobody is there."""

    def pid(self) -> int | None:
        """The server, when it is alive and ours and its socket is there."""
        pid = processes.read_pid(self.pid_file)
        if pid is None or not processes.is_running(pid, self.mark):
            return None
        return pid if self.socket.exists() else None

    def is_there(self) -> bool:
        """Whether it runs, ready or not; it may be in another container with this home, where only the socket tells."""
        return self.pid() is not None or bool(self.reply())
