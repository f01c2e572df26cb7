"""Names of directives: which browsers know, which they knew, and what kind of value each takes."""

from __future__ import annotations

from review.csp import effective

SOURCE_LISTS = frozenset(
    {*effective.FALLBACKS, "default-src", "child-src", "base-uri", "form-action", "frame-ancestors"}
)
"""Directives whose value is a source list (of frame-ancestors: without keywords for code)."""

FETCH = frozenset({*effective.FALLBACKS, "default-src", "child-src"})

KNOWN = SOURCE_LISTS | {
    "sandbox",
    "report-uri",
    "report-to",
    "require-trusted-types-for",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
}

DEPRECATED = {
    "block-all-mixed-content": "browsers block or upgrade mixed content without it",
    "plugin-types": "browsers run no plugins any more; object-src 'none' says it",
    "prefetch-src": "it was taken out of the standard; default-src governs prefetches",
    "navigate-to": "it was taken out of the standard, and no browser has it",
    "referrer": "the Referrer-Policy header took its place",
    "reflected-xss": "it was taken out of the standard, as were the filters that it steered",
    "require-sri-for": "it was taken out of the standard; the Integrity-Policy header took its place",
    "disown-opener": "the Cross-Origin-Opener-Policy header took its place",
    "policy-uri": "only Firefox had it, long ago",
    "allow": "only Firefox had it, long ago; it is called default-src",
    "options": "only Firefox had it, long ago; 'unsafe-inline' and 'unsafe-eval' took its place",
    "xhr-src": "only Firefox had it, long ago; it is called connect-src",
}
"""Directives that browsers ignore today, and why."""


def is_lost_directive(token: str) -> bool:
    """Whether a token in a source list is a directive's name: a semicolon before it is missing."""
    name = token.lower().rstrip(":")
    return "-" in name and (name in KNOWN or name in DEPRECATED)
