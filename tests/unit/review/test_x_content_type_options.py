"""X-Content-Type-Options: cases on both sides of "determine nosniff"."""

from __future__ import annotations

import pytest

from review.checks import x_content_type_options as check
from tests.unit.review._cases import HTML, IMAGE, JSON, SCRIPT, Case, verify

MISSING, IGNORED = "x_content_type_options.missing", "x_content_type_options.ignored"
NAME = "x-content-type-options"
_LIST = "Fetch, determine nosniff: only the first value counts"

CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("as it should be", (HTML, "X-Content-Type-Options: nosniff"), effective={NAME: "nosniff"}),
    Case("in capitals", (HTML, "X-Content-Type-Options: NOSNIFF"), effective={NAME: "nosniff"}),
    Case("twice", (HTML, *("X-Content-Type-Options: nosniff",) * 2), effective={NAME: "nosniff"}),
    Case(
        "first of a list",
        (HTML, "X-Content-Type-Options: nosniff, x"),
        effective={NAME: "nosniff"},
        source=_LIST,
    ),
    Case(
        "second of a list",
        (HTML, "X-Content-Type-Options: x, nosniff"),
        {IGNORED},
        {NAME: None},
        source=_LIST,
    ),
    Case("an empty first", (HTML, "X-Content-Type-Options: ,nosniff"), {IGNORED}, {NAME: None}, source=_LIST),
    Case("quoted", (HTML, 'X-Content-Type-Options: "nosniff"'), {IGNORED}, {NAME: None}),
    Case("with a semicolon", (HTML, "X-Content-Type-Options: nosniff;"), {IGNORED}, {NAME: None}),
    Case("empty", (HTML, "X-Content-Type-Options:"), {IGNORED}, {NAME: None}),
    Case("a script without it", (SCRIPT,), {MISSING}),
    Case("a picture without it", (IMAGE,)),
    Case("an answer of an API without it", (JSON,)),
    Case("a redirect without it", ("Location: /",), status=302),
    Case("an error page without it", (HTML,), {MISSING}, status=500),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_x_content_type_options(case: Case) -> None:
    verify(check, case)
