"""Whatever a server sends, cookies, caching, origins, leaks and secrets are judged without an error."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from review import caching, cookies, judge, tokens
from review import received as reading

NAMES = st.sampled_from(
    [
        "set-cookie",
        "cache-control",
        "cdn-cache-control",
        "expires",
        "date",
        "vary",
        "pragma",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-expose-headers",
        "content-type",
        "content-length",
        "location",
        "server",
        "x-powered-by",
        "x-service-token",
        "authorization",
        "x-a",
    ]
)
PIECES = st.sampled_from(
    [
        *'=;, \t"\\:/@.-<>\x00\x7f\xff\u2039',
        "__Host-",
        "sid",
        "Path=/",
        "Domain=co.uk",
        "Max-Age=-1",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "SameSite",
        "Secure",
        "max-age=60",
        "private",
        "*",
        "null",
        "https://",
        "eyJhbGciOi",
        "10.0.0.1",
        "fd00:",
        "a.internal",
        "Basic ",
        "9" * 30,
        "<masked>",
    ]
)
VALUES = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=60))
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


@given(
    PAIRS,
    st.integers(100, 999),
    st.sampled_from(["http", "https"]),
    st.sampled_from(["", "a.example", "[::1]"]),
)
def test_any_lines_have_a_judgement(
    pairs: list[tuple[str, str]], status: int, scheme: str, host: str
) -> None:
    received = reading.received(pairs, status=status, scheme=scheme, host=host, malformed=["x y"])
    assert judge.judge(received) == judge.judge(received)
    judge.effective(received)
    assert caching.storable_by_shared_cache(received) in {True, False}


@given(st.text("abcXYZ0189_-", min_size=1, max_size=40), st.lists(PIECES, max_size=6).map("; ".join))
def test_a_cookie_s_value_is_never_shown(value: str, attributes: str) -> None:
    secret = f"q{value}q"
    assert secret not in cookies.cookie(f"n={secret}; {attributes}").evidence.partition(";")[0]


@given(VALUES)
def test_masking_twice_is_masking_once(value: str) -> None:
    once = tokens.masked(value)
    assert tokens.masked(once) == once
