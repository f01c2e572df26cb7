"""A small fast web server for a tree of files, for machines without nginx: python -m benchmarks.static_server ROOT PORT."""

from __future__ import annotations

import asyncio
import signal
import sys
import urllib.parse
from pathlib import Path

COUNTER_PATH = "/.bench/requests"
LIMIT_HEAD = 64 * 1024
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "application/javascript",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_HEADERS = (
    "Strict-Transport-Security: max-age=31536000\r\n"
    "Content-Security-Policy: default-src 'self'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: max-age=600\r\n"
)


class Tree:
    """The files of a folder as whole responses, each read once; counts what it answered."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._answers: dict[str, bytes] = {}
        self.requests = 0

    def answer(self, target: str) -> bytes:
        """The response to a request for this target."""
        self.requests += 1
        path = urllib.parse.unquote(target.partition("?")[0])
        if path == COUNTER_PATH:
            return _response(
                200, "text/plain", f"server accepts handled requests\n 0 0 {self.requests}".encode()
            )
        if path not in self._answers:
            self._answers[path] = self._read(path)
        return self._answers[path]

    def _read(self, path: str) -> bytes:
        file = self._root / path.lstrip("/")
        if file.is_dir() and not path.endswith("/"):
            return _response(301, "text/html", b"", f"Location: {urllib.parse.quote(path)}/\r\n")
        file = file / "index.html" if file.is_dir() else file
        if ".." in file.parts or not file.is_file():
            return _response(404, "text/html", b"<h1>Not found</h1>")
        return _response(200, TYPES.get(file.suffix, "application/octet-stream"), file.read_bytes())


def _response(status: int, media_type: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nServer: bench\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{_HEADERS}{more}\r\n".encode("ascii") + body


class Connection(asyncio.Protocol):
    """One kept connection: a response for every request, in order."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        assert self._transport is not None
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode("latin-1") if head.count(b" ") >= 2 else "/"
            self._transport.write(self._tree.answer(target))
        if len(self._buffer) > LIMIT_HEAD:
            self._transport.close()


async def serve(root: Path, port: int) -> None:
    """Serve the folder on the loopback interface until the process is told to stop."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    tree = Tree(root)
    server = await loop.create_server(lambda: Connection(tree), "127.0.0.1", port, backlog=1024)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
