"""What became of one page in this slice, before it is committed: plain values."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from headersweep import headers, politeness, urls
from headersweep.states import RETRYABLE_REASONS, FailureReason, Outcome

if TYPE_CHECKING:
    from headersweep.urls import PageUrl
    from worker.fetch import Fetched

REDIRECTS = frozenset({301, 302, 303, 307, 308})
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
MAX_ATTEMPTS = 3
CONNECT_ATTEMPTS = 2
CONNECT_REASONS = frozenset(
    {FailureReason.DNS, FailureReason.REFUSED, FailureReason.UNREACHABLE, FailureReason.CONNECT_TIMEOUT}
)


@dataclass(slots=True)
class Item:
    """One page that a shard has to visit: its frontier row and how often it was tried."""

    page_id: int
    seq: int
    depth: int
    url: str
    key: bytes
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One distinct set of headers: its hash, its canonical text and the bytes it was first seen as."""

    content_hash: bytes
    canonical: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """One distinct set of facts about bodies: its hash and its canonical text."""

    content_hash: bytes
    canonical: str


@dataclass(slots=True)
class Result:
    """What became of a page. Without an outcome it is to be tried again after ``retry_seconds``."""

    item: Item
    outcome: Outcome | None
    fetched_at: datetime
    error: str | None = None
    status: int | None = None
    snapshot: Snapshot | None = None
    elapsed_ms: int | None = None
    age_s: int | None = None
    date_offset_s: int | None = None
    malformed: bool = False
    unverified_tls: bool = False
    nonce_digest: bytes | None = None
    facts: Facts | None = None
    target: PageUrl | None = None
    found: list[PageUrl] = field(default_factory=list)
    retry_seconds: float = 0.0


def decided(item: Item, outcome: Outcome, error: str | None) -> Result:
    """The result of a page that is not fetched: denied by robots.txt, its origin down, quarantined."""
    return Result(item, outcome, datetime.now(UTC), error)


def attempts_for(reason: FailureReason) -> int:
    """How often a page is tried when it fails like this."""
    if reason not in RETRYABLE_REASONS:
        return 1
    return CONNECT_ATTEMPTS if reason in CONNECT_REASONS else MAX_ATTEMPTS


def failed(item: Item, fetched: Fetched) -> Result:
    """The result of a fetch without an answer: tried again where that makes sense, else final."""
    reason = fetched.error or FailureReason.PROTOCOL
    result = Result(item, Outcome.FAILED, fetched.fetched_at, str(reason), elapsed_ms=fetched.elapsed_ms)
    if item.attempts + 1 < attempts_for(reason):
        result.outcome = None
        result.retry_seconds = politeness.retry_delay(item.attempts + 1, random.random())  # noqa: S311 - spread, not secrecy
    return result


def wants_retry(item: Item, status: int | None) -> bool:
    """Whether an answer is of the passing kind, and the page was not tried often enough."""
    return status in RETRIED_STATUSES and item.attempts + 1 < MAX_ATTEMPTS


def answered(item: Item, fetched: Fetched, snapshot: Snapshot, parsed: headers.ParsedHeaders) -> Result:
    """The result of a fetch with an answer, whatever its status: the evidence is kept."""
    result = Result(
        item,
        Outcome.STORED,
        fetched.fetched_at,
        status=fetched.status,
        snapshot=snapshot,
        elapsed_ms=fetched.elapsed_ms,
        malformed=bool(parsed.malformed),
        unverified_tls=fetched.unverified_tls,
        nonce_digest=headers.nonce_digest(parsed.pairs),
        target=redirect_target(item, fetched),
    )
    for name, value in parsed.pairs:
        lower = name.lower()
        if lower == "age":
            result.age_s = whole_seconds(value)
        elif lower == "date":
            result.date_offset_s = date_offset(value, fetched.fetched_at)
    return result


def redirect_target(item: Item, fetched: Fetched) -> PageUrl | None:
    """The page that an answer points to, when it is a redirect to one."""
    if fetched.status not in REDIRECTS or not fetched.location:
        return None
    target = urls.parse(fetched.location, item.url)
    return None if target is None or target.key == item.key else target


def whole_seconds(value: str) -> int | None:
    """A count of seconds as a header gives it (RFC 9111 section 1.2.2); None when it is none."""
    text = value.strip()
    return min(int(text), 2**31 - 1) if text.isascii() and text.isdigit() and len(text) <= 20 else None  # noqa: PLR2004


def date_offset(value: str, fetched_at: datetime) -> int | None:
    """By how many seconds the server's Date is ahead of our clock; None for a broken date."""
    try:
        date = parsedate_to_datetime(value)
        seconds = round(
            (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - fetched_at.timestamp()
        )
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return max(-(2**31), min(seconds, 2**31 - 1))
