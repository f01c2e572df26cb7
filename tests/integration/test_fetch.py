"""The fetcher against a server on loopback that does what servers do at their worst."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest

from headersweep.addresses import ALLOW_PRIVATE, AddressPolicy
from headersweep.states import FailureReason
from tests.hostile_server import HostileServer, Peer, Script, answers, page
from worker import bodies
from worker.connection import Deadlines, ExchangeError
from worker.fetch import Fetched, Fetcher, user_agent
from worker.transport import RawTransport

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


def test_a_page_is_fetched_with_its_headers_as_received() -> None:
    block = b'server: x\r\nContent-Type: Text/HTML; Charset="UTF-8"\r\nX-Odd:   spaced   \r\nContent-Length: 5\r\n'
    fetched = fetch_from(answers(b"HTTP/1.1 200 OK\r\n" + block + b"\r\nhello"))
    assert (fetched.status, fetched.error, fetched.error_detail) == (200, None, "")
    assert fetched.raw_headers == block
    assert (fetched.body, fetched.body_truncated, fetched.malformed) == (b"hello", False, False)
    assert (fetched.content_type, fetched.charset, fetched.peer) == ("text/html", "utf-8", "127.0.0.1")
    assert fetched.fetched_at.utcoffset() is not None


def test_the_request_names_us_and_asks_for_exactly_the_url() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        for path in ("100%", "a|b?c=%zz&d={e}", "a/./b#fragment"):
            await fetcher.fetch(server.url + path, policy=PRIVATE)
        await fetcher.fetch(server.url.removesuffix("/") + "?q", policy=PRIVATE)
        lines = [request.split(b"\r\n") for request in server.requests]
        targets = [line[0].split(b" ")[1] for line in lines]
        assert targets == [b"/100%", b"/a|b?c=%zz&d={e}", b"/a/./b", b"/?q"]
        assert lines[0][0] == b"GET /100% HTTP/1.1"
        assert set(lines[0][1:]) >= {
            b"Host: 127.0.0.1:%d" % server.port,
            b"User-Agent: headersweep/test",
            b"Accept-Encoding: gzip, br",
        }
        assert not [line for line in lines[0] if line.lower().startswith((b"authorization", b"cookie"))]

    play(scenario, answers(page()))


def test_redirects_are_told_and_not_followed() -> None:
    location = "/caf\u00e9".encode()
    redirect = page(b"", b"Location: " + location + b"\r\nRetry-After: 120\r\n", b"301 Moved Permanently")
    fetched = fetch_from(answers(redirect))
    assert (fetched.status, fetched.location, fetched.retry_after) == (301, "/caf\u00e9", "120")
    assert fetched.body is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x/",
        "http://",
        "http://:80/",
        "http://user:pw@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "not a url",
        "http://[::1/",
    ],
)
def test_what_is_no_url_is_a_failure_and_no_exception(url: str) -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(url, policy=PRIVATE)
        assert fetched.error is FailureReason.PROTOCOL
        assert fetched.error_detail == "this is no http(s) URL in its canonical form"
        assert server.connections == 0

    play(scenario, answers(page()))


def test_the_user_agent_names_product_and_contact() -> None:
    assert user_agent("https://example.org/bot") == "headersweep/0.1 (+https://example.org/bot)"
    assert user_agent("") == "headersweep/0.1"
    with pytest.raises(Exception, match="contact"):
        user_agent("me\r\nX-Evil: 1")


# connections


def test_one_connection_serves_many_requests() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        for _ in range(5):
            assert (await fetcher.fetch(server.url, policy=PRIVATE)).status == 200
        assert (server.connections, len(server.requests), fetcher.idle_connections) == (1, 5, 1)

    play(scenario, answers(page()))


def test_a_kept_connection_that_the_server_closed_is_repeated_once_in_silence() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(page())
        if peer.number == 1:
            await peer.request()

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        await fetcher.fetch(server.url, policy=PRIVATE)
        again = await fetcher.fetch(server.url, policy=PRIVATE)
        assert (again.status, again.error) == (200, None)
        assert (server.connections, len(server.requests)) == (2, 3)

    play(scenario, script)


def test_a_connection_closed_while_idle_is_not_used() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        await fetcher.fetch(server.url, policy=PRIVATE)
        await asyncio.sleep(0.05)
        assert fetcher.idle_connections == 0
        assert (await fetcher.fetch(server.url, policy=PRIVATE)).status == 200
        assert len(server.requests) == 2

    play(scenario, answers(page(), close=True))


def test_a_new_connection_that_is_closed_is_not_repeated() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(server.url, policy=PRIVATE)
        assert fetched.error is FailureReason.RESET
        assert server.connections == 1

    play(scenario, script)


def test_a_server_that_hangs_up_at_once_is_a_reset() -> None:
    async def hang_up(_peer: Peer) -> None:
        pass

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        for _ in range(20):
            assert (await fetcher.fetch(server.url, policy=PRIVATE)).error is FailureReason.RESET
        assert server.connections == 20

    play(scenario, hang_up)


def test_idle_connections_are_closed_after_a_while() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        await fetcher.fetch(server.url, policy=PRIVATE)
        assert fetcher.idle_connections == 1
        await asyncio.sleep(0.7)
        assert fetcher.idle_connections == 0
        assert server.closed == 1

    play(scenario, answers(page()), deadlines=QUICK)


def test_idle_connections_are_bounded_for_each_origin_and_in_all() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        async def many(client: RawTransport, url: str) -> None:
            requests = [httpx.Request("GET", url) for _ in range(6)]
            await asyncio.gather(*map(client.handle_async_request, requests))

        client = RawTransport(PRIVATE, max_idle=5, max_idle_per_origin=3)
        await many(client, server.url)
        assert client.idle_connections == 3
        await many(client, server.url.replace("127.0.0.1", "localhost"))
        assert client.idle_connections == 5
        await client.aclose()
        assert client.idle_connections == 0

    play(scenario, answers(page()))


def test_a_connection_is_not_shared_between_policies() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        assert (await fetcher.fetch(server.url, policy=PRIVATE)).status == 200
        denied = await fetcher.fetch(server.url, policy=PUBLIC_ONLY)
        assert denied.error is FailureReason.ADDRESS_DENIED
        assert (server.connections, len(server.requests)) == (1, 1)

    play(scenario, answers(page()))


def test_a_cancelled_fetch_closes_its_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HTML + b"Content-Length: 100\r\n\r\nhalf")
        await peer.request()

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        task = asyncio.create_task(fetcher.fetch(server.url, policy=PRIVATE))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)
        assert fetcher.idle_connections == 0
        assert server.closed == 1

    play(scenario, script)


def test_closing_the_fetcher_ends_what_is_under_way() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request()

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        task = asyncio.create_task(fetcher.fetch(server.url, policy=PRIVATE))
        await asyncio.sleep(0.1)
        await fetcher.aclose()
        assert (await task).error is FailureReason.RESET

    play(scenario, script)


def test_bytes_that_nobody_asked_for_do_not_become_the_next_answer() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        first = await fetcher.fetch(server.url, policy=PRIVATE)
        second = await fetcher.fetch(server.url, policy=PRIVATE)
        assert (first.body, second.body) == (b"true", b"true")
        assert server.connections == 2

    play(scenario, answers(page(b"true") + page(b"smuggled")))


# deadlines


def test_a_slow_drip_in_the_body_is_stopped_and_the_headers_are_kept() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HTML + b"Content-Length: 1000\r\n\r\n")
        await peer.drip(b"x" * 1000, 0.05)

    fetched = fetch_from(script, deadlines=QUICK)
    assert (fetched.status, fetched.error) == (200, None)
    assert fetched.body_truncated
    assert fetched.body is not None
    assert 0 < len(fetched.body) < 40
    assert fetched.error_detail == "the body did not end in time"
    assert 700 <= fetched.elapsed_ms < 2000


def test_headers_that_drip_in_are_stopped_by_their_own_deadline() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nServer: x\r\n")
        await peer.drip(b"X-Slow: " + b"x" * 1000, 0.05)

    fetched = fetch_from(script, deadlines=QUICK)
    assert fetched.error is FailureReason.TIMEOUT
    assert fetched.status == 200
    assert fetched.raw_headers.startswith(b"Server: x\r\nX-Slow: ")
    assert 300 <= fetched.elapsed_ms < 1500


def test_a_server_that_never_answers_is_a_timeout() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request()

    fetched = fetch_from(script, deadlines=QUICK)
    assert (fetched.error, fetched.status, fetched.raw_headers) == (FailureReason.TIMEOUT, None, b"")


def test_a_deadline_on_a_kept_connection_counts_from_its_own_request() -> None:
    async def script(peer: Peer) -> None:
        for pause in (0.0, 0.3, 0.3):
            await peer.request()
            await asyncio.sleep(pause)
            await peer.send(page())

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        results = [await fetcher.fetch(server.url, policy=PRIVATE) for _ in range(3)]
        assert [fetched.error for fetched in results] == [None, None, None]
        assert server.connections == 1

    play(scenario, script, deadlines=QUICK)


def test_a_tls_handshake_that_never_ends_is_a_connect_timeout() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(server.url.replace("http:", "https:"), policy=PRIVATE)
        assert fetched.error is FailureReason.CONNECT_TIMEOUT

    async def silent(_peer: Peer) -> None:
        await asyncio.sleep(5)

    play(scenario, silent, deadlines=QUICK)


# malformed answers


@pytest.mark.parametrize(
    "line",
    [
        b"no colon here",
        b"X-Space : 1",
        b"X-Nul: a\0b",
        b" X-Leading: space",
        b"X Bad Name: 1",
        b": empty",
        b"X-Return: a\rb",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_malformed_line_is_kept_and_the_rest_of_the_page_too(line: bytes, first: bool) -> None:
    lines = [b"Server: x", b"Content-Type: text/html", b"Content-Length: 5"]
    lines.insert(0 if first else 1, line)
    block = b"".join(each + b"\r\n" for each in lines)
    fetched = fetch_from(answers(b"HTTP/1.1 200 OK\r\n" + block + b"\r\nhello"))
    assert fetched.raw_headers == block
    assert (fetched.status, fetched.body, fetched.error) == (200, b"hello", None)
    folded = line.startswith(b" ") and not first
    assert fetched.malformed is not folded


def test_bare_line_feeds_and_folded_lines_are_read() -> None:
    block = b"Content-Type: text/html\nX-Folded: a\n b\nContent-Length: 5\n"
    fetched = fetch_from(answers(b"HTTP/1.1 200 OK\n" + block + b"\nhello"))
    assert (fetched.raw_headers, fetched.body, fetched.error) == (block, b"hello", None)


def test_an_odd_status_without_reason_is_an_answer() -> None:
    fetched = fetch_from(answers(b"HTTP/1.1 999\r\nContent-Length: 0\r\n\r\n"))
    assert (fetched.status, fetched.error, fetched.raw_headers) == (999, None, b"Content-Length: 0\r\n")


def test_early_hints_are_not_the_answer() -> None:
    fetched = fetch_from(answers(b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n" + page()))
    assert (fetched.status, fetched.body) == (200, b"hello")
    assert b"Link" not in fetched.raw_headers


def test_a_header_block_beyond_128_kib_fails_with_its_beginning_kept() -> None:
    fetched = fetch_from(answers(b"HTTP/1.1 200 OK\r\nServer: x\r\n" + b"X-Long: y\r\n" * 20_000 + b"\r\n"))
    assert fetched.error is FailureReason.HEADERS_TOO_LARGE
    assert fetched.status == 200
    assert fetched.raw_headers.startswith(b"Server: x\r\nX-Long: y\r\n")
    assert len(fetched.raw_headers) <= 128 * 1024


def test_one_header_of_100_kib_is_fine() -> None:
    fetched = fetch_from(answers(page(headers=b"Content-Security-Policy: " + b"x" * 100_000 + b"\r\n")))
    assert (fetched.status, fetched.error) == (200, None)
    assert len(fetched.raw_headers) > 100_000


def test_headers_cut_short_are_a_failure_that_keeps_what_came() -> None:
    fetched = fetch_from(answers(b"HTTP/1.1 200 OK\r\nServer: x\r\nX-Cut", close=True))
    assert fetched.error is FailureReason.PROTOCOL
    assert (fetched.status, fetched.raw_headers) == (200, b"Server: x\r\nX-Cut")


def test_an_answer_that_is_no_http_is_a_protocol_failure() -> None:
    fetched = fetch_from(answers(b"SSH-2.0-OpenSSH_9.2p1\r\n"))
    assert (fetched.error, fetched.status) == (FailureReason.PROTOCOL, None)


def test_a_reset_is_told_apart_from_a_close() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    assert fetch_from(script).error is FailureReason.RESET


# framing of bodies


def test_chunks_and_trailers_are_read_and_the_connection_is_kept() -> None:
    chunked = HTML + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        for _ in range(2):
            fetched = await fetcher.fetch(server.url, policy=PRIVATE)
            assert (fetched.body, fetched.body_truncated) == (b"hello", False)
            assert b"X-Sum" not in fetched.raw_headers
        assert server.connections == 1

    play(scenario, answers(chunked))


def test_length_and_chunks_together_are_read_as_chunks_on_a_connection_used_once() -> None:
    both = HTML + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        for _ in range(2):
            fetched = await fetcher.fetch(server.url, policy=PRIVATE)
            assert (fetched.status, fetched.body) == (200, b"hello")
        assert server.connections == 2

    play(scenario, answers(both))


@pytest.mark.parametrize(
    "lengths", [b"Content-Length: 5\r\nContent-Length: 5\r\n", b"Content-Length: 5, 5\r\n"]
)
def test_the_same_length_twice_is_harmless(lengths: bytes) -> None:
    fetched = fetch_from(answers(HTML + lengths + b"\r\nhello"))
    assert (fetched.body, fetched.body_truncated, fetched.error) == (b"hello", False, None)
    assert lengths in fetched.raw_headers


@pytest.mark.parametrize("length", [b"-1", b"+5", b"5\r\nContent-Length: 6", b"five"])
def test_a_length_that_is_no_number_keeps_headers_and_body(length: bytes) -> None:
    fetched = fetch_from(answers(HTML + b"Content-Length: " + length + b"\r\n\r\nhello", close=True))
    assert (fetched.status, fetched.body, fetched.error) == (200, b"hello", None)
    assert fetched.error_detail == "Content-Length is not one plain number"


def test_a_body_without_announced_end_does_not_hold_the_fetch_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.connection.UNFRAMED_BODY_SECONDS", 0.2)
    fetched = fetch_from(answers(HTML + b"Content-Length: -1\r\n\r\nhello"))
    assert (fetched.status, fetched.body, fetched.body_truncated) == (200, b"hello", True)
    assert fetched.elapsed_ms < 2000


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 500\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"]
)
def test_a_body_cut_short_keeps_the_headers_and_what_came(framing: bytes) -> None:
    fetched = fetch_from(answers(HTML + framing, close=True))
    assert (fetched.status, fetched.error, fetched.body) == (200, None, b"hello")
    assert fetched.body_truncated
    assert "before the end of the body" in fetched.error_detail


def test_a_broken_chunk_keeps_the_headers_and_what_came() -> None:
    fetched = fetch_from(answers(HTML + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"))
    assert (fetched.status, fetched.error, fetched.body, fetched.body_truncated) == (
        200,
        None,
        b"hello",
        True,
    )


def test_a_reset_within_the_body_keeps_the_headers() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HTML + b"Content-Length: 500\r\n\r\nhello")
        await asyncio.sleep(0.05)
        peer.reset()

    fetched = fetch_from(script)
    assert (fetched.status, fetched.error, fetched.body_truncated) == (200, None, True)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_without_a_body_do_not_wait_for_one(status: bytes) -> None:
    bodiless = b"HTTP/1.1 " + status + b"\r\nContent-Length: 50\r\n\r\n"

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        for _ in range(2):
            fetched = await fetcher.fetch(server.url, policy=PRIVATE)
            assert (fetched.error, fetched.status) == (None, int(status[:3]))
        assert server.connections == 1

    play(scenario, answers(bodiless))


def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    fetched = fetch_from(answers(HTML + b"\r\nhello", close=True))
    assert (fetched.body, fetched.body_truncated) == (b"hello", False)


# how much of a body is read


def test_a_small_unwanted_body_is_drained_so_that_the_connection_stays() -> None:
    image = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 60000\r\n\r\n" + bytes(60_000)

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        for _ in range(2):
            fetched = await fetcher.fetch(server.url, policy=PRIVATE)
            assert (fetched.status, fetched.body, fetched.body_truncated) == (200, None, False)
        assert server.connections == 1

    play(scenario, answers(image))


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n7ffffff\r\n"]
)
def test_a_large_unwanted_body_is_not_downloaded(framing: bytes) -> None:
    sent: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n" + framing)
        for _ in range(1000):
            await peer.send(bytes(100_000))
            sent.append(100_000)

    fetched = fetch_from(script)
    assert (fetched.status, fetched.body, fetched.error) == (200, None, None)
    assert sum(sent) < 20 * MEBIBYTE


def test_a_wanted_body_is_cut_at_the_wire_limit() -> None:
    fetched = fetch_from(answers(page(bytes(3 * MEBIBYTE))))
    assert fetched.body_truncated
    assert fetched.body is not None
    assert bodies.MAX_WIRE_BYTES < len(fetched.body) < 3 * MEBIBYTE


def test_a_sitemap_may_be_larger_than_a_page() -> None:
    large = bytes(12 * MEBIBYTE)
    fetched = fetch_from(answers(page(large)), max_body=50 * MEBIBYTE, max_wire=50 * MEBIBYTE)
    assert (fetched.body_truncated, fetched.error_detail) == (False, "")
    assert fetched.body == large


def test_who_asks_decides_which_bodies_are_read() -> None:
    asked: list[tuple[int, str]] = []

    def want(status: int, content_type: str) -> bool:
        asked.append((status, content_type))
        return True

    missing = page(b"User-agent: *", status=b"404 Not Found").replace(b"text/html", b"text/PLAIN; charset=x")
    fetched = fetch_from(answers(missing), want_body=want)
    assert asked == [(404, "text/plain")]
    assert fetched.body == b"User-agent: *"


def test_an_unwanted_body_that_drips_does_not_hold_the_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.connection.DRAIN_SECONDS", 0.2)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await peer.drip(b"data: x\n" * 100, 0.05)

    fetched = fetch_from(script)
    assert (fetched.status, fetched.body, fetched.error, fetched.error_detail) == (200, None, None, "")
    assert fetched.elapsed_ms < 2000


def test_a_bug_in_what_the_caller_gave_is_not_taken_for_network_trouble() -> None:
    def broken(_status: int, _content_type: str) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fetch_from(answers(page()), want_body=broken)


def test_error_pages_are_not_read_for_links() -> None:
    assert fetch_from(answers(page(status=b"500 Oops"))).body is None


# content codings


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(b"hello")),
        (b"br", brotli.compress(b"hello")),
        (b"deflate", zlib.compress(b"hello")),
        (b"gzip, br", brotli.compress(gzip.compress(b"hello"))),
        (b"identity", b"hello"),
    ],
    ids=["gzip", "br", "deflate", "gzip inside br", "identity"],
)
def test_bodies_are_decoded(coding: bytes, body: bytes) -> None:
    fetched = fetch_from(answers(page(body, b"Content-Encoding: " + coding + b"\r\n")))
    assert (fetched.body, fetched.body_truncated, fetched.error_detail) == (b"hello", False, "")


def test_a_gibibyte_in_two_kilobytes_is_stopped_at_eight_mebibytes() -> None:
    encoder = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = encoder.compress(bytes(MEBIBYTE)) + encoder.flush(zlib.Z_FULL_FLUSH)
    block = encoder.compress(bytes(MEBIBYTE)) + encoder.flush(zlib.Z_FULL_FLUSH)
    bomb = gzip.compress(first + block * 1023)
    assert len(bomb) < 10_000
    fetched = fetch_from(answers(page(bomb, b"Content-Encoding: gzip, gzip\r\n")))
    assert (fetched.status, fetched.error, fetched.body_truncated) == (200, None, True)
    assert fetched.body == bytes(bodies.MAX_DECODED_BYTES)


def test_the_caller_may_ask_for_less() -> None:
    fetched = fetch_from(
        answers(page(gzip.compress(b"hello" * 100), b"Content-Encoding: gzip\r\n")), max_body=7
    )
    assert (fetched.body, fetched.body_truncated) == (b"hellohe", True)


@pytest.mark.parametrize(
    ("coding", "why"),
    [
        (b"gzip", "not valid gzip"),
        (b"gzip, gzip, gzip", "content codings stacked"),
        (b"zstd", "not asked for"),
    ],
)
def test_a_body_that_cannot_be_decoded_keeps_the_headers(coding: bytes, why: str) -> None:
    fetched = fetch_from(answers(page(b"plain", b"Content-Encoding: " + coding + b"\r\n")))
    assert (fetched.status, fetched.error, fetched.body, fetched.body_truncated) == (200, None, b"", True)
    assert why in fetched.error_detail


# no connection


def test_a_refused_connection_says_so() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        fetched = await fetcher.fetch(f"http://127.0.0.1:{port}/", policy=PRIVATE)
        assert fetched.error is FailureReason.REFUSED
        assert fetched.error_detail == "connecting to 127.0.0.1 failed: Connection refused"
        assert (fetched.status, fetched.raw_headers, fetched.body) == (None, b"", None)

    play(scenario, answers(page()))


def test_a_name_that_does_not_resolve_is_a_dns_failure() -> None:
    async def nowhere(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def scenario(_server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch("http://name.invalid/", policy=PRIVATE)
        assert fetched.error is FailureReason.DNS
        assert fetched.error_detail == "the host's name was not found (Name or service not known)"

    play(scenario, answers(page()), resolver=nowhere)


def test_a_name_without_addresses_and_a_silent_name_server_are_dns_failures() -> None:
    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(5)
        return ["127.0.0.1"]

    async def scenario(_server: HostileServer, fetcher: Fetcher) -> None:
        assert (await fetcher.fetch("http://name.invalid/", policy=PRIVATE)).error is FailureReason.DNS

    play(scenario, answers(page()), resolver=resolver())
    play(scenario, answers(page()), resolver=silent, deadlines=QUICK)


def test_the_systems_own_look_up_finds_localhost() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(server.url.replace("127.0.0.1", "localhost"), policy=PRIVATE)
        assert (fetched.status, fetched.peer) == (200, "127.0.0.1")

    play(scenario, answers(page()))


# the address policy


@pytest.mark.parametrize("host", ["127.0.0.1", "site.test", "[::ffff:127.0.0.1]", "[::1]"])
def test_a_denied_address_is_never_connected_to(host: str) -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(f"http://{host}:{server.port}/", policy=PUBLIC_ONLY)
        assert fetched.error is FailureReason.ADDRESS_DENIED
        assert "not a public address" in fetched.error_detail
        await asyncio.sleep(0.05)
        assert server.connections == 0

    play(scenario, answers(page()), resolver=resolver("127.0.0.1"))


def test_a_name_in_an_old_spelling_of_an_address_is_judged_by_what_it_resolves_to() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(f"http://0x7f.1:{server.port}/", policy=PUBLIC_ONLY)
        assert fetched.error in (FailureReason.ADDRESS_DENIED, FailureReason.DNS)
        assert server.connections == 0

    play(scenario, answers(page()))


def test_of_several_addresses_only_the_permitted_ones_are_tried() -> None:
    only_loopback = AddressPolicy(("127.0.0.1/32",))

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(f"http://site.test:{server.port}/", policy=only_loopback)
        assert (fetched.status, fetched.peer) == (200, "127.0.0.1")

    play(
        scenario,
        answers(page()),
        resolver=resolver("10.255.255.1", "169.254.169.254", "fe80::1%eth0", "127.0.0.1"),
    )


def test_a_public_answer_beside_a_private_one_does_not_open_the_private_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []

    async def refuse(_self: RawTransport, address: str, _key: object, _seconds: float) -> object:
        tried.append(address)
        raise ExchangeError(FailureReason.REFUSED, "refused")

    monkeypatch.setattr(RawTransport, "_connect_to", refuse)

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(f"http://site.test:{server.port}/", policy=PUBLIC_ONLY)
        assert fetched.error is FailureReason.REFUSED
        assert tried == ["8.8.8.8"]
        assert server.connections == 0

    play(scenario, answers(page()), resolver=resolver("127.0.0.1", "8.8.8.8", "::1"))


def test_the_next_address_is_tried_where_one_refuses() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(f"http://site.test:{server.port}/", policy=PRIVATE)
        assert (fetched.status, fetched.peer) == (200, "127.0.0.1")

    play(scenario, answers(page()), resolver=resolver("127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.4"))


def test_both_address_families_are_tried_before_the_rest_of_one() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(f"http://site.test:{server.port}/", policy=PRIVATE)
        assert (fetched.status, fetched.peer) == (200, "127.0.0.1")

    play(scenario, answers(page()), resolver=resolver("::1", "fd00::2", "fd00::3", "fd00::4", "127.0.0.1"))


def test_at_most_three_addresses_are_tried() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(f"http://site.test:{server.port}/", policy=PRIVATE)
        assert fetched.error is FailureReason.REFUSED
        assert server.connections == 0

    play(scenario, answers(page()), resolver=resolver("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"))


def test_the_name_is_looked_up_once_for_each_connection_and_that_very_address_is_used() -> None:
    """A name server that answers differently the second time (rebinding) gets no second question."""
    answers_of_dns = iter([["127.0.0.1"], ["169.254.169.254"]])
    calls: list[str] = []

    async def rebinding(host: str, _port: int) -> list[str]:
        calls.append(host)
        return next(answers_of_dns)

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        url = f"http://site.test:{server.port}/"
        first = await fetcher.fetch(url, policy=PRIVATE)
        assert (first.status, calls) == (200, ["site.test"])
        await asyncio.sleep(0.05)
        second = await fetcher.fetch(url, policy=PRIVATE)
        assert second.error is FailureReason.ADDRESS_DENIED
        assert calls == ["site.test", "site.test"]
        assert server.connections == 1

    play(scenario, answers(page(), close=True), resolver=rebinding, dns_ttl_seconds=0.0)


def test_a_remembered_answer_is_checked_against_the_policy_of_each_fetch() -> None:
    calls: list[str] = []

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        url = f"http://site.test:{server.port}/"
        assert (await fetcher.fetch(url, policy=PRIVATE)).status == 200
        denied = await fetcher.fetch(url, policy=PUBLIC_ONLY)
        assert denied.error is FailureReason.ADDRESS_DENIED
        assert (calls, server.connections) == (["site.test"], 1)

    play(scenario, answers(page(), close=True), resolver=resolver("127.0.0.1", calls=calls))


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for site.test, with its key, made for this test run."""
    path = tmp_path_factory.mktemp("tls") / "site.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-keyout", str(path), "-out", str(path) + ".crt", "-days", "2", "-subj", "/CN=site.test"),
            *("-addext", "subjectAltName=DNS:site.test"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + Path(str(path) + ".crt").read_bytes())
    return path


