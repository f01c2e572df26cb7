# ruff: noqa: RUF001  # the angle quotation marks are how escaped bytes are shown
from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep import headers, masking
from tests.unit.strategies import BOUNDED, blocks, pairs

Pairs = list[tuple[str, str]]
ROOT = Path(__file__).resolve().parents[2]


def canonical(raw: bytes, masked: frozenset[str] = frozenset()) -> str:
    return headers.normalised(headers.parse_block(raw), masked)


# --- reading a block


def test_pairs_come_as_received_in_order_with_their_case() -> None:
    parsed = headers.parse_block(b"X-B: 2\r\nx-a:1\r\nX-b:  3 \t\r\n\r\n")

    assert parsed.pairs == (("X-B", "2"), ("x-a", "1"), ("X-b", "3"))
    assert parsed.malformed == ()


@pytest.mark.parametrize(
    ("raw", "pairs_read", "malformed"),
    [
        (b"A: 1\nB: 2\n", [("A", "1"), ("B", "2")], []),
        (b"A: 1", [("A", "1")], []),
        (b"A:", [("A", "")], []),
        (b"A: b:c", [("A", "b:c")], []),
        (b"A: \xe9\r\n", [("A", "é")], []),
        (b"A: 1\r\n 2\r\n\t3\r\nB: 4\r\n", [("A", "1 2 3"), ("B", "4")], []),
        (b"A:\r\n 2\r\n", [("A", "2")], []),
        (b"A: 1\r\n \r\n", [("A", "1")], []),
        (b" lead: 1\r\nA: 1\r\n", [("A", "1")], [" lead: 1"]),
        (b"no colon\r\nA: 1\r\n", [("A", "1")], ["no colon"]),
        (b"A : 1\r\n", [], ["A : 1"]),
        (b": 1\r\n", [], [": 1"]),
        (b"A b: 1\r\n", [], ["A b: 1"]),
        (b"\xc3\x84: 1\r\n", [], ["‹c3›‹84›: 1"]),
        (b"A: 1\x002\r\n", [], ["A: 1‹00›2"]),
        (b"A: 1\r2\r\n", [], ["A: 1‹0d›2"]),
        (b"bad\r\n more\r\n", [], ["bad more"]),
        (b"", [], []),
        (b"\r\n\r\n", [], []),
    ],
)
def test_a_block_is_read_strictly_and_nothing_of_it_is_dropped(
    raw: bytes, pairs_read: Pairs, malformed: list[str]
) -> None:
    parsed = headers.parse_block(raw)

    assert list(parsed.pairs) == pairs_read
    assert list(parsed.malformed) == malformed


@BOUNDED
@given(st.one_of(st.binary(), blocks))
def test_any_bytes_have_a_canonical_text_that_postgres_can_keep(raw: bytes) -> None:
    text = canonical(raw)

    assert text.startswith("headers/1\n")
    assert text.endswith("\n")
    assert "\0" not in text
    assert len(headers.content_hash(text)) == 32
    assert all(" " <= letter <= "~" or letter in "\t\n‹›" for letter in text)


# --- the canonical text


def test_the_canonical_text_reads_like_headers() -> None:
    raw = (
        b"Set-Cookie: sid=1; Secure; HttpOnly\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
        b"Content-Type: text/html\r\nBroken\xff\r\n"
    )

    assert canonical(raw) == (
        "headers/1\n"
        "content-type: text/html\n"
        "date: <date>\n"
        "set-cookie: sid=<cookie>; httponly; secure\n"
        "! Broken‹ff›\n"
    )


@BOUNDED
@given(blocks)
def test_the_canonical_text_is_a_fixed_point(raw: bytes) -> None:
    text = canonical(raw)

    assert headers.normalised(headers.read_text(text)) == text


@BOUNDED
@given(pairs)
def test_the_canonical_text_of_pairs_is_a_fixed_point(some: Pairs) -> None:
    text = headers.canonical_text(some)

    assert headers.normalised(headers.read_text(text)) == text


@BOUNDED
@given(pairs)
def test_the_case_of_names_never_matters(some: Pairs) -> None:
    upper = [(name.upper(), value) for name, value in some]

    assert headers.canonical_text(upper) == headers.canonical_text(some)


