"""One HTTP/1.1 connection: at most one exchange at a time, never half-read when it is used again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from headersweep.states import FailureReason
from worker import wire

WantBody = Callable[[int, str], bool]
"""Told the status and the media type (lower case, no parameters); says whether the body is read."""

MAX_DETAIL = 200
DRAIN_BYTES = 64 * 1024
DRAIN_SECONDS = 2.0
"""How much of an unwanted body is read to save the connection, and for how long."""

UNFRAMED_BODY_SECONDS = 5.0
"""How long a body is read whose end nothing announces, because its Content-Length makes no sense."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a fetch may take, in seconds: to connect, to the end of the headers, in all; and how long idle waits."""

    connect: float = 10.0
    headers: float = 15.0
    total: float = 60.0
    idle: float = 15.0


class ExchangeError(httpx.TransportError):
    """A request got no usable answer. ``head`` is what came of one nevertheless."""

    def __init__(
        self, reason: FailureReason, detail: str, head: wire.Head | None = None, peer: str = ""
    ) -> None:
        super().__init__(detail[:MAX_DETAIL])
        self.reason = reason
        self.detail = detail[:MAX_DETAIL]
        self.head = head
        self.peer = peer


class StaleConnectionError(Exception):
    """The server had closed a kept connection before our request reached it."""


class PoolKey(NamedTuple):
    """What two requests must have in common to share a connection."""

    scheme: bytes
    host: str
    port: int
    allow: tuple[str, ...]
    verify: bool


@dataclass(slots=True)
class Exchange:
    """One request on one connection: what was asked for, and what came."""

    message: bytes
    reader: wire.ResponseReader
    want_body: WantBody
    max_wire: int
    headers_at: float
    ends_at: float
    waiter: asyncio.Future[None]
    decided: bool = False
    wanted: bool = False
    truncated: bool = False
    problem: str = ""


def media_type(head: wire.Head) -> str:
    """The media type that the response names, in lower case and without parameters; empty when it names none."""
    values = head.values(b"content-type")
    return values[-1].split(b";", 1)[0].strip().lower().decode("latin-1") if values else ""


