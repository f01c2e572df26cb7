"""A minimal HTTP/1.1 server: keep-alive, one answer a request, several thousand answers a second."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MAX_REQUEST_BYTES = 65536
PHRASES = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site says to one request; ``delay`` in seconds, ``dropped`` closes the connection without a word."""

    status: int
    headers: Headers
    body: bytes = b""
    delay: float = 0.0
    dropped: bool = False


Respond = Callable[[str, str], Answer]
"""A site: from the request target (path and query) and the Host header to the answer."""


@functools.lru_cache(maxsize=4)
def _date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)


def encoded(answer: Answer, *, with_body: bool = True) -> bytes:
    """The bytes on the wire; Date and Content-Length are added."""
    lines = [f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, 'Unknown')}"]
    lines.extend(f"{name}: {value}" for name, value in answer.headers)
    lines.append(f"Date: {_date(int(time.time()))}")
    lines.append(f"Content-Length: {len(answer.body)}\r\n\r\n")
    head = "\r\n".join(lines).encode("latin-1")
    return head + answer.body if with_body else head


def _host(fields: bytes) -> str:
    return fields.partition(b"\nhost:")[2].partition(b"\r")[0].strip().decode("latin-1")


class Connection(asyncio.Protocol):
    """One client's connection: requests are answered in order, until the client closes."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._buffer = bytearray()
        self._waiting = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's promise for TCP
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport: delayed answers have nowhere to go."""
        del exc
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take bytes in and answer every complete request."""
        self._buffer += data
        self._answer_complete_requests()

    def _answer_complete_requests(self) -> None:
        while not self._waiting and self._transport is not None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > MAX_REQUEST_BYTES:
                    self._transport.close()
                return
            head = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        method, _, rest = head.partition(b" ")
        target = rest.partition(b" ")[0].decode("latin-1")
        fields = head.lower()
        close = b"\nconnection: close" in fields
        if method not in (b"GET", b"HEAD"):
            self._send(Answer(405, [("Allow", "GET, HEAD")]), with_body=True, close=True)
            return
        answer = self._respond(target, _host(fields))
        send = functools.partial(self._send, answer, with_body=method == b"GET", close=close)
        if not answer.delay:
            send()
            return
        self._waiting = True
        asyncio.get_running_loop().call_later(answer.delay, self._send_late, send)

    def _send_late(self, send: Callable[[], None]) -> None:
        self._waiting = False
        send()
        self._answer_complete_requests()

    def _send(self, answer: Answer, *, with_body: bool, close: bool) -> None:
        if self._transport is None:
            return
        if answer.dropped:
            self._transport.abort()
            return
        self._transport.write(encoded(answer, with_body=with_body))
        if close:
            self._transport.close()


async def listen(respond: Respond, port: int, *, host: str = "127.0.0.1") -> asyncio.Server:
    """Start answering on a port; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(respond), host, port, backlog=1024)


def port_of(server: asyncio.Server) -> int:
    """The port that a server really listens on."""
    port: int = server.sockets[0].getsockname()[1]
    return port


@contextlib.contextmanager
def in_background(respond: Respond, port: int = 0) -> Iterator[int]:
    """Serve a site from a thread of this process, which it never outlives. Yields the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(listen(respond, port), loop).result()
        try:
            yield port_of(server)
        finally:
            loop.call_soon_threadsafe(server.close)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
