from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import politeness
from headersweep.politeness import FLOOR_RATE, RateEvent
from headersweep.states import FailureReason

NOW = datetime(2026, 5, 12, 10, tzinfo=UTC)
DAY = 86_400


@pytest.mark.parametrize(
    ("status", "error", "event"),
    [
        (200, None, RateEvent.SUCCESS),
        (301, None, RateEvent.SUCCESS),
        (404, None, RateEvent.SUCCESS),
        (428, None, RateEvent.SUCCESS),
        (429, None, RateEvent.OVERLOAD),
        (430, None, RateEvent.SUCCESS),
        (499, None, RateEvent.SUCCESS),
        (500, None, RateEvent.SERVER_ERROR),
        (502, None, RateEvent.SERVER_ERROR),
        (503, None, RateEvent.OVERLOAD),
        (None, FailureReason.TIMEOUT, RateEvent.OVERLOAD),
        (None, FailureReason.CONNECT_TIMEOUT, RateEvent.OVERLOAD),
        (200, FailureReason.TIMEOUT, RateEvent.OVERLOAD),
        (None, FailureReason.REFUSED, RateEvent.ERROR),
        (None, FailureReason.DNS, RateEvent.ERROR),
        (200, FailureReason.RESET, RateEvent.ERROR),
        (None, None, RateEvent.ERROR),
    ],
)
def test_a_fetch_says_how_loaded_its_origin_is(
    status: int | None, error: FailureReason | None, event: RateEvent
) -> None:
    assert politeness.event_of(status, error) is event


@pytest.mark.parametrize(
    ("rate", "max_rate", "event", "ratio", "expected"),
    [
        (1.0, 10.0, RateEvent.SUCCESS, 1.0, 1.02),
        (1.0, 10.0, RateEvent.SUCCESS, 1.5, 1.02),
        (1.0, 10.0, RateEvent.SUCCESS, 1.51, 1.0),
        (0.1, 10.0, RateEvent.SUCCESS, 1.0, 0.11),
        (9.99, 10.0, RateEvent.SUCCESS, 1.0, 10.0),
        (10.0, 10.0, RateEvent.SUCCESS, 1.0, 10.0),
        (10.0, 0.0, RateEvent.SUCCESS, 1.0, 10.02),
        (20.0, 10.0, RateEvent.SUCCESS, 1.0, 10.0),
        (1.0, 10.0, RateEvent.ERROR, 1.0, 1.0),
        (1.0, 10.0, RateEvent.SERVER_ERROR, 1.0, 0.5),
        (1.0, 10.0, RateEvent.OVERLOAD, 1.0, 0.5),
        (FLOOR_RATE * 1.5, 10.0, RateEvent.OVERLOAD, 1.0, FLOOR_RATE),
        (FLOOR_RATE, 10.0, RateEvent.OVERLOAD, 1.0, FLOOR_RATE),
        # Unlimited
        (0.0, 10.0, RateEvent.SUCCESS, 9.0, 0.0),
        (0.0, 10.0, RateEvent.ERROR, 1.0, 0.0),
        (0.0, 10.0, RateEvent.SERVER_ERROR, 1.0, 0.0),
        (0.0, 0.0, RateEvent.OVERLOAD, 1.0, 10.0),
        (0.0, 5.0, RateEvent.OVERLOAD, 1.0, 5.0),
        (0.0, 50.0, RateEvent.OVERLOAD, 1.0, 10.0),
        (999.97, 0.0, RateEvent.SUCCESS, 1.0, 999.99),
        (999.99, 0.0, RateEvent.SUCCESS, 1.0, 0.0),
        (999.99, 2000.0, RateEvent.SUCCESS, 1.0, 1000.01),
    ],
)
def test_the_rate_grows_by_a_little_and_falls_by_half(
    rate: float, max_rate: float, event: RateEvent, ratio: float, expected: float
) -> None:
    assert politeness.next_rate(rate, max_rate, event, ratio) == pytest.approx(expected)


RATES = st.just(0.0) | st.floats(FLOOR_RATE, 5000)


