"""Requests of probes against a server on loopback: their method and headers, and bodies that are announced and never sent."""

from __future__ import annotations

import pytest

from headersweep.probes import ProbeRequest
from headersweep.states import FailureReason
from tests.hostile_server import HostileServer, Script, answers, page
from tests.integration._fetching import PRIVATE, PUBLIC_ONLY, QUICK, play
from worker.fetch import Fetched, Fetcher


def probed(script: Script, max_body: int = 0, **request: object) -> tuple[Fetched, list[bytes]]:
    """What one probe of a server with this script comes to, and the lines that the server got."""
    results: list[Fetched] = []
    lines: list[bytes] = []

    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        asked = ProbeRequest(server.url, **request)  # type: ignore[arg-type]
        results.append(await fetcher.probe(asked, policy=PRIVATE, max_body=max_body))
        lines.extend(server.requests[0].split(b"\r\n") if server.requests else [])
        assert fetcher.idle_connections <= (request.get("length") is None)

    play(scenario, script, deadlines=QUICK)
    return results[0], lines


def test_a_probe_sends_its_headers_and_keeps_nothing_of_the_body_unless_it_is_wanted() -> None:
    fetched, lines = probed(answers(page(b"hello")), headers=(("Origin", "null"), ("Accept", "a/b")))
    assert (fetched.status, fetched.error, fetched.body) == (200, None, None)
    assert lines[0] == b"GET / HTTP/1.1"
    assert [line for line in lines if line.lower().startswith(b"accept:")] == [b"Accept: a/b"]
    assert b"Origin: null" in lines
    wanted, _ = probed(answers(page(b"hello")), max_body=3)
    assert (wanted.body, wanted.body_truncated) == (b"hel", True)


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nX-Limit: 1M\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("answer", "status"), [(CONTINUE, 100), (TOO_LARGE, 413), (page(b""), 200)])
def test_an_announced_body_is_never_sent_and_what_is_said_of_it_is_the_answer(
    answer: bytes, status: int
) -> None:
    fetched, lines = probed(answers(answer), method="POST", length=10**10)
    assert (fetched.status, fetched.error) == (status, None)
    assert lines[0] == b"POST / HTTP/1.1"
    assert b"Expect: 100-continue" in lines
    assert b"Content-Length: 10000000000" in lines
    assert lines[-2:] == [b"", b""], "nothing follows the head"


def test_a_server_that_waits_for_the_body_is_left_in_time() -> None:
    fetched, _ = probed(answers(b""), method="PUT", length=5)
    assert fetched.status is None
    assert fetched.error in {FailureReason.TIMEOUT, FailureReason.RESET}


def test_a_page_still_passes_over_what_comes_before_the_answer() -> None:
    fetched, _ = probed(answers(CONTINUE + page(b"")))
    assert fetched.status == 200


def test_an_address_that_is_not_allowed_is_refused() -> None:
    async def scenario(server: HostileServer, fetcher: Fetcher) -> None:
        fetched = await fetcher.probe(ProbeRequest(server.url), policy=PUBLIC_ONLY)
        assert fetched.error is FailureReason.ADDRESS_DENIED
        assert server.requests == []

    play(scenario, answers(page(b"")))
