"""Looking up the addresses of a host: once for each new connection, remembered for a minute."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses of a host, the preferred one first; OSError (socket.gaierror) when there are none."""

TTL_SECONDS = 60.0
MAX_NAMES = 10_000
LOOKUP_THREADS = 16


def literal_address(host: str) -> str | None:
    """The address that the host part of a URL is, without brackets; None when it is a name."""
    text = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return None
    return text


@dataclass
class SystemResolver:
    """The system's own look-up, in threads of its own so that slow names do not hold up other work."""

    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="dns")
    )

    async def __call__(self, host: str, port: int) -> list[str]:
        """The host's addresses, in the order the system prefers."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self.threads, _look_up, host, port)
        return list(dict.fromkeys(str(address[4][0]) for address in found))

    def close(self) -> None:
        """Let go of the threads; look-ups still running end on their own."""
        self.threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass
class RememberingResolver:
    """Asks another resolver, and remembers its good answers. Whoever connects still checks every address."""

    ask: Resolver
    ttl_seconds: float = TTL_SECONDS
    clock: Callable[[], float] = time.monotonic
    _answers: dict[str, tuple[float, list[str]]] = field(default_factory=dict)

    async def __call__(self, host: str, port: int) -> list[str]:
        """The host's addresses, as told within the last minute or asked for now."""
        expires, found = self._answers.get(host, (0.0, []))
        if found and self.clock() < expires:
            return found
        found = await self.ask(host, port)
        if len(self._answers) >= MAX_NAMES:
            self._answers.clear()
        self._answers[host] = (self.clock() + self.ttl_seconds, found)
        return found

    def forget(self, host: str) -> None:
        """Look the name up again next time: nothing answered at its addresses."""
        self._answers.pop(host, None)