class Connection(asyncio.Protocol):
    """One connection: at most one exchange at a time, and one timer for whatever it waits for."""

    __slots__ = (
        "_exchange",
        "_loop",
        "_on_lost",
        "_timer",
        "_transport",
        "_waits_until",
        "key",
        "peer",
        "used",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, key: PoolKey, on_lost: Callable[[Connection], None]
    ) -> None:
        self.key = key
        self.peer = ""
        self.used = False
        self._loop = loop
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waits_until = 0.0

    # what the pool asks for

    @property
    def usable(self) -> bool:
        """Whether the next request may go out on it."""
        return self._transport is not None and not self._transport.is_closing() and self._exchange is None

    async def exchange(self, exchange: Exchange) -> None:
        """Send the request and wait until the response is read as far as it is wanted."""
        if self._transport is None or self._transport.is_closing():
            raise self._closed_unanswered()
        self._exchange = exchange
        self._wait_until(exchange.headers_at)
        self._transport.write(exchange.message)
        try:
            await exchange.waiter
        except BaseException:
            self.abort()
            raise
        finally:
            self.used = True

    def rest(self, seconds: float) -> None:
        """Wait for the next request, for some seconds."""
        self._wait_until(self._loop.time() + seconds)

    def abort(self) -> None:
        """Close at once; an exchange under way ends with an error."""
        exchange = self._exchange
        self._close()
        if exchange is not None:
            _wake(exchange, ExchangeError(FailureReason.RESET, "we closed the connection", peer=self.peer))

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note whom we really talk to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type; asyncio promises it
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""

    def data_received(self, data: bytes) -> None:
        """Take what came; bytes that nobody asked for end the connection."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        reader = exchange.reader
        try:
            reader.feed(data)
        except wire.WireError as error:
            self._refuse(exchange, error)
            return
        if reader.head is None:
            return
        if not exchange.decided:
            self._decide(exchange, reader.head)
        if self._exchange is None:
            return
        if reader.done:
            self._finish(exchange)
        elif reader.body_size > (exchange.max_wire if exchange.wanted else DRAIN_BYTES):
            self._cut(exchange, "the body is longer than what is read of one")

    def eof_received(self) -> bool:
        """The server will send no more."""
        exchange = self._exchange
        if exchange is not None:
            exchange.reader.eof()
            if exchange.reader.done:
                self._finish(exchange)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; an exchange under way ends with what it has."""
        exchange, self._exchange = self._exchange, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._on_lost(self)
        if exchange is not None:
            self._lose(exchange, exc)

    # how an exchange ends

    def _decide(self, exchange: Exchange, head: wire.Head) -> None:
        """The headers are here: how much of the body is read, and until when."""
        exchange.decided = True
        exchange.wanted = exchange.want_body(head.status, media_type(head))
        reader = exchange.reader
        ends_at = exchange.ends_at
        if not exchange.wanted:
            reader.discard_body()
            ends_at = min(ends_at, self._loop.time() + DRAIN_SECONDS)
        elif reader.unframed:
            ends_at = min(ends_at, self._loop.time() + UNFRAMED_BODY_SECONDS)
        if not exchange.wanted and (reader.length or 0) > DRAIN_BYTES:
            self._cut(exchange, "")
        else:
            self._wait_until(ends_at)

    def _finish(self, exchange: Exchange) -> None:
        self._exchange = None
        if not exchange.reader.reusable:
            self._close()
        _wake(exchange, None)

    def _cut(self, exchange: Exchange, problem: str) -> None:
        """Stop in the middle of the body: the headers are here, and enough of the body."""
        exchange.truncated = exchange.wanted
        exchange.problem = problem if exchange.wanted else ""
        self._close()
        _wake(exchange, None)

    def _refuse(self, exchange: Exchange, error: wire.WireError) -> None:
        """The bytes make no sense: without headers a failure, in the body only the end of it."""
        reader = exchange.reader
        if reader.head is not None:
            if not exchange.decided:
                self._decide(exchange, reader.head)
            self._cut(exchange, str(error))
            return
        large = isinstance(error, wire.HeadTooLargeError)
        reason = FailureReason.HEADERS_TOO_LARGE if large else FailureReason.PROTOCOL
        self._fail(exchange, reason, str(error))

    def _lose(self, exchange: Exchange, exc: Exception | None) -> None:
        reader = exchange.reader
        if exc is not None and not isinstance(exc, OSError):
            _wake(
                exchange, exc
            )  # asyncio ends the connection over a bug of ours; the bug belongs to the caller
        elif reader.head is not None:
            reader.eof()
            self._cut_or_finish(exchange, exc)
        elif not reader.received:
            _wake(exchange, self._closed_unanswered())
        elif exc is not None:
            self._fail(exchange, FailureReason.RESET, "the connection was reset within the headers")
        else:
            self._fail(exchange, FailureReason.PROTOCOL, "the connection was closed within the headers")

    def _closed_unanswered(self) -> Exception:
        """Nothing came: on a kept connection that is no news about the page, on a new one it is."""
        if self.used:
            return StaleConnectionError()
        words = "the server closed the connection without an answer"
        return ExchangeError(FailureReason.RESET, words, peer=self.peer)

    def _cut_or_finish(self, exchange: Exchange, exc: Exception | None) -> None:
        if exchange.reader.done and exc is None:
            self._finish(exchange)
        else:
            self._cut(exchange, exchange.reader.problem or "the connection was lost within the body")

    def _fail(self, exchange: Exchange, reason: FailureReason, detail: str) -> None:
        self._close()
        _wake(exchange, ExchangeError(reason, detail, exchange.reader.partial_head(), self.peer))

    def _close(self) -> None:
        self._exchange = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    # the timer

    def _wait_until(self, when: float) -> None:
        """Run out at this time. The timer stays armed over many requests and looks again when it fires."""
        self._waits_until = when
        if self._timer is None or self._timer.when() > when:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(when, self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        self._timer = None
        if self._loop.time() < self._waits_until:
            self._wait_until(self._waits_until)
            return
        exchange = self._exchange
        if exchange is None:
            self._close()
        elif exchange.decided:
            self._cut(exchange, "the body did not end in time")
        else:
            self._fail(exchange, FailureReason.TIMEOUT, "the headers did not end in time")


def _wake(exchange: Exchange, error: Exception | None) -> None:
    if exchange.waiter.done():
        return
    if error is None:
        exchange.waiter.set_result(None)
    else:
        exchange.waiter.set_exception(error)
