"""Content-Security-Policy: cases of what a policy forgot."""

from __future__ import annotations

import pytest

from review.checks import csp_gaps as check
from tests.unit.review._cases import HTML, JSON, Case, verify

OBJECT, BASE, TYPES = "csp.missing_object_src", "csp.missing_base_uri", "csp.trusted_types_missing"
NONCE = "'nonce-4AEemGb0xJptoIGFP3NdQA'"
HASH = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
TYPED = "; require-trusted-types-for 'script'"


def line(value: str, rest: str = TYPED) -> str:
    return f"Content-Security-Policy: {value}{rest}"


CASES = (
    Case("no policy", (HTML,)),
    Case("no word about scripts", (HTML, line("img-src 'self'", ""))),
    Case("report-only", (HTML, "Content-Security-Policy-Report-Only: script-src 'self'")),
    Case("an answer of an API", (JSON, line("script-src 'self'", ""))),
    Case("no object-src", (HTML, line("script-src 'self'")), {OBJECT}),
    Case("object-src by fallback", (HTML, line("default-src 'self'"))),
    Case(
        "no base-uri with a nonce",
        (HTML, line(f"default-src {NONCE}")),
        {BASE},
    ),
    Case(
        "a wide base-uri with a nonce",
        (HTML, line(f"default-src {NONCE}; base-uri *")),
        {BASE},
    ),
    Case(
        "own base-uri with a nonce",
        (HTML, line(f"default-src {NONCE}; base-uri 'self'")),
    ),
    Case(
        "no base-uri with hosts",
        (HTML, line("default-src 'self'")),
        source="the foreign file would come from a host that is not in the list",
    ),
    Case("no base-uri with a hash", (HTML, line(f"default-src {HASH}"))),
    Case(
        "no base-uri with a hash and strict-dynamic",
        (HTML, line(f"default-src {HASH} 'strict-dynamic'")),
        {BASE},
    ),
    Case(
        "no base-uri with a nonce and a list of hosts",
        (
            HTML,
            line(f"default-src {NONCE}"),
            line("default-src 'self'", ""),
        ),
    ),
    Case("no trusted types", (HTML, line("default-src 'self'", "")), {TYPES}),
    Case("no trusted types, nor scripts", (HTML, line("default-src 'none'", ""))),
    Case("no trusted types, but inline scripts", (HTML, line("default-src 'unsafe-inline'", ""))),
    Case("trusted types in another policy", (HTML, line("default-src 'self'", ""), line("img-src 'self'"))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_csp_gaps(case: Case) -> None:
    verify(check, case)
