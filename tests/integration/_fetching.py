"""A fetcher and a hostile server, for one scenario at a time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from headersweep.addresses import ALLOW_PRIVATE, AddressPolicy
from tests.hostile_server import HostileServer, Script
from worker.connection import Deadlines
from worker.fetch import Fetched, Fetcher

PRIVATE = AddressPolicy(ALLOW_PRIVATE)
PUBLIC_ONLY = AddressPolicy()
QUICK = Deadlines(connect=0.4, headers=0.4, total=0.8, idle=0.4)
MEBIBYTE = 1024 * 1024
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"

Scenario = Callable[[HostileServer, Fetcher], Awaitable[None]]


def play(
    scenario: Scenario, script: Script, *, server_tls: ssl.SSLContext | None = None, **options: Any
) -> None:
    """Run a scenario against a server with this script; whatever hangs fails after ten seconds."""

    async def whole() -> None:
        fetcher = Fetcher(user_agent="headersweep/test", **options)
        async with asyncio.timeout(10), HostileServer(script, ssl_context=server_tls) as server:
            try:
                await scenario(server, fetcher)
            finally:
                await fetcher.aclose()
                await asyncio.sleep(0)

    asyncio.run(whole())


def fetch_from(script: Script, *, server_tls: ssl.SSLContext | None = None, **options: Any) -> Fetched:
    """What one fetch from a server with this script comes to."""
    results: list[Fetched] = []
    asked = {
        name: options.pop(name)
        for name in ("allow_unverified_tls", "want_body", "max_body", "max_wire")
        if name in options
    }

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        results.append(await fetcher.fetch(server.url, policy=PRIVATE, **asked))

    play(scenario, script, server_tls=server_tls, **options)
    return results[0]


def resolver(*addresses: str, calls: list[str] | None = None) -> Callable[[str, int], Awaitable[list[str]]]:
    """A look-up that always gives these addresses."""

    async def look_up(host: str, _port: int) -> list[str]:
        if calls is not None:
            calls.append(host)
        return list(addresses)

    return look_up


# the plain case, and what a fetch tells
