"""Response classes: cases on both sides of each boundary."""

from __future__ import annotations

import pytest

from headersweep import responses
from headersweep.responses import ResponseClass as Kind

CASES = [
    (200, [("Content-Type", "text/html; charset=utf-8")], Kind.DOCUMENT),
    (200, [("content-type", "TEXT/HTML")], Kind.DOCUMENT),
    (200, [("Content-Type", "image/svg+xml")], Kind.DOCUMENT),
    (200, [], Kind.DOCUMENT),
    (200, [("Content-Type", "text/css")], Kind.SCRIPT),
    (200, [("Content-Type", "application/json")], Kind.API),
    (200, [("Content-Type", "application/problem+json")], Kind.API),
    (200, [("Content-Type", "image/png")], Kind.STATIC),
    (200, [("Content-Type", "text/plain"), ("Content-Type", "text/html")], Kind.DOCUMENT),
    (200, [("Content-Type", "text/html"), ("Content-Type", "nonsense")], Kind.DOCUMENT),
    (301, [("Location", "/x"), ("Content-Type", "text/html")], Kind.REDIRECT),
    (308, [], Kind.REDIRECT),
    (304, [("Content-Type", "text/html")], Kind.DOCUMENT),
    (399, [("Content-Type", "text/html")], Kind.DOCUMENT),
    (400, [("Content-Type", "text/html")], Kind.ERROR),
    (404, [("Content-Type", "image/png")], Kind.ERROR),
    (404, [("Content-Type", "application/json")], Kind.API),
    (429, [("Content-Type", "application/json")], Kind.BLOCKED),
    (403, [("Content-Type", "text/html")], Kind.ERROR),
    (403, [("Content-Type", "text/html"), ("cf-mitigated", "challenge")], Kind.BLOCKED),
    (200, [("Content-Type", "text/html"), ("cf-mitigated", "challenge")], Kind.DOCUMENT),
]


@pytest.mark.parametrize(("status", "headers", "kind"), CASES)
def test_classes(status: int, headers: list[tuple[str, str]], kind: Kind) -> None:
    assert responses.classify(status, headers) is kind
