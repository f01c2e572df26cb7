"""The loopback server: http and https on one port, every answer with exactly the header lines that a case gives."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

LONGEST_HEAD = 65_536
HTML, SCRIPT, TEXT, PICTURE = "text/html", "text/javascript", "text/plain", "image/svg+xml"
PIXEL = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>'
SECONDS = 20.0


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    scheme: str
    host: str
    path: str
    headers: dict[str, str]
    method: str = "GET"


@dataclass(frozen=True)
class Answer:
    """What is answered. ``lines`` go out as they are, one byte a character."""

    lines: Sequence[str] = ()
    body: str = ""
    type: str | None = HTML
    status: int = 200


@dataclass
class Site:
    """What the server says, by path on any host, and every request that it got."""

    answers: dict[str, Answer] = field(default_factory=dict)
    log: list[Request] = field(default_factory=list)

    def add(self, path: str, answer: Answer) -> str:
        """Answer a path from now on."""
        self.answers[path] = answer
        return path

    def answer(self, request: Request) -> Answer:
        """What a request gets; what nobody has named is an empty page."""
        self.log.append(request)
        path = request.path.partition("?")[0]
        if path in self.answers:
            return self.answers[path]
        made = _FIXED.get(path)
        return made(request) if made else Answer(body="<!doctype html><title>empty</title>")

    def requests(self, path: str) -> list[Request]:
        """The requests for a path so far."""
        return [one for one in self.log if one.path.partition("?")[0] == path]


def _echo(request: Request) -> Answer:
    origin = request.headers.get("origin", "*")
    said = {
        "scheme": request.scheme,
        "referer": request.headers.get("referer"),
        "cookie": request.headers.get("cookie", ""),
    }
    lines = [
        f"Access-Control-Allow-Origin: {origin}",
        "Access-Control-Allow-Credentials: true",
        "Cache-Control: no-store",
    ]
    return Answer(lines, json.dumps(said), TEXT)


_SHARED = ("Access-Control-Allow-Origin: *", "Cross-Origin-Resource-Policy: cross-origin")
_FIXED: dict[str, Callable[[Request], Answer]] = {
    "/echo": _echo,
    "/pixel": lambda _: Answer(_SHARED, PIXEL, PICTURE),
    "/plain-pixel": lambda _: Answer((), PIXEL, PICTURE),
}


class _Handler(socketserver.BaseRequestHandler):
    """One connection: plain or TLS by its first byte, or a proxy's CONNECT before TLS."""

    def handle(self) -> None:
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            self._handle(self.request)

    def _handle(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        first = connection.recv(8, socket.MSG_PEEK)
        if first.startswith(b"CONNECT "):
            _read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            first = connection.recv(1, socket.MSG_PEEK)
        if not first:
            return
        if first[0] == 0x16:
            with self.server.tls.wrap_socket(connection, server_side=True) as encrypted:  # type: ignore[attr-defined]
                self._serve(encrypted, "https")
        else:
            self._serve(connection, "http")

    def _serve(self, connection: socket.socket, scheme: str) -> None:
        while head := _read_head(connection):
            request = _request(head, scheme)
            length = int(request.headers.get("content-length", "0"))
            while length > 0:
                length -= len(connection.recv(length))
            connection.sendall(_bytes(self.server.site.answer(request), request))  # type: ignore[attr-defined]


def _read_head(connection: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if len(head) > LONGEST_HEAD:
            raise ValueError("the request's head is too long")
        byte = connection.recv(1)
        if not byte:
            return ""
        head += byte
    return head.decode("latin-1")


def _request(head: str, scheme: str) -> Request:
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    if "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return Request(scheme, headers.get("host", "").partition(":")[0], target, headers, method)


def _bytes(answer: Answer, request: Request) -> bytes:
    body = answer.body.encode()
    lines = [f"HTTP/1.1 {answer.status} Answer", f"Content-Length: {len(body)}", *answer.lines]
    if answer.type is not None:
        lines.append(f"Content-Type: {answer.type}")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if request.method == "HEAD" else head + body


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    site: Site
    tls: ssl.SSLContext

    def handle_error(self, *_: Any) -> None:
        """A browser that hangs up is none."""


@contextlib.contextmanager
def running(tls: ssl.SSLContext) -> Iterator[tuple[Site, int]]:
    """The server on a free port of the loopback interface, until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.site, server.tls = Site(), tls
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.site, int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
