"""CPU for each request of the fetcher beside httpx's own client: 64 in flight, keep-alive, a 6 KB page with 12 headers.

    python -m benchmarks.fetch_cpu [--requests 8000] [--profile]

The server is a process of its own, so only the client's time counts. Trust the ratios, not the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import multiprocessing
import pstats
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import httpx

from headersweep.addresses import AddressPolicy
from worker import fetch
from worker.transport import RawTransport

IN_FLIGHT = 64
PAGE = b"<!doctype html><title>Page</title>" + b"<p>Text with <a href='/x'>a link</a> in it.</p>" * 125
HEADERS = (
    b"Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
    b"Server: nginx\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n"
    b"Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
    b'ETag: "5f8d0a-1b2c"\r\n'
    b"Cache-Control: max-age=600, public\r\n"
    b"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
    b"Content-Security-Policy: default-src 'self'; script-src 'self' https://cdn.example.org\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Referrer-Policy: strict-origin-when-cross-origin\r\n"
    b"Accept-Ranges: bytes\r\n"
)
RESPONSE = b"HTTP/1.1 200 OK\r\n" + HEADERS + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE
POLICY = AddressPolicy(("127.0.0.0/8",))

Ask = Callable[[str], Awaitable[int]]


class _Server(asyncio.Protocol):
    """Answers everything with the same page."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(RESPONSE * data.count(b"\r\n\r\n"))


def serve(pipe: Connection) -> None:
    """Run the server until the process is ended; its port goes through the pipe."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0, backlog=256)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def measure(ask: Ask, url: str, requests: int) -> tuple[float, float]:
    """CPU milliseconds for each request, and requests a second, after a warm-up."""
    await _load(ask, url, IN_FLIGHT * 4)
    cpu, wall = time.process_time(), time.monotonic()
    await _load(ask, url, requests)
    return (time.process_time() - cpu) / requests * 1000, requests / (time.monotonic() - wall)


async def _load(ask: Ask, url: str, requests: int) -> None:
    numbers = iter(range(requests))

    async def lane() -> None:
        for number in numbers:
            assert await ask(f"{url}page/{number}.html") == 200

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))


async def fetcher(url: str, requests: int) -> tuple[float, float]:
    """The fetcher as the worker calls it."""
    client = fetch.Fetcher(user_agent="headersweep/bench")

    async def ask(page: str) -> int:
        fetched = await client.fetch(page, policy=POLICY)
        assert fetched.body == PAGE
        assert fetched.raw_headers.startswith(HEADERS)
        return fetched.status or 0

    try:
        return await measure(ask, url, requests)
    finally:
        await client.aclose()


async def client_over(
    transport: httpx.AsyncBaseTransport | None, url: str, requests: int
) -> tuple[float, float]:
    """Httpx's client over a transport (None: its own)."""
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(transport=transport, limits=limits, trust_env=False) as client:

        async def ask(page: str) -> int:
            return (await client.get(page)).status_code

        return await measure(ask, url, requests)


def main() -> None:
    """Print CPU milliseconds for each request and requests a second, for each way of asking."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=8000)
    options.add_argument("--profile", action="store_true")
    chosen = options.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/"
    try:
        run(url, chosen.requests, profile=chosen.profile)
    finally:
        server.terminate()


def run(url: str, requests: int, *, profile: bool) -> None:
    """Measure each way of asking against the server at this URL."""
    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(asyncio.run, fetcher(url, requests))
        pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
        return
    _report("Fetcher", asyncio.run(fetcher(url, requests)))
    _report(
        "httpx.AsyncClient over RawTransport", asyncio.run(client_over(RawTransport(POLICY), url, requests))
    )
    _report("httpx.AsyncClient, stock", asyncio.run(client_over(None, url, max(requests // 8, IN_FLIGHT))))


def _report(name: str, measured: tuple[float, float]) -> None:
    print(f"{name:40} {measured[0]:7.3f} ms CPU/request {measured[1]:7.0f} requests/s")


if __name__ == "__main__":
    main()