@settings(deadline=None)
@given(RATES, RATES, st.sampled_from(RateEvent), st.floats(0, 100))
def test_only_a_success_raises_the_rate(rate: float, max_rate: float, event: RateEvent, ratio: float) -> None:
    new = politeness.next_rate(rate, max_rate, event, ratio)
    assert new == 0 or new >= min(FLOOR_RATE, max_rate or FLOOR_RATE)
    if event is not RateEvent.SUCCESS:
        assert politeness.interval_seconds(new) >= politeness.interval_seconds(rate)


def test_an_origin_that_always_errs_ends_at_one_request_a_minute() -> None:
    rate = 0.0
    for _ in range(100):
        rate = politeness.next_rate(rate, 10, RateEvent.OVERLOAD)
    assert politeness.interval_seconds(rate) == pytest.approx(60)


@pytest.mark.parametrize(
    ("rate", "crawl_delay", "seconds"),
    [(1, None, 1), (10, None, 0.1), (0, None, 0), (0, 5, 5), (10, 5, 5), (0.1, 5, 10), (1, 0, 1)],
)
def test_the_longer_of_rate_and_crawl_delay_counts(
    rate: float, crawl_delay: float | None, seconds: float
) -> None:
    assert politeness.interval_seconds(rate, crawl_delay) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("+5", 5),
        ("1.9", 1),
        ("-1", 0),
        ("-99999999", 0),
        ("86400", DAY),
        ("86401", DAY),
        ("0000000007", 7),
        ("9" * 6000, DAY),
        ("Tue, 12 May 2026 10:01:00 GMT", 60),
        ("Tue, 12 May 2026 12:01:00 +0200", 60),
        ("Tue, 12 May 2026 10:01:00 -0000", 60),
        ("Tuesday, 12-May-26 10:01:00 GMT", 60),
        ("Tue, 12 May 2026 09:59:59 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 13 May 2026 10:00:01 GMT", DAY),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        (None, None),
        ("", None),
        ("soon", None),
        ("1e9", None),
        ("nan", None),
        ("٣", None),
        ("Tue, 45 May 2026 10:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value: str | None, seconds: float | None) -> None:
    assert politeness.retry_after_seconds(value, NOW) == seconds


DATES = st.builds(
    "{} {} {} {}:{} {}".format,
    *[st.integers(-1, 99) | st.sampled_from(["May", "2026", "GMT", "+9999", ""])] * 6,
)


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[-+]?[0-9]{1,20}(\.[0-9]*)?") | DATES)
def test_reading_retry_after_never_raises_and_stays_within_a_day(value: str) -> None:
    seconds = politeness.retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds <= DAY


@pytest.mark.parametrize(
    ("level", "jitter", "seconds"),
    [
        (0, 0, 5),
        (0, 1, 2.5),
        (1, 0, 10),
        (9, 0, 2560),
        (10, 0, 3600),
        (10**9, 0, 3600),
        (10, 1, 1800),
        (-1, 0, 5),
    ],
)
def test_an_origin_rests_longer_every_time(level: int, jitter: float, seconds: float) -> None:
    assert politeness.backoff_seconds(level, jitter) == seconds


@pytest.mark.parametrize(
    ("attempt", "jitter", "seconds"),
    [(1, 0, 2), (1, 1, 1), (2, 0, 8), (3, 0, 32), (4, 0, 128), (5, 0, 300), (10**9, 1, 150), (0, 0, 2)],
)
def test_a_page_waits_longer_every_time(attempt: int, jitter: float, seconds: float) -> None:
    assert politeness.retry_delay(attempt, jitter) == seconds


def test_the_longer_of_retry_after_and_back_off_counts() -> None:
    assert politeness.rest_seconds("120", 0, 0, NOW) == 120
    assert politeness.rest_seconds("1", 3, 0, NOW) == 40
    assert politeness.rest_seconds(None, 0, 0, NOW) == 5
    assert politeness.rest_seconds("-5", 0, 0, NOW) == 5
