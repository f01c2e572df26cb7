# ruff: noqa: RUF001  # the angle quotation marks are how escaped bytes are shown
"""Made-up header blocks that look enough like real ones to reach every branch."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from headersweep import volatile

BOUNDED = settings(max_examples=75, derandomize=True, deadline=None, database=None)

_KNOWN = [
    *(name.replace("*", "x-some-") for rule in volatile.VOLATILE for name in rule.names),
    "strict-transport-security",
    "x-pod-hash",
    "!",
]
_PIECES = [
    raw for rule in volatile.VOLATILE for example in rule.examples for raw in example
] + [
    "a=b", "; Path=/", "; Expires=Sun, 22 Nov 2026 11:00:00 GMT", ", b=secret", "; secure", "; odd", "'nonce-", "'nonce-x'",
    "'nonce-<nonce>'", "<varies>", "<path>", "<cookie>", "<masked>", ">; rel=next", "<", "?s=1&t=2", "//h", "http:", "=", ";",
    ",", " ", "\t", '"', "nonce=", "max=5", "0", "\xe9", "\x7f", "\x01", "‹01›", "filename=", "boundary=",
]  # fmt: skip

names = st.sampled_from(_KNOWN).flatmap(lambda name: st.sampled_from([name, name.upper(), name.title()]))
values = st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)
pairs = st.lists(st.tuples(names, values), max_size=8)

_LINES = st.one_of(
    st.tuples(names, values).map(lambda pair: f"{pair[0]}: {pair[1]}".encode("latin-1", "replace")),
    st.sampled_from([
        b"Set-Cookie: a=b; Path=/", b"set-cookie : a=b; c=d", b"Set-Cookie: a=b\0c; Path=/", b"X: y\rSet-Cookie: a=b",
        b"Set-Cookie: a=b\r c; d=e", b"Set-Cookie a=b", b" folded=1; x=y", b"\tfolded, b=c", b"no header", b": x", b"", b"\r",
        b"Authorization: Basic eA==", b"x-api-key : k", b"Set-Cookie:", b"Set-Cookie: =v; ; ,x=y", b"a b: c", b"\0: \0",
    ]),
    st.binary(max_size=12),
)  # fmt: skip
blocks = st.lists(st.tuples(_LINES, st.sampled_from([b"\r\n", b"\n", b"\r\r\n"])), max_size=10).map(
    lambda lines: b"".join(line + end for line, end in lines)
)