@BOUNDED
@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_different_names_never_matters(some: Pairs, chance: random.Random) -> None:
    names = sorted({name.lower() for name, _ in some})
    chance.shuffle(names)
    shuffled = [pair for name in names for pair in some if pair[0].lower() == name]

    assert headers.canonical_text(shuffled) == headers.canonical_text(some)


@BOUNDED
@given(pairs, st.text("abc", min_size=1), st.text("xyz", min_size=1))
def test_the_order_of_equal_names_always_matters(some: Pairs, first: str, second: str) -> None:
    one = [*some, ("X-Frame-Options", first), ("x-frame-options", second)]
    other = [*some, ("X-Frame-Options", second), ("x-frame-options", first)]

    assert headers.canonical_text(one) != headers.canonical_text(other)


@BOUNDED
@given(pairs, st.text("abc!", min_size=1))
def test_a_further_line_always_matters(some: Pairs, value: str) -> None:
    assert headers.canonical_text([*some, ("X-New", value)]) != headers.canonical_text(some)


def test_a_header_given_twice_is_not_the_same_as_once() -> None:
    assert canonical(b"X-Frame-Options: DENY\n") != canonical(
        b"X-Frame-Options: DENY\nX-Frame-Options: DENY\n"
    )


def test_a_malformed_line_is_not_the_same_as_the_header_it_resembles() -> None:
    assert canonical(b"A : 1\n") != canonical(b"A: 1\n")


def test_a_byte_is_not_the_same_as_the_text_of_its_escape() -> None:
    assert canonical(b"A: \x01\n") != canonical(rb"A: \x01" + b"\n")
    assert canonical(b"A: \x01\n") != canonical("A: ‹01›\n".encode())


# --- what makes no difference between two sweeps


FIRST = b"""Date: Sun, 22 Nov 2026 10:00:00 GMT\r
Content-Type: text/html; charset=utf-8\r
ETag: "5f3c"\r
Expires: Sun, 22 Nov 2026 11:00:00 GMT\r
Content-Security-Policy: script-src 'nonce-Zm9vYmFy'; base-uri 'none'\r
Set-Cookie: sid=31d4d96e; Path=/; HttpOnly; Expires=Mon, 23 Nov 2026 10:00:00 GMT\r
X-Request-Id: 5c2f\r
Age: 0\r
X-Cache: MISS\r
"""
SECOND = b"""date: Mon, 23 Nov 2026 12:00:01 GMT\r
x-cache: HIT\r
age: 17\r
x-request-id: 7777777\r
set-cookie: sid=aaaa; httponly; expires=Tue, 24 Nov 2026 12:00:01 GMT; path=/\r
content-security-policy: script-src 'nonce-cXV4'; base-uri 'none'\r
expires: Mon, 23 Nov 2026 13:00:01 GMT\r
etag: "9a9a"\r
content-type: text/html; charset=utf-8\r
"""


def test_two_answers_that_differ_in_volatile_values_have_the_same_hash() -> None:
    assert canonical(FIRST) == canonical(SECOND)
    assert headers.content_hash(canonical(FIRST)) == headers.content_hash(canonical(SECOND))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"'nonce-Zm9vYmFy'", b"'self'"),
        (b"base-uri 'none'", b"base-uri 'self'"),
        (b"HttpOnly", b"Secure"),
        (b"sid=", b"tid="),
        (b"utf-8", b"latin-1"),
        (b"X-Cache: MISS\r\n", b""),
        (b"Sun, 22 Nov 2026 11:00", b"Sun, 22 Nov 2026 09:00"),
        (b"Expires=Mon, 23 Nov 2026", b"Expires=Mon, 23 Nov 2020"),
    ],
)
def test_two_answers_that_differ_in_what_counts_have_different_hashes(old: bytes, new: bytes) -> None:
    assert old in FIRST
    assert canonical(FIRST.replace(old, new)) != canonical(FIRST)


def test_the_hash_is_the_sha256_of_the_text() -> None:
    assert headers.content_hash("headers/1\na: 1\n").hex() == (
        "ca257b01d66caef043192da3585398e1596046b8bde683b11f1256df031d68aa"
    )


# --- masking by the guard


