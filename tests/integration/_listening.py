"""A server that does with the Origin of a request what careless servers do, and keeps every request that it got."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Pairs = list[tuple[str, str]]
Page = Callable[[str | None], Pairs]
"""The header lines of an answer, given the Origin of the request."""


def static(**headers: str) -> Page:
    """The same headers to whoever asks."""
    return lambda _origin: [(name.replace("_", "-"), value) for name, value in headers.items()]


def allowing(is_allowed: Callable[[str], bool], *, credentials: bool = False, vary: bool = True) -> Page:
    """The Origin of the request as the one that is allowed, where a careless test lets it through."""

    def answer(origin: str | None) -> Pairs:
        pairs = [("Vary", "Origin")] if vary else []
        if origin is not None and is_allowed(origin):
            pairs.append(("Access-Control-Allow-Origin", origin))
            pairs += [("Access-Control-Allow-Credentials", "true")] if credentials else []
        return pairs

    return answer


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def origin(self) -> str | None:
        """Its Origin."""
        return self.headers.get("origin")


@dataclass
class Listening:
    """One origin on loopback, its pages and its own log."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    log: list[Request] = field(default_factory=list)
    before: Callable[[Request], None] = lambda _request: None
    statuses: dict[str, int] = field(default_factory=dict)
    robots: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def start_urls(self) -> tuple[str, ...]:
        """Where a sweep begins."""
        return (self.url("/"),)

    def url(self, path: str) -> str:
        """The URL of a page here."""
        return self.origin + path

    @property
    def probed(self) -> list[Request]:
        """The requests that asked with an Origin."""
        return [request for request in self.log if request.origin is not None]

    def body(self, path: str) -> bytes:
        """The start page links to all others."""
        if path == "/robots.txt":
            return self.robots.encode()
        links = "".join(f'<a href="{page}">x</a>' for page in self.pages) if path == "/" else "x"
        return links.encode()


@contextlib.contextmanager
def listening() -> Iterator[Listening]:
    """Serve; afterwards connections are refused."""
    site = Listening()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(site: Listening) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def _answer(self) -> None:
            request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
            site.log.append(request)
            site.before(request)
            page = site.pages.get(self.path)
            pairs = page(request.origin) if page else []
            body = site.body(self.path)
            default = 200 if page or (self.path == "/robots.txt" and site.robots) else 404
            self.send_response(site.statuses.get(self.path, default))
            if not any(name.lower() == "content-type" for name, _ in pairs):
                self.send_header("Content-Type", "text/html" if self.path != "/robots.txt" else "text/plain")
            for name, value in pairs:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = _answer  # noqa: N815 - the name that the library calls
        do_POST = _answer  # noqa: N815 - the name that the library calls

        def log_message(self, *_arguments: Any) -> None:
            """Keep the test's output clean."""

    return Handler
