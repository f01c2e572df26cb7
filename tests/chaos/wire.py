"""A proxy between the program and Postgres that reads what passes, so that a cut can be aimed at a commit."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from tests.chaos.schedule import Fault

PIECE = 65_536
LOOK_SECONDS = 0.05
ANSWER_SECONDS = 10.0
APPLICATION = b"headersweep worker"
MARK = b"INSERT INTO visits"
"""What tells the transaction that keeps fetched pages from all others."""

_HEADER = struct.Struct("!cI")
_CREDENTIALS = struct.Struct("3i")


@dataclass
class Reader:
    """Follows what a client sends: whether it is a worker, and when it commits pages."""

    application: bytes | None = None
    writes: bool = False
    _rest: bytes = b""
    _writing: set[bytes] = field(default_factory=set)

    def commits(self, piece: bytes) -> bool:
        """Whether this piece holds the COMMIT of a worker's pages."""
        self._rest += piece
        if self.application is None:
            self._open()
        found = False
        while self.application is not None and (message := self._next()):
            found |= self._read(*message)
        # The process id may stand behind it.
        return found and (self.application or b"").startswith(APPLICATION)

    def _open(self) -> None:
        if len(self._rest) < 8 or len(self._rest) < (size := int.from_bytes(self._rest[:4])):
            return
        words = self._rest[8:size].split(b"\0")
        self.application = dict(zip(words[::2], words[1::2], strict=False)).get(b"application_name", b"")
        self._rest = self._rest[size:]

    def _next(self) -> tuple[bytes, bytes] | None:
        if len(self._rest) < _HEADER.size:
            return None
        kind, size = _HEADER.unpack_from(self._rest)
        if len(self._rest) < 1 + size:
            return None
        body, self._rest = self._rest[_HEADER.size : 1 + size], self._rest[1 + size :]
        return kind, body

    def _read(self, kind: bytes, body: bytes) -> bool:
        first, _, rest = body.partition(b"\0")
        if kind == b"P":
            (self._writing.add if MARK in rest else self._writing.discard)(first)
        elif kind == b"B":
            self.writes |= rest.partition(b"\0")[0] in self._writing
        elif kind == b"Q":
            wrote, self.writes = self.writes, False
            return wrote and first.strip().upper() == b"COMMIT"
        return False


@dataclass(eq=False)
class Link:
    """One connection of a client, and what became of it."""

    client: socket.socket
    server: socket.socket
    pid: int
    reader: Reader = field(default_factory=Reader)
    frozen_at: float | None = None
    left_after: float | None = None

    def cut(self) -> None:
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Carries everything to and fro, until it is told to cut one process off in the middle of a commit."""

    def __init__(self, folder: Path, target: str) -> None:
        self.url = _through(target, folder)
        self.links: list[Link] = []
        self._target = str(_socket_of(target))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(_socket_of(self.url)))
        self._listener.listen(100)
        self._aim: Fault | None = None
        self._hit = threading.Event()
        self._off: tuple[int, Fault] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def serve(self) -> None:
        """Accept in the background."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed = True
        for link in self.links:
            link.cut()
        self._listener.close()

    def cut(self, fault: Fault, patience: float) -> bool:
        """Cut off the next worker that commits; False when none did in time."""
        self._hit.clear()
        self._aim = fault
        if not self._hit.wait(patience):
            with self._lock:
                self._aim = None
        return self._hit.is_set()

    def heal(self) -> None:
        """Let the process that was cut off through again; the commit that got no answer never gets one."""
        self._off = None

    @property
    def frozen(self) -> list[Link]:
        """The connections whose commit was never answered."""
        return [link for link in self.links if link.frozen_at is not None]

    # -- the carrying ------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._closed:
            with contextlib.suppress(OSError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        pid = _CREDENTIALS.unpack(
            client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )[0]
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._target)
            link = Link(client, server, pid)
            self.links.append(link)
            while not self._closed and self._carry(link):
                pass

    def _carry(self, link: Link) -> bool:
        """Carry what there is; False when the connection is over."""
        if link.frozen_at is not None:
            return self._hold(link)
        off = self._off
        if off is not None and off[0] == link.pid:
            # A cut is a silence to some, and the end of the connection to others.
            time.sleep(LOOK_SECONDS)
            return off[1] is Fault.COMMIT_UNANSWERED
        readable, _, _ = select.select([link.client, link.server], [], [], LOOK_SECONDS)
        for source, goal in ((link.server, link.client), (link.client, link.server)):
            if source in readable and not self._pass_on(link, source, goal):
                return False
        return True

    def _pass_on(self, link: Link, source: socket.socket, goal: socket.socket) -> bool:
        piece = source.recv(PIECE)
        if not piece:
            return False
        if source is link.client and link.reader.commits(piece) and (fault := self._take_aim(link)):
            return self._strike(link, fault, piece)
        goal.sendall(piece)
        return True

    def _take_aim(self, link: Link) -> Fault | None:
        with self._lock:
            fault, self._aim = self._aim, None
            if fault is not None:
                self._off = (link.pid, fault)
            return fault

    def _strike(self, link: Link, fault: Fault, piece: bytes) -> bool:
        if fault is not Fault.COMMIT_UNSENT:
            link.server.sendall(piece)
            # The answer is there, so it was committed; nobody is told.
            assert select.select([link.server], [], [], ANSWER_SECONDS)[0]
        if fault is Fault.COMMIT_UNANSWERED:
            link.frozen_at = time.monotonic()
        self._hit.set()
        return fault is Fault.COMMIT_UNANSWERED

    def _hold(self, link: Link) -> bool:
        """Say nothing until the client has had enough."""
        gone = bool(select.select([link.client], [], [], LOOK_SECONDS)[0]) and not link.client.recv(PIECE)
        if gone and link.frozen_at is not None:
            link.left_after = time.monotonic() - link.frozen_at
        return not gone


def _socket_of(url: str) -> Path:
    parts = make_url(url)
    return Path(str(parts.query["host"]), f".s.PGSQL.{parts.query['port']}")


def _through(url: str, folder: Path) -> str:
    host, _, port = url.partition("?host=")[2].partition("&port=")
    assert host
    assert port, url
    return url.replace(host, quote(str(folder), safe=""))


@contextlib.contextmanager
def proxied(folder: Path, target: str) -> Iterator[Proxy]:
    """A proxy before the Postgres with this URL, as long as the block; its socket is in the folder."""
    folder.mkdir()
    proxy = Proxy(folder, target)
    proxy.serve()
    try:
        yield proxy
    finally:
        proxy.close()
