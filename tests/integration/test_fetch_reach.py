"""What the fetcher decodes, which addresses it reaches, and whose certificates it believes."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import zlib
from pathlib import Path

import brotli
import httpx
import pytest

from headersweep.addresses import AddressPolicy
from headersweep.states import FailureReason
from tests.hostile_server import HostileServer, Peer, answers, page
from tests.integration._fetching import MEBIBYTE, PRIVATE, PUBLIC_ONLY, QUICK, fetch_from, play, resolver
from worker import bodies
from worker.connection import ExchangeError
from worker.fetch import Fetcher
from worker.transport import RawTransport


def test_error_pages_are_not_read_for_links() -> None:
    assert fetch_from(answers(page(status=b"500 Oops"))).body is None


# content codings


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(b"hello", mtime=0)),
        (b"br", brotli.compress(b"hello")),
        (b"deflate", zlib.compress(b"hello")),
        (b"gzip, br", brotli.compress(gzip.compress(b"hello", mtime=0))),
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