def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate) + ".crt")


def test_a_self_signed_certificate_is_a_tls_failure(certificate: Path) -> None:
    fetched = fetch_from(answers(page()), server_tls=server_tls(certificate))
    assert (fetched.error, fetched.status, fetched.unverified_tls) == (FailureReason.TLS, None, False)
    assert "certificate not trusted" in fetched.error_detail


def test_where_the_site_allows_it_a_second_unverified_fetch_is_marked(certificate: Path) -> None:
    fetched = fetch_from(answers(page()), server_tls=server_tls(certificate), allow_unverified_tls=True)
    assert (fetched.error, fetched.status, fetched.body) == (None, 200, b"hello")
    assert fetched.unverified_tls
    assert "certificate not trusted" in fetched.error_detail


def test_a_trusted_certificate_is_verified_by_the_name_although_we_connect_to_an_address(
    certificate: Path,
) -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        good = await fetcher.fetch(f"https://site.test:{server.port}/", policy=PRIVATE)
        assert (good.error_detail, good.status, good.unverified_tls) == ("", 200, False)
        again = await fetcher.fetch(f"https://site.test:{server.port}/", policy=PRIVATE)
        assert (again.status, server.connections) == (200, 1)
        wrong = await fetcher.fetch(f"https://other.test:{server.port}/", policy=PRIVATE)
        assert wrong.error is FailureReason.TLS
        assert "other.test" in wrong.error_detail

    play(
        scenario,
        answers(page()),
        server_tls=server_tls(certificate),
        resolver=resolver("127.0.0.1"),
        ssl_context=trusting(certificate),
    )


