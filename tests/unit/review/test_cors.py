"""Cross-origin reading: what the CORS check of browsers makes of the values."""

from __future__ import annotations

import pytest

from review.checks import cors as check
from review.finding import Severity
from tests.unit.review._cases import HTML, IMAGE, JSON, Case, verify

NAME, WITH = "access-control-allow-origin", "access-control-allow-credentials"
TRUE = "Access-Control-Allow-Credentials: true"
APP = "Access-Control-Allow-Origin: https://app.example"
VARY = "Vary: Origin"
STAR = "Access-Control-Allow-Origin: *"

ANY, NULL, IGNORED = "cors.any_origin", "cors.null_origin", "cors.ignored"
NAMED, VARIES, INSECURE = "cors.credentialed_origin", "cors.vary_missing", "cors.insecure_origin"
_FETCH = "Fetch, CORS check, step 4: compared letter by letter"

CASES = (
    Case("nothing", (HTML,)),
    Case("everybody", (JSON, STAR), {ANY}, {NAME: "*"}),
    Case("everybody, a picture", (IMAGE, STAR), effective={NAME: "*"}),
    Case("everybody twice", (JSON, STAR, STAR), {IGNORED}, {NAME: None}, source=_FETCH),
    Case(
        "everybody with credentials",
        (JSON, STAR, TRUE),
        {"cors.wildcard_with_credentials"},
        {NAME: "*", WITH: True},
        source="Fetch, CORS check, step 3: only without credentials",
    ),
    Case("null", (JSON, "Access-Control-Allow-Origin: null", VARY), {NULL}, {NAME: "null"}),
    Case("null with credentials", (JSON, "Access-Control-Allow-Origin: null", TRUE), {NULL}, {WITH: True}),
    Case("NULL in capitals", (JSON, "Access-Control-Allow-Origin: NULL"), {IGNORED}, {NAME: None}),
    Case("one origin", (JSON, APP, VARY), effective={NAME: "https://app.example"}),
    Case("one origin, vary among others", (JSON, APP, "Vary: Accept, ORIGIN")),
    Case("one origin, two lines of vary", (JSON, APP, "Vary: Accept", VARY)),
    Case("one origin, vary by all", (JSON, APP, "Vary: *")),
    Case("one origin without vary", (JSON, APP), {VARIES}),
    Case("one origin, vary by something else", (JSON, APP, "Vary: X-Origin"), {VARIES}),
    Case("one origin, not stored", (JSON, APP, "Cache-Control: no-store")),
    Case("one origin, stored but private", (JSON, APP, "Cache-Control: private"), {VARIES}),
    Case("one origin with credentials", (JSON, APP, TRUE, VARY), {NAMED}, {WITH: True}),
    Case("a port", (JSON, "Access-Control-Allow-Origin: https://app.example:8443", VARY)),
    Case("an address", (JSON, "Access-Control-Allow-Origin: https://[2001:db8::1]:8443", VARY)),
    Case("another scheme", (JSON, "Access-Control-Allow-Origin: capacitor://localhost", VARY)),
    Case("an http origin", (JSON, "Access-Control-Allow-Origin: http://app.example", VARY), {INSECURE}),
    Case(
        "an http origin of an http answer",
        (JSON, "Access-Control-Allow-Origin: http://app.example", VARY),
        scheme="http",
    ),
    Case(
        "a usual port",
        (JSON, "Access-Control-Allow-Origin: https://app.example:443"),
        {IGNORED},
        {NAME: None},
    ),
    Case("a slash", (JSON, "Access-Control-Allow-Origin: https://app.example/"), {IGNORED}, {NAME: None}),
    Case("a capital", (JSON, "Access-Control-Allow-Origin: https://App.example"), {IGNORED}, {NAME: None}),
    Case("a pattern", (JSON, "Access-Control-Allow-Origin: https://*.example"), {IGNORED}, {NAME: None}),
    Case("a list", (JSON, "Access-Control-Allow-Origin: https://a.example, https://b.example"), {IGNORED}),
    Case(
        "a list by spaces",
        (JSON, "Access-Control-Allow-Origin: https://a.example https://b.example"),
        {IGNORED},
    ),
    Case("two lines", (JSON, APP, "Access-Control-Allow-Origin: https://b.example"), {IGNORED}, {NAME: None}),
    Case("the same line twice", (JSON, APP, APP), {IGNORED}, {NAME: None}, source=_FETCH),
    Case("empty", (JSON, "Access-Control-Allow-Origin:"), {IGNORED}, {NAME: None}),
    Case("garbage", (JSON, "Access-Control-Allow-Origin: \xff\x01\x00"), {IGNORED}, {NAME: None}),
    Case("spaces around", (JSON, "Access-Control-Allow-Origin: \t https://app.example \t", VARY)),
    Case(
        "True",
        (JSON, "Access-Control-Allow-Credentials: True"),
        {"cors.credentials_ignored"},
        {WITH: None},
        source="Fetch, CORS check, step 7: `true`, case-sensitive",
    ),
    Case("true twice", (JSON, TRUE, TRUE), {"cors.credentials_ignored"}, {WITH: None}),
    Case("false", (JSON, "Access-Control-Allow-Credentials: false"), effective={WITH: None}),
    Case("true", (JSON, TRUE), effective={WITH: True}),
    Case(
        "all headers with credentials",
        (JSON, APP, TRUE, VARY, "Access-Control-Allow-Headers: *"),
        {NAMED, "cors.credentials_wildcards"},
    ),
    Case("all headers without credentials", (JSON, APP, VARY, "Access-Control-Allow-Headers: *")),
    Case(
        "authorization shown",
        (JSON, APP, VARY, "Access-Control-Expose-Headers: X-A, AUTHORIZATION"),
        {"cors.exposes_authorization"},
    ),
    Case("authorization asked for", (JSON, APP, VARY, "Access-Control-Allow-Headers: Authorization")),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cors(case: Case) -> None:
    verify(check, case)


@pytest.mark.parametrize("origin", ["null", "http://app.example"])
def test_credentials_make_a_dangerous_origin_graver(origin: str) -> None:
    line = f"Access-Control-Allow-Origin: {origin}"
    for lines, severity in (((JSON, line, VARY), Severity.MEDIUM), ((JSON, line, VARY, TRUE), Severity.HIGH)):
        (found,) = check.check(Case("", lines).received())
        assert found.severity is severity
