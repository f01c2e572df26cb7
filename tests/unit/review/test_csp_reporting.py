"""Content-Security-Policy: cases of where reports go."""

from __future__ import annotations

import pytest

from headersweep.bodyfacts import BodyFacts
from review.checks import csp_reporting as check
from tests.unit.review._cases import HTML, JSON, Case, verify

UNRESOLVED, NOWHERE, URI = "csp.report_to_unresolved", "csp.reports_nowhere", "csp.report_uri_only"
TO = "Content-Security-Policy: default-src 'self'; report-to csp"
ENDPOINT = 'Reporting-Endpoints: csp="https://r.example/csp"'

GROUP = '{"group":"csp","max_age":1,"endpoints":[{"url":"https://r.example"}]}'
DEFAULT = GROUP.replace('"group":"csp",', "")

CASES = (
    Case("no policy", (HTML,)),
    Case("no reports", (HTML, "Content-Security-Policy: default-src 'self'")),
    Case("a name that is defined", (HTML, TO, ENDPOINT)),
    Case("a name that is not", (HTML, TO), {UNRESOLVED}),
    Case("another name", (HTML, TO, ENDPOINT.replace("csp=", "other=")), {UNRESOLVED}),
    Case("names have a case", (HTML, TO.replace("csp", "CSP"), ENDPOINT), {UNRESOLVED}),
    Case(
        "endpoints that do not parse", (HTML, TO, 'Reporting-Endpoints: csp="https://r.example'), {UNRESOLVED}
    ),
    Case("endpoints that are no string", (HTML, TO, "Reporting-Endpoints: csp=1"), {UNRESOLVED}),
    Case("endpoints over two lines", (HTML, TO, 'Reporting-Endpoints: a="https://r.example"', ENDPOINT)),
    Case(
        "the old header",
        (HTML, TO, 'Report-To: {"group":"csp","max_age":1,"endpoints":[{"url":"https://r.example"}]}'),
    ),
    Case("the old header, second of a list", (HTML, TO, f'Report-To: {{"max_age":1}}, {GROUP}')),
    Case("the old header's default", (HTML, TO.replace("csp", "default"), f"Report-To: {DEFAULT}")),
    Case(
        "the old header without a place", (HTML, TO, 'Report-To: {"group":"csp","max_age":1}'), {UNRESOLVED}
    ),
    Case(
        "the old header without an age",
        (HTML, TO, f"Report-To: {GROUP}".replace('"max_age":1,', "")),
        {UNRESOLVED},
    ),
    Case("the old header, taken back", (HTML, TO, f"Report-To: {GROUP}".replace(":1,", ":0,")), {UNRESOLVED}),
    Case(
        "the old header over http", (HTML, TO, f"Report-To: {GROUP}".replace("https", "http")), {UNRESOLVED}
    ),
    Case("an endpoint over http", (HTML, TO, ENDPOINT.replace("https", "http")), {UNRESOLVED}),
    Case("an endpoint that is no URL", (HTML, TO, 'Reporting-Endpoints: csp="reports"'), {UNRESOLVED}),
    Case("an endpoint on the same origin", (HTML, TO, 'Reporting-Endpoints: csp="/reports"')),
    Case("the old header in pieces", (HTML, TO, 'Report-To: {"group":"csp"'), {UNRESOLVED}),
    Case("the old header, very deep", (HTML, TO, "Report-To: " + "[" * 100_000), {UNRESOLVED}),
    Case("the old header with other values", (HTML, TO, 'Report-To: 1, {"group": 2}'), {UNRESOLVED}),
    Case("report-uri beside an undefined name", (HTML, f"{TO}; report-uri /r"), {UNRESOLVED}),
    Case("report-uri alone", (HTML, "Content-Security-Policy: default-src 'self'; report-uri /r"), {URI}),
    Case("both", (HTML, f"{TO}; report-uri /r", ENDPOINT)),
    Case("an empty report-to", (HTML, "Content-Security-Policy: default-src 'self'; report-to")),
    Case(
        "on trial without reports",
        (HTML, "Content-Security-Policy-Report-Only: default-src 'self'"),
        {NOWHERE},
    ),
    Case("on trial with reports", (HTML, f"{TO}".replace("Policy:", "Policy-Report-Only:"), ENDPOINT)),
    Case("on trial by report-uri", (HTML, "Content-Security-Policy-Report-Only: a; report-uri /r"), {URI}),
    Case("in the page", (HTML,), facts=BodyFacts(meta_policies=("default-src 'self'; report-uri /r",))),
    Case("an answer of an API", (JSON, TO)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_csp_reporting(case: Case) -> None:
    verify(check, case)
