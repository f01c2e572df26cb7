"""What becomes of one page, as plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headersweep import headers
from headersweep.states import FailureReason, Outcome
from worker import page
from worker.fetch import Fetched
from worker.page import Item, Snapshot

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
URL = "http://h.example/a/b"
BLANK = Snapshot(bytes(32), "headers/1\n", b"")


def item(attempts: int = 0) -> Item:
    return Item(page_id=7, seq=1, depth=2, url=URL, key=key_of(URL), attempts=attempts)


def key_of(url: str) -> bytes:
    from headersweep import urls

    parsed = urls.parse(url)
    assert parsed is not None
    return parsed.key


def fetched(**changes: Any) -> Fetched:
    values: dict[str, Any] = {
        "url": URL,
        "status": 200,
        "raw_headers": b"",
        "body": None,
        "body_truncated": False,
        "elapsed_ms": 12,
        "fetched_at": NOW,
        "error": None,
        "error_detail": "",
        "unverified_tls": False,
        "content_type": "text/html",
        "charset": None,
        "location": None,
        "retry_after": None,
        "peer": "127.0.0.1",
        **changes,
    }
    return Fetched(**values)


@pytest.mark.parametrize(
    ("reason", "tries"),
    [
        (FailureReason.REFUSED, 2),
        (FailureReason.DNS, 2),
        (FailureReason.TIMEOUT, 3),
        (FailureReason.RESET, 3),
        (FailureReason.TLS, 1),
        (FailureReason.ADDRESS_DENIED, 1),
        (FailureReason.HEADERS_TOO_LARGE, 1),
    ],
)
def test_a_failure_is_final_after_its_tries(reason: FailureReason, tries: int) -> None:
    results = [page.failed(item(attempts), fetched(status=None, error=reason)) for attempts in range(tries)]
    assert [result.outcome for result in results] == [None] * (tries - 1) + [Outcome.FAILED]
    assert {result.error for result in results} == {reason.value}
    assert all(result.retry_seconds > 0 for result in results[:-1])


def test_a_failure_keeps_no_status_even_if_part_of_the_answer_came() -> None:
    result = page.failed(item(), fetched(status=200, error=FailureReason.HEADERS_TOO_LARGE))
    assert (result.outcome, result.status, result.snapshot) == (Outcome.FAILED, None, None)


@pytest.mark.parametrize(
    ("status", "attempts", "again"),
    [(503, 0, True), (503, 1, True), (503, 2, False), (429, 0, True), (500, 0, False), (404, 0, False)],
)
def test_only_passing_answers_are_asked_for_again_and_not_for_ever(
    status: int, attempts: int, *, again: bool
) -> None:
    assert page.wants_retry(item(attempts), status) is again


@pytest.mark.parametrize(
    ("status", "location", "target"),
    [
        (302, "/c", "http://h.example/c"),
        (301, "c?x=1", "http://h.example/a/c?x=1"),
        (308, "https://other.example", "https://other.example/"),
        (302, URL + "#part", None),
        (302, "b", None),
        (302, "mailto:x@example.org", None),
        (302, "http://[broken", None),
        (302, None, None),
        (200, "/c", None),
        (304, "/c", None),
        (201, "/c", None),
    ],
)
def test_the_target_of_a_redirect_is_another_page_or_nothing(
    status: int, location: str | None, target: str | None
) -> None:
    found = page.redirect_target(item(), fetched(status=status, location=location))
    assert (found.url if found else None) == target


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 17 ", 17),
        ("99999999999", 2**31 - 1),
        ("9" * 21, None),
        ("-1", None),
        ("1.5", None),
        ("\u0661", None),
        ("", None),
    ],
)
def test_an_age_is_a_count_of_seconds_or_nothing(value: str, seconds: int | None) -> None:
    assert page.whole_seconds(value) == seconds


@pytest.mark.parametrize(
    ("value", "offset"),
    [
        ("Sun, 01 Mar 2026 12:00:30 GMT", 0),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 60),
        ("Sun, 01 Mar 2026 12:00:00 -0000", -30),
        ("Sun, 01 Mar 9999 12:00:00 GMT", 2**31 - 1),
        ("Thu, 01 Mar 1900 12:00:00 GMT", -(2**31)),
        ("yesterday", None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
        ("", None),
    ],
)
def test_a_servers_clock_is_compared_with_ours(value: str, offset: int | None) -> None:
    assert page.date_offset(value, NOW) == offset


def test_an_answer_is_stored_with_its_evidence() -> None:
    raw = (
        b"Date: Sun, 01 Mar 2026 12:00:20 GMT\r\nAGE: 5\r\n"
        b"Content-Security-Policy: script-src 'nonce-abc'\r\nbroken line\r\nLocation: /c\r\n"
    )
    result = page.answered(item(), fetched(status=301, location="/c"), BLANK, headers.parse_block(raw))
    assert (result.outcome, result.status, result.age_s, result.date_offset_s) == (
        Outcome.STORED,
        301,
        5,
        -10,
    )
    assert result.malformed
    assert result.nonce_digest is not None
    assert len(result.nonce_digest) == 8
    assert result.target is not None
    assert result.target.url == "http://h.example/c"


def test_a_page_that_is_decided_without_a_fetch_has_no_status() -> None:
    result = page.decided(item(), Outcome.ROBOTS_DENIED, None)
    assert (result.outcome, result.status, result.snapshot, result.found) == (
        Outcome.ROBOTS_DENIED,
        None,
        None,
        [],
    )