@BOUNDED
@given(blocks, st.sets(st.sampled_from(["x-pod-hash", "etag", "set-cookie", "expires", "!", "date"])))
def test_masking_later_is_masking_from_the_start(raw: bytes, names: set[str]) -> None:
    masked = frozenset(names)
    parsed = headers.parse_block(raw)

    folded = headers.refold(headers.normalised(parsed), masked)

    assert folded == headers.normalised(parsed, masked)
    assert headers.refold(folded, masked) == folded
    assert headers.normalised(headers.read_text(folded)) == folded


def test_a_masked_header_counts_by_its_presence_only() -> None:
    masks = frozenset({"x-pod"})

    assert (
        canonical(b"X-Pod: a\nX-Pod: b\n", masks)
        == canonical(b"x-pod: c\n", masks)
        == "headers/1\nx-pod: <varies>\n"
    )
    assert canonical(b"", masks) == "headers/1\n"


def test_malformed_lines_that_vary_can_be_masked_too() -> None:
    assert canonical(b"request 17\nrequest 18\nA: 1\n", frozenset("!")) == "headers/1\na: 1\n! <varies>\n"


def test_the_guard_sees_names_values_and_malformed_lines() -> None:
    assert headers.value_lines(canonical(b"B: 2\nA: x: y\nodd\n")) == [
        ("a", "x: y"),
        ("b", "2"),
        ("!", "odd"),
    ]


# --- secrets


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"Set-Cookie: sid=secret\r\n", b"Set-Cookie: sid=<masked>\r\n"),
        (b"SET-COOKIE:sid=secret; Path=/ ;x\n", b"SET-COOKIE:sid=<masked>; Path=/ ;x\n"),
        (b"Set-Cookie: sid=sec=ret\r\n", b"Set-Cookie: sid=<masked>\r\n"),
        (b"Set-Cookie: sid=; Max-Age=0\r\n", b"Set-Cookie: sid=; Max-Age=0\r\n"),
        (b"Set-Cookie: secret\r\n", b"Set-Cookie: <masked>\r\n"),
        (
            b"Set-Cookie: a=secret\r\n secret; Path=/\r\nA: 1\r\n",
            b"Set-Cookie: a=<masked>; Path=/\r\nA: 1\r\n",
        ),
        (b"Set-Cookie:\r\n\ta=secret\r\n", b"Set-Cookie:\r\n\ta=<masked>\r\n"),
        (b"Set-Cookie : a=secret\r\n", b"Set-Cookie : a=<masked>\r\n"),
        (b"set_cookie: a=secret\r\n", b"set_cookie: a=<masked>\r\n"),
        (b"Set-Cookie a=secret\r\n", b"Set-Cookie a=<masked>\r\n"),
        (b" Set-Cookie: a=secret\r\n", b" Set-Cookie: a=<masked>\r\n"),
        (b"Set-Cookie: a=sec\0ret\r\n", b"Set-Cookie: a=<masked>\0\r\n"),
        (b"X: y\rSet-Cookie: a=secret\r\n", b"X: y\rSet-Cookie: a=<masked>\r\n"),
        (
            b"Set-Cookie: a=secret; Path=/, b=secret; Secure\r\n",
            b"Set-Cookie: a=<masked>; Path=/, b=<masked>; Secure\r\n",
        ),
        (b"Set-Cookie: a=secret; b=secret\r\n", b"Set-Cookie: a=<masked>; b=<masked>\r\n"),
        (b'Set-Cookie: a="x;secret1"; Path=/\r\n', b"Set-Cookie: a=<masked>;<masked>; Path=/\r\n"),
        (b"Set-Cookie: a=secret; Secur\r\n", b"Set-Cookie: a=<masked>; Secur\r\n"),
        (
            b"Set-Cookie: a=secret; Expires=Thu, 01 Jan 2026 00:00:00 GMT\r\n",
            b"Set-Cookie: a=<masked>; Expires=Thu, 01 Jan 2026 00:00:00 GMT\r\n",
        ),
        (b"Set-Cookie: a=secret\r\r\n secret; Path=/\r\n", b"Set-Cookie: a=<masked>; Path=/\r\n"),
        (b"Set-Cookie2: a=secret\r\n", b"Set-Cookie2: a=<masked>\r\n"),
        (b"Authorization: Bearer secret\r\n", b"Authorization: <masked>\r\n"),
        (b"X-API-Key:secret\r\n", b"X-API-Key:<masked>\r\n"),
        (b"X-Auth-Token : secret\r\n", b"X-Auth-Token : <masked>\r\n"),
        (b"Authentication-Info: nextnonce=secret\r\n", b"Authentication-Info: <masked>\r\n"),
        (b"X-Set-Cookie: a=b\r\nCookie-Policy: c=d\r\n", b"X-Set-Cookie: a=b\r\nCookie-Policy: c=d\r\n"),
        (b"Set-Cookie-Note: a=b\r\n", b"Set-Cookie-Note: a=b\r\n"),
        (b"Vary: Cookie\r\n\xff\xfe\r\n", b"Vary: Cookie\r\n\xff\xfe\r\n"),
    ],
)
def test_secret_values_are_cut_out_and_the_rest_stays_byte_for_byte(raw: bytes, kept: bytes) -> None:
    assert headers.mask_cookies(raw) == kept


