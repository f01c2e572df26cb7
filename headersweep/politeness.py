"""How fast an origin is asked, and when again: additive increase, multiplicative decrease. Pure; the rows are elsewhere."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime
from enum import Enum, auto

from headersweep.definition import UNLIMITED_RATE
from headersweep.states import FailureReason

FLOOR_RATE = 1 / 60
"""One request a minute: slower than this, an origin is as good as down, and the back-off says so."""

STEP = 0.02
STEP_SHARE = 0.1
STEADY_LATENCY_RATIO = 1.5
LIMITED_RATE = 10.0
"""The first limit of an origin that had none and asks us to slow down."""

UNLIMITED_AGAIN = 1000.0
"""Where no ceiling is set, an origin that climbed back to this rate has no limit again."""

BACKOFF_FIRST_SECONDS = 5.0
BACKOFF_MAX_SECONDS = 3600.0
RETRY_FIRST_SECONDS = 2.0
RETRY_FACTOR = 4.0
RETRY_MAX_SECONDS = 300.0
RETRY_AFTER_MAX_SECONDS = 86_400.0
_MAX_EXPONENT = 20

TOO_MANY_REQUESTS = 429
SERVICE_UNAVAILABLE = 503
FIRST_SERVER_ERROR = 500
ASKS_FOR_REST = frozenset({TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE})
TIMEOUTS = frozenset({FailureReason.TIMEOUT, FailureReason.CONNECT_TIMEOUT})

_SECONDS = re.compile(r"([+-]?)([0-9]+)(?:\.[0-9]*)?")
_ABSURD_DIGITS = 6


class RateEvent(Enum):
    """What one request says about the load of its origin."""

    SUCCESS = auto()
    SERVER_ERROR = auto()
    OVERLOAD = auto()
    ERROR = auto()


def event_of(status: int | None, error: FailureReason | None) -> RateEvent:
    """What a fetch says: overload is 429, 503 and timeouts; other failures say nothing about the load."""
    if error in TIMEOUTS or status in ASKS_FOR_REST:
        return RateEvent.OVERLOAD
    if error is not None or status is None:
        return RateEvent.ERROR
    return RateEvent.SERVER_ERROR if status >= FIRST_SERVER_ERROR else RateEvent.SUCCESS


def next_rate(rate: float, max_rate: float, event: RateEvent, latency_ratio: float = 1.0) -> float:
    """The rate (requests a second; 0 is unlimited) after one more request.

    It grows by 0.02, or by a tenth if that is less, on a success whose latency is at most 1.5 times the usual
    (``latency_ratio``), up to ``max_rate`` (0: no ceiling). It halves on 429, on any 5xx and on timeouts, down to one
    request a minute. Other errors change nothing: they come back faster than pages and would speed us up.

    An unlimited origin stays so until 429, 503 or a timeout: from then on 10 a second, growing again. A plain 500 is
    one broken page and does not limit it. Without a ceiling, 1,000 a second is unlimited again.
    """
    if rate == UNLIMITED_RATE:
        return _capped(LIMITED_RATE, max_rate) if event is RateEvent.OVERLOAD else UNLIMITED_RATE
    if event in {RateEvent.OVERLOAD, RateEvent.SERVER_ERROR}:
        return max(rate / 2, FLOOR_RATE)
    if event is RateEvent.ERROR or latency_ratio > STEADY_LATENCY_RATIO:
        return rate
    raised = _capped(rate + min(STEP, rate * STEP_SHARE), max_rate)
    return UNLIMITED_RATE if raised >= UNLIMITED_AGAIN and not max_rate else raised


def _capped(rate: float, max_rate: float) -> float:
    return min(rate, max_rate) if max_rate else rate


def interval_seconds(rate: float, crawl_delay: float | None = None) -> float:
    """The time between two requests: what the rate says, or the origin's own crawl delay where that is longer."""
    return max(1 / rate if rate else 0.0, crawl_delay or 0.0)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """How long a ``Retry-After`` asks us to wait, as seconds or as a date; ``None`` when it says nothing readable.

    Clamped to a day: negative and past values mean now, absurd ones a day.
    """
    text = (value or "").strip()
    match = _SECONDS.fullmatch(text)
    if match:
        sign, digits = match.groups()
        seconds = RETRY_AFTER_MAX_SECONDS if len(digits.lstrip("0")) >= _ABSURD_DIGITS else float(digits)
        return 0.0 if sign == "-" else min(seconds, RETRY_AFTER_MAX_SECONDS)
    date = _http_date(text)
    return None if date is None else min(max((date - now).total_seconds(), 0.0), RETRY_AFTER_MAX_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
        # "-0000" and no zone at all mean UTC here: HTTP knows no other.
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def backoff_seconds(level: int, jitter: float) -> float:
    """How long an origin rests that asked for it ``level`` times in a row (from 0): 5 s, doubling to an hour.

    ``jitter`` in 0..1 takes up to half of it off, so that origins that failed together do not return together.
    """
    return _jittered(BACKOFF_FIRST_SECONDS * 2.0 ** _exponent(level), BACKOFF_MAX_SECONDS, jitter)


def retry_delay(attempt: int, jitter: float) -> float:
    """How long a page waits after its failed attempt number ``attempt`` (from 1): 2 s, 8 s, 32 s, at most 5 minutes."""
    return _jittered(RETRY_FIRST_SECONDS * RETRY_FACTOR ** _exponent(attempt - 1), RETRY_MAX_SECONDS, jitter)


def _exponent(step: int) -> int:
    return min(max(step, 0), _MAX_EXPONENT)


def _jittered(seconds: float, most: float, jitter: float) -> float:
    return min(seconds, most) * (1 - jitter / 2)


def rest_seconds(retry_after: str | None, level: int, jitter: float, now: datetime) -> float:
    """How long a whole origin stops after 429 or 503: the longer of its ``Retry-After`` and our back-off."""
    return max(retry_after_seconds(retry_after, now) or 0.0, backoff_seconds(level, jitter))
