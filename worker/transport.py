"""Our httpx transport: HTTP/1.1 with the raw header block kept, total deadlines, and the address policy at connect.

    httpx.AsyncClient(transport=RawTransport(policy))        works, and so does
    await RawTransport(policy).handle_async_request(request) which the fetcher calls to save the client's cost.

A request may carry these extensions: ``policy`` (AddressPolicy), ``verify`` (bool), ``want_body`` (status, media type ->
bool), ``max_wire`` (bytes), ``target`` (the request target, as in httpx), ``withheld`` (the announced body is never sent:
``100 Continue`` is an answer then, and the connection serves nobody else). A response carries ``raw_header_block`` (bytes
as received, without status line and final empty line), ``malformed``, ``status_line``, ``http_version``, ``peer``,
``body_wanted``, ``body_truncated``, ``body_problem`` and ``trailers``. Its body is read already, capped, and still encoded:
whoever decodes it must do that under a cap (worker.bodies).
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import socket
import ssl
from collections.abc import AsyncIterator

import httpx

from headersweep.addresses import AddressPolicy
from headersweep.states import FailureReason
from worker import bodies, dns, tls, wire
from worker.connection import Connection, Deadlines, Exchange, ExchangeError, PoolKey, StaleConnectionError
from worker.pool import Pool

MAX_ADDRESSES = 3
MAX_IDLE = 200
MAX_IDLE_PER_ORIGIN = 32
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443}


class BufferedStream(httpx.AsyncByteStream):
    """A body that is here already."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.data


class RawTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over connections of our own. Belongs to one event loop."""

    def __init__(  # noqa: PLR0913 - keywords with defaults, one for each thing a test or site sets
        self,
        policy: AddressPolicy | None = None,
        *,
        deadlines: Deadlines | None = None,
        resolver: dns.Resolver | None = None,
        dns_ttl_seconds: float = dns.TTL_SECONDS,
        ssl_context: ssl.SSLContext | None = None,
        max_idle: int = MAX_IDLE,
        max_idle_per_origin: int = MAX_IDLE_PER_ORIGIN,
    ) -> None:
        self.deadlines = deadlines or Deadlines()
        self._policy = policy or AddressPolicy()
        self._system_resolver = dns.SystemResolver()
        self._resolver = dns.RememberingResolver(resolver or self._system_resolver, dns_ttl_seconds)
        self._verified = ssl_context
        self._unverified: ssl.SSLContext | None = None
        self._pool = Pool(max_idle, max_idle_per_origin)
        self._busy: set[Connection] = set()

    @property
    def idle_connections(self) -> int:
        """How many connections wait for a next request."""
        return len(self._pool)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and read its response as far as it is wanted; ExchangeError when there is none."""
        ends_at = asyncio.get_running_loop().time() + self.deadlines.total
        policy: AddressPolicy = request.extensions.get("policy", self._policy)
        key = _pool_key(request, policy, verify=request.extensions.get("verify", True))
        message = await _message(request)
        connection = None if request.extensions.get("withheld") else self._pool.take(key)
        if connection is not None:
            try:
                return await self._carry_out(connection, self._exchange(request, message, ends_at))
            except StaleConnectionError:
                if request.method not in IDEMPOTENT:
                    raise ExchangeError(FailureReason.RESET, "the server closed a kept connection") from None
        connection = await self._connect(key, policy, ends_at)
        return await self._carry_out(connection, self._exchange(request, message, ends_at))

    async def aclose(self) -> None:
        """Close every connection, the busy ones too."""
        self._pool.close()
        for connection in list(self._busy):
            connection.abort()
        self._system_resolver.close()

    def _exchange(self, request: httpx.Request, message: bytes, ends_at: float) -> Exchange:
        loop = asyncio.get_running_loop()
        options = request.extensions
        return Exchange(
            message,
            wire.ResponseReader(
                head_only=request.method == "HEAD", stop_at_continue=options.get("withheld", False)
            ),
            options.get("want_body", _always),
            options.get("max_wire", bodies.MAX_WIRE_BYTES),
            min(loop.time() + self.deadlines.headers, ends_at),
            ends_at,
            loop.create_future(),
        )

    async def _carry_out(self, connection: Connection, exchange: Exchange) -> httpx.Response:
        self._busy.add(connection)
        try:
            await connection.exchange(exchange)
        finally:
            self._busy.discard(connection)
        if exchange.reader.stop_at_continue:
            connection.abort()
        elif connection.usable and exchange.reader.reusable:
            self._pool.put(connection)
            connection.rest(self.deadlines.idle)
        return _response(exchange, connection.peer)

    async def _connect(self, key: PoolKey, policy: AddressPolicy, ends_at: float) -> Connection:
        """A new connection to one of the host's permitted addresses, each tried for its share of the time."""
        loop = asyncio.get_running_loop()
        give_up_at = min(loop.time() + self.deadlines.connect, ends_at)
        candidates = await self._addresses(key, policy, give_up_at)
        for position, address in enumerate(candidates, start=1):
            seconds = (give_up_at - loop.time()) / (len(candidates) + 1 - position)
            try:
                return await self._connect_to(address, key, seconds)
            except ExchangeError as error:
                if position == len(candidates) or error.reason is FailureReason.TLS:
                    self._resolver.forget(key.host)
                    raise
        raise AssertionError("there is always one candidate")

    async def _addresses(self, key: PoolKey, policy: AddressPolicy, give_up_at: float) -> list[str]:
        """The addresses that may be connected to: looked up once, and checked here, whoever found them."""
        literal = dns.literal_address(key.host)
        found = [literal] if literal else await self._look_up(key, give_up_at)
        permitted = [address for address in found if policy.permits(address)]
        if not permitted:
            objections = "; ".join(policy.objection(address) or "" for address in found[:2])
            raise ExchangeError(FailureReason.ADDRESS_DENIED, objections)
        return _both_families(permitted)[:MAX_ADDRESSES]

    async def _look_up(self, key: PoolKey, give_up_at: float) -> list[str]:
        try:
            async with asyncio.timeout_at(give_up_at):
                found = await self._resolver(key.host, key.port)
        except TimeoutError:
            raise ExchangeError(FailureReason.DNS, "looking up the host's name took too long") from None
        except (OSError, UnicodeError) as error:
            raise ExchangeError(
                FailureReason.DNS, f"the host's name was not found ({_words(error)})"
            ) from None
        if not found:
            raise ExchangeError(FailureReason.DNS, "the host's name has no addresses")
        return found

    async def _connect_to(self, address: str, key: PoolKey, seconds: float) -> Connection:
        loop = asyncio.get_running_loop()
        context = self._context(key)
        name = key.host.removeprefix("[").removesuffix("]").rstrip(".")
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, key, self._pool.drop),
                    address,
                    key.port,
                    ssl=context,
                    server_hostname=name if context else None,
                )
        except (OSError, UnicodeError) as error:
            raise _connect_failure(error, address) from None
        return connection

    def _context(self, key: PoolKey) -> ssl.SSLContext | None:
        """The shared TLS context; making one costs tens of milliseconds, so each is made once."""
        if key.scheme != b"https":
            return None
        if key.verify:
            self._verified = self._verified or tls.verified_context()
            return self._verified
        self._unverified = self._unverified or tls.unverified_context()
        return self._unverified