@BOUNDED
@given(st.one_of(blocks, st.binary()))
def test_masking_secrets_twice_changes_nothing_more(raw: bytes) -> None:
    once = headers.mask_cookies(raw)

    assert headers.mask_cookies(once) == once


@BOUNDED
@given(blocks)
def test_the_kept_block_has_the_canonical_text_of_the_received_one(raw: bytes) -> None:
    assert canonical(headers.mask_cookies(raw)) == canonical(raw)


@pytest.mark.parametrize("name", [*masking.SECRET_NAMES, "set-cookie"])
@pytest.mark.parametrize("colon", [b": ", b" : ", b" ", b":\r\n "])
def test_no_secret_reaches_the_canonical_text_nor_the_kept_block(name: str, colon: bytes) -> None:
    raw = name.encode() + colon + b"k=hunter2; x=hunter2\r\n"
    parsed = headers.parse_block(raw)

    assert "hunter2" not in headers.normalised(parsed)
    assert not any("hunter2" in line for line in parsed.malformed)
    assert b"hunter2" not in headers.mask_cookies(raw)


# --- nonces


def test_equal_nonces_have_equal_digests_and_different_ones_do_not() -> None:
    def digest(value: str) -> bytes | None:
        return headers.nonce_digest([("A", "1"), ("Content-Security-Policy", value)])

    assert digest("script-src 'nonce-abc'") == digest(
        "default-src 'none'; style-src 'NONCE-abc' 'nonce-other'"
    )
    assert digest("script-src 'nonce-abc'") != digest("script-src 'nonce-abd'")
    assert len(digest("script-src 'nonce-abc'") or b"") == 8


@pytest.mark.parametrize(
    "some",
    [
        [],
        [("Content-Security-Policy", "script-src 'self'")],
        [("Content-Security-Policy", "script-src 'nonce-<nonce>'")],
        [("X-Other", "'nonce-abc'")],
    ],
)
def test_there_is_no_nonce_digest_without_a_nonce(some: Pairs) -> None:
    assert headers.nonce_digest(some) is None


# --- time


@pytest.mark.parametrize(
    "block",
    [
        b"a\n" * 65_536,
        b"a: b\n" + b" c\n" * 43_000,
        b"a: " + b" " * 131_000,
        b"\r" * 131_000,
        b"set-cookie: " + b"\r" * 131_000 + b"x",
        b"set-cookie: " + b"\r" * 131_000 + b"\nx",
        b"set-cookie\n" * 12_000,
        b"set-cookie: " + b";" * 131_000,
        b"set-cookie: a=b;path=" + b"," * 131_000,
        b"report-to: " + b"?" * 131_000,
        b"link: " + b"<" * 131_000,
        b"link: <" + b"<path>" * 21_000,
        b"content-security-policy: " + b"'nonce-" * 18_000,
        b'content-disposition: filename="' + b'\\"' * 65_000,
        b"www-authenticate: " + b'nonce="' * 18_000,
        b"expires: " + b"1 jan " * 21_000,
    ],
    ids=lambda block: repr(block[:24]),
)
def test_a_hostile_block_of_128_kib_takes_no_more_than_linear_time(block: bytes) -> None:
    started = time.process_time()

    headers.content_hash(canonical(headers.mask_cookies(block)))

    assert time.process_time() - started < 1.0
