"""Readers that were made quick, against the slow ones that say plainly what is meant."""

from __future__ import annotations

import difflib
import re

from hypothesis import given
from hypothesis import strategies as st

from headersweep import masking
from review import cookies, features, hsts, lists, readers, sessions, spelling, tokens
from review import received as reading
from review.checks import mixed_content, referrer_policy
from review.csp import parse

WORDS = ("Origin", "unsafe-url", "no-referrer", "upgrade-insecure-requests", "Upgrade-Insecure-Requests")
pieces = st.lists(
    st.sampled_from(['"', "\\", ",", ";", " ", "\t", "\n", "\x0b", "\xa0", "a", '"a,b"', '\\"', *WORDS]),
    max_size=14,
).map("".join)


def split_slowly(value: str) -> list[str]:
    """Fetch, "get, decode, and split", character by character."""
    values, piece, quoted, escaped = [], "", False, False
    for character in value:
        if character == "," and not quoted:
            values.append(piece)
            piece = ""
            continue
        piece += character
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        else:
            quoted = character == '"'
    return [each.strip(" \t") for each in [*values, piece]]


@given(pieces | st.text(max_size=20))
def test_lists_are_split_as_the_standard_says(value: str) -> None:
    assert readers.decoded_and_split(value) == split_slowly(value)
    assert readers.first(value) == split_slowly(value)[0]


@given(pieces)
def test_the_filled_parts_are_those_with_content(value: str) -> None:
    expected = [part for part in value.split(",") if part.strip(" ;")]
    assert list(lists.filled(value, ",", re.compile("[^,; ]"))) == expected


@given(st.lists(pieces, max_size=2))
def test_requests_are_upgraded_where_a_directive_has_that_name(lines: list[str]) -> None:
    received = reading.received([("Content-Security-Policy", line) for line in lines])
    values = received.values("content-security-policy")
    words = [text.split() for line in values for policy in line.split(",") for text in policy.split(";")]
    expected = any(each and each[0].lower() == "upgrade-insecure-requests" for each in words)
    assert mixed_content._upgrades(received) is expected


@given(pieces)
def test_the_last_word_that_is_a_policy_counts(value: str) -> None:
    received = reading.received([("Referrer-Policy", value)])
    combined = received.combined("referrer-policy") or ""
    words = [word.strip(" \t").lower() for word in combined.split(",")]
    known = [word for word in words if word in referrer_policy.POLICIES]
    assert referrer_policy.effective(received) == (known[-1] if known else None)


@given(st.sampled_from(sorted(features.KNOWN)), st.text("abcehimort-", max_size=4), st.integers(0, 12))
def test_the_closest_name_is_the_closest_of_all(name: str, added: str, at: int) -> None:
    typed = name[:at] + added + name[at + 1 :]
    close = difflib.get_close_matches(typed, sorted(features.KNOWN), n=1, cutoff=spelling.CLOSE_ENOUGH)
    assert spelling.suggestion(typed, features.KNOWN) == (close[0] if close else "")


cookie_lines = st.lists(
    st.sampled_from(
        ["a=b", "=", ";", " ", "\t", "Path=/", "Secure", "c=d,e=f", "\x00", "\r", "\n", "\xe9", "long word"]
    ),
    max_size=8,
).map("".join)


@given(cookie_lines)
def test_a_cookie_is_masked_like_the_block_that_it_stands_in(line: str) -> None:
    block = f"Set-Cookie: {line}".encode("latin-1", "replace")
    assert cookies.shown(line) == masking.mask(block).decode("latin-1")


@given(pieces | st.text("abegh-_ :/AKIABearer.", max_size=30))
def test_a_text_that_may_hold_no_secret_holds_none(text: str) -> None:
    assert tokens.may_hold(text) or tokens.masked(text) == text
    assert tokens.may_hold(text) is any(pattern.marker in text for pattern in tokens.PATTERNS)


@given(
    st.sampled_from(
        sessions.SESSIONS + tuple((name, "") for name in ("a", "auth", "author", "x.sid", "xsrf"))
    )
)
def test_no_name_of_a_session_is_passed_over(named: tuple[str, str]) -> None:
    name, product = named
    assert (sessions.likeness(name) is sessions.Likeness.KNOWN) is bool(product)


directives = st.lists(
    st.sampled_from([";", "a b", "A", "img-src *", " ", "\t", "\x01", "b"]), max_size=10
).map("".join)


@given(directives)
def test_directives_of_a_policy_are_those_between_semicolons(text: str) -> None:
    """CSP3, "parse a serialized CSP", as it is written."""
    expected: dict[str, tuple[str, ...]] = {}
    repeated = []
    for token in (part.strip("\t\n\f\r ") for part in text.split(";")):
        if not token or "\x01" in token:
            continue
        name, *value = token.split()
        if name.lower() in expected:
            repeated.append(name.lower())
        expected.setdefault(name.lower(), tuple(value))
    found = parse.header([text])
    assert [dict(policy.directives) for policy in found] == ([expected] if expected else [])
    assert [set(policy.repeated) for policy in found] == ([set(repeated)] if expected else [])


@given(pieces)
def test_a_semicolon_in_quotes_does_not_end_a_directive(value: str) -> None:
    turned = value.translate(str.maketrans(",;", ";,"))
    expected = [piece.translate(str.maketrans(",;", ";,")) for piece in split_slowly(value)]
    assert hsts._pieces(turned) == [piece for piece in expected if piece]