def _both_families(addresses: list[str]) -> list[str]:
    """The preferred address first, then the other family's first, and so on: one broken family does not hide a site."""
    preferred = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    others = [address for address in addresses if address not in preferred]
    pairs = itertools.zip_longest(preferred, others)
    return [address for pair in pairs for address in pair if address]


def _always(_status: int, _media_type: str) -> bool:
    return True


def _pool_key(request: httpx.Request, policy: AddressPolicy, *, verify: bool) -> PoolKey:
    url = request.url
    if url.scheme not in DEFAULT_PORTS:
        raise httpx.UnsupportedProtocol(f"only http and https can be fetched, not {url.scheme!r}")
    port = url.port or DEFAULT_PORTS[url.scheme]
    return PoolKey(url.raw_scheme, url.raw_host.decode("ascii"), port, policy.allow, verify)


async def _message(request: httpx.Request) -> bytes:
    """The request as bytes; Host is added where nobody gave one."""
    target = request.extensions.get("target") or request.url.raw_path
    lines = [b"%b: %b\r\n" % pair for pair in request.headers.raw]
    if "host" not in request.headers:
        lines.insert(0, b"Host: %b\r\n" % request.url.netloc)
    head = b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode("ascii"), target, b"".join(lines))
    if not head.count(b"\r") == head.count(b"\n") == len(lines) + 2:
        raise httpx.LocalProtocolError("a line break inside the request's target or headers")
    return head if request.method in IDEMPOTENT else head + await request.aread()


def _response(exchange: Exchange, peer: str) -> httpx.Response:
    reader = exchange.reader
    head = reader.head
    assert head is not None  # noqa: S101 - an exchange ends without an error only when the head is here
    cut = exchange.truncated or (exchange.wanted and not reader.done)
    return httpx.Response(
        head.status,
        headers=head.pairs,
        stream=BufferedStream(b"".join(reader.body)),
        extensions={
            "raw_header_block": head.raw,
            "malformed": head.malformed,
            "status_line": head.status_line,
            "reason_phrase": head.reason,
            "http_version": b"HTTP/" + head.version,
            "peer": peer,
            "head": head,
            "body_wanted": exchange.wanted,
            "body_truncated": cut,
            "body_problem": exchange.problem or reader.problem,
            "trailers": reader.trailers,
        },
    )


def _connect_failure(error: Exception, address: str) -> ExchangeError:
    """The reason why no connection came about, in our words."""
    reason = next(
        (reason for kind, reason in _CONNECT_REASONS if isinstance(error, kind)), FailureReason.UNREACHABLE
    )
    if isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
        reason = FailureReason.CONNECT_TIMEOUT
    words = "it took too long" if reason is FailureReason.CONNECT_TIMEOUT else _words(error)
    return ExchangeError(reason, f"connecting to {address} failed: {words}", peer=address)


_CONNECT_REASONS: tuple[tuple[type[Exception], FailureReason], ...] = (
    (ssl.SSLError, FailureReason.TLS),
    (TimeoutError, FailureReason.CONNECT_TIMEOUT),
    (ConnectionRefusedError, FailureReason.REFUSED),
    (ConnectionResetError, FailureReason.RESET),
    (ConnectionAbortedError, FailureReason.RESET),
    (BrokenPipeError, FailureReason.RESET),
)


def _words(error: Exception) -> str:
    """What the system says, without its numbers and source lines."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").replace("_", " ").lower()
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such name"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
