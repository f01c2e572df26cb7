"""The origin behind the caches: a loopback server that numbers its answers, so that a second-hand one shows."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from benchmarks.caches.cases import Headers

Respond = Callable[[str, dict[str, str]], tuple[int, Headers, str]]
"""From the target and the request's headers (names in lower case) to status, headers and the body's text."""


def numbered(text: str, numbers: Iterator[int]) -> str:
    """A body that no other answer has."""
    return f"{text} #{next(numbers)}\n"


@contextlib.contextmanager
def serving(respond: Respond) -> Iterator[int]:
    """Answer on a free loopback port until the end of the block."""
    numbers = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # one packet an answer: two would wait for each other

        def do_GET(self) -> None:
            fields = {name.lower(): value for name, value in self.headers.items()}
            status, headers, text = respond(self.path, fields)
            body = b"" if status in {204, 304} else numbered(text, numbers).encode()
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def path_of(target: str) -> str:
    """The path of a request's target."""
    return urlsplit(target).path


def now() -> float:
    """The origin's clock."""
    return time.time()
