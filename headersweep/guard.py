"""The cardinality guard: notices a header that nobody foresaw and that differs on nearly every response.

Without it one ``X-Served-By-Pod`` makes a snapshot per page. Both limits only ever grow with more responses, whatever
their order and however they are spread over workers. So what one worker masks early, the final decision over the
whole run masks as well, and digests do not depend on who fetched what when. That holds as long as only committed
visits are counted: a page that is fetched again after a crash must not count twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from operator import itemgetter

DISTINCT_LIMIT = 50
"""A header with more distinct values than this is masked ..."""
RESPONSES_LIMIT = 60
"""... once it was seen in this many responses."""
COUNTED_LIMIT = 1000
"""Distinct values are counted no further: by then the decision has long fallen."""

EXEMPT = frozenset(
    {
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-max-age",
        "cache-control",
        "cdn-cache-control",
        "clear-site-data",
        "content-encoding",
        "content-security-policy",
        "content-security-policy-report-only",
        "content-type",
        "cross-origin-embedder-policy",
        "cross-origin-embedder-policy-report-only",
        "cross-origin-opener-policy",
        "cross-origin-opener-policy-report-only",
        "cross-origin-resource-policy",
        "document-policy",
        "document-policy-report-only",
        "expect-ct",
        "expires",
        "feature-policy",
        "integrity-policy",
        "integrity-policy-report-only",
        "location",
        "nel",
        "origin-agent-cluster",
        "p3p",
        "permissions-policy",
        "permissions-policy-report-only",
        "pragma",
        "public-key-pins",
        "public-key-pins-report-only",
        "referrer-policy",
        "report-to",
        "reporting-endpoints",
        "server",
        "set-cookie",
        "strict-transport-security",
        "surrogate-control",
        "timing-allow-origin",
        "vary",
        "x-aspnet-version",
        "x-aspnetmvc-version",
        "x-content-type-options",
        "x-download-options",
        "x-frame-options",
        "x-permitted-cross-domain-policies",
        "x-powered-by",
        "x-xss-protection",
    }
)
"""Headers that the review judges by their values: these are never masked."""


class ValueCounter:
    """Counts the distinct values of each header over the responses of one site. Memory is bounded."""

    def __init__(self) -> None:
        self._values: dict[str, set[int]] = {}
        self._responses: dict[str, int] = {}

    def seen(self, canonical_pairs: Iterable[tuple[str, str]], times: int = 1) -> None:
        """Count ``times`` responses with these pairs (``headers.value_lines``); equal names stand together."""
        for name, group in itertools.groupby(canonical_pairs, key=itemgetter(0)):
            if name not in EXEMPT:
                self._count(name, hash(tuple(value for _, value in group)), times)

    def _count(self, name: str, value: int, times: int) -> None:
        self._responses[name] = self._responses.get(name, 0) + times
        values = self._values.setdefault(name, set())
        if len(values) < COUNTED_LIMIT:
            values.add(value)

    def masks(self) -> dict[str, tuple[int, int]]:
        """Names over both limits, with how many distinct values and responses were seen."""
        return {
            name: (len(values), self._responses[name])
            for name, values in self._values.items()
            if len(values) > DISTINCT_LIMIT and self._responses[name] >= RESPONSES_LIMIT
        }