def test_an_unverified_connection_is_never_used_for_a_verified_fetch(certificate: Path) -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        assert (await fetcher.fetch(server.url, policy=PRIVATE, allow_unverified_tls=True)).status == 200
        assert (await fetcher.fetch(server.url, policy=PRIVATE)).error is FailureReason.TLS

    play(scenario, answers(page()), server_tls=server_tls(certificate))


def test_plain_http_on_a_tls_port_is_a_tls_failure() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(server.url.replace("http:", "https:"), policy=PRIVATE)
        assert fetched.error is FailureReason.TLS

    async def script(peer: Peer) -> None:
        await peer.reader.read(10)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    play(scenario, script)


# as an httpx transport


def test_httpx_can_use_the_transport_as_its_own() -> None:
    compressed = page(gzip.compress(b"hello"), b"Content-Encoding: gzip\r\nX-Test: 1\r\n")

    async def scenario(server: HostileServer, _fetcher: Fetcher) -> None:
        async with httpx.AsyncClient(transport=RawTransport(PRIVATE)) as client:
            response = await client.get(server.url + "a", params={"q": "1"})
            assert (response.status_code, response.text) == (200, "hello")
            assert response.headers["x-test"] == "1"
            assert response.extensions["raw_header_block"].startswith(
                b"Content-Type: text/html\r\nContent-Encoding"
            )
            posted = await client.post(server.url, content=b"data")
            assert posted.status_code == 200
        assert server.requests[0].startswith(b"GET /a?q=1 HTTP/1.1\r\nHost: 127.0.0.1")

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.request()
            if b"Content-Length: 4" in head:
                assert await peer.reader.readexactly(4) == b"data"
            await peer.send(compressed)

    play(scenario, script)


def test_httpx_sees_failures_as_its_own_transport_errors() -> None:
    async def scenario(server: HostileServer, _fetcher: Fetcher) -> None:
        async with httpx.AsyncClient(transport=RawTransport()) as client:
            with pytest.raises(httpx.TransportError, match="not a public address"):
                await client.get(server.url)
            with pytest.raises(httpx.UnsupportedProtocol):
                await client.get("ftp://example.org/")
        assert server.connections == 0

    play(scenario, answers(page()))


def test_a_line_break_in_a_header_is_not_sent() -> None:
    async def scenario(server: HostileServer, _fetcher: Fetcher) -> None:
        async with httpx.AsyncClient(transport=RawTransport(PRIVATE)) as client:
            with pytest.raises(httpx.LocalProtocolError):
                await client.get(server.url, headers={"X-Evil": "a\r\nX-Injected: b"})
        assert server.requests == []

    play(scenario, answers(page()))
