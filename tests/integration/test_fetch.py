"""The fetcher against a server on loopback that does what servers do at their worst."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from headersweep.states import FailureReason
from tests.hostile_server import HostileServer, Peer, answers, page
from tests.integration._fetching import HTML, MEBIBYTE, PRIVATE, PUBLIC_ONLY, QUICK, fetch_from, play
from worker import bodies
from worker.fetch import Fetcher, user_agent
from worker.transport import RawTransport


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
