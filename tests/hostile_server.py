"""A web server on loopback that does exactly what a test scripts, byte by byte, however wrong."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass
class Peer:
    """One client connection, as a script sees it. ``number`` counts connections from 1."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    server: HostileServer

    async def request(self) -> bytes:
        """The next request's head; the connection's end raises IncompleteReadError, which ends the script."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.server.requests.append(head)
        return head

    async def send(self, data: bytes) -> None:
        """Send these bytes now."""
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data: bytes, seconds: float) -> None:
        """Send byte by byte, with a pause behind each."""
        for position in range(len(data)):
            await self.send(data[position : position + 1])
            await asyncio.sleep(seconds)

    def reset(self) -> None:
        """Break the connection with a TCP reset instead of a close."""
        broken: socket.socket = self.writer.get_extra_info("socket")
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class HostileServer:
    """``async with HostileServer(script) as server``: the script runs once for every connection, then it is closed."""

    script: Script
    ssl_context: ssl.SSLContext | None = None
    connections: int = 0
    closed: int = 0
    requests: list[bytes] = field(default_factory=list)
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The start page."""
        scheme = "https" if self.ssl_context else "http"
        return f"{scheme}://127.0.0.1:{self.port}/"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.ssl_context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._run(Peer(reader, writer, self.connections, self)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, peer: Peer) -> None:
        try:
            await self.script(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left, which is how most scripts end
        finally:
            self.closed += 1
            peer.writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await peer.writer.wait_closed()


def answers(*responses: bytes, close: bool = False) -> Script:
    """A script that gives these responses one after the other, and the last one from then on."""

    async def script(peer: Peer) -> None:
        position = 0
        while True:
            await peer.request()
            await peer.send(responses[min(position, len(responses) - 1)])
            position += 1
            if close:
                return

    return script


def page(body: bytes = b"hello", headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """A whole HTML response with its length."""
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\n" + headers + length + b"\r\n" + body
