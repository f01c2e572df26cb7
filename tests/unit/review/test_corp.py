"""Cross-Origin-Resource-Policy: the values of web-platform-tests' syntax.any.js, and the boundaries beside."""

from __future__ import annotations

import pytest

from review.checks import corp as check
from tests.unit.review._cases import HTML, IMAGE, JSON, SCRIPT, Case, verify

MISSING, IGNORED = "corp.missing", "corp.ignored"
NAME = "cross-origin-resource-policy"
LINE = "Cross-Origin-Resource-Policy: "
_TESTS = "web-platform-tests, fetch/cross-origin-resource-policy/syntax.any.js"


def ignored(name: str, *values: str) -> Case:
    return Case(name, (IMAGE, *(LINE + value for value in values)), {IGNORED}, {NAME: None}, source=_TESTS)


CASES = (
    Case("nothing on a picture", (IMAGE,)),
    Case("nothing on a page", (HTML,), {MISSING}),
    Case("same-site on a page", (HTML, LINE + "same-site"), effective={NAME: "same-site"}),
    Case("nothing on a script", (SCRIPT,), {MISSING}),
    Case("nothing from an API", (JSON,)),
    Case("nothing on a redirect", ("Location: /",), status=302),
    Case("nothing on an error page", (HTML,), status=404),
    *(
        Case(policy, (IMAGE, LINE + policy), effective={NAME: policy})
        for policy in ("same-origin", "same-site", "cross-origin")
    ),
    Case("over http", (IMAGE, LINE + "same-origin"), effective={NAME: "same-origin"}, scheme="http"),
    ignored("unknown", "same"),
    ignored("a list that ends well", "same, same-origin"),
    ignored("capitals", "SAME-ORIGIN"),
    ignored("odd case", "Same-Origin"),
    ignored("a list that starts well", "same-origin, <>"),
    ignored("a list of one", "same-origin, same-origin"),
    ignored("two lines", "same-origin", "same-origin"),
    ignored("an origin", "https://www.example.com"),
    ignored("quoted", '"same-origin"'),
    ignored("a parameter", "same-origin; x=1"),
    ignored("empty", ""),
    ignored("garbage bytes", "\xff\x00"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_corp(case: Case) -> None:
    verify(check, case)
