"""Integrity-Policy: cases on both sides of lists of tokens that browsers know."""

from __future__ import annotations

from typing import Any

import pytest

from review.checks import integrity_policy as check
from tests.unit.review._cases import HTML, IMAGE, Case, verify

IGNORED, UNKNOWN = "integrity_policy.ignored", "integrity_policy.unknown"
NAME, TRIAL_NAME = "integrity-policy", "integrity-policy-report-only"
LINE = "Integrity-Policy: "
TRIAL_LINE = "Integrity-Policy-Report-Only: "
_PARSE = "Subresource Integrity, 3.8.1, and Chromium, integrity_policy_parser.cc"


def policy(*blocked: str, endpoints: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"blocked_destinations": list(blocked), "sources": ["inline"], "endpoints": list(endpoints)}


def ignored(name: str, *values: str) -> Case:
    return Case(name, (HTML, *(LINE + value for value in values)), {IGNORED}, {NAME: None}, source=_PARSE)


CASES = (
    Case("nothing", (HTML,)),
    Case("scripts", (HTML, LINE + "blocked-destinations=(script)"), effective={NAME: policy("script")}),
    Case(
        "all of it",
        (HTML, LINE + "blocked-destinations=(script), sources=(inline), endpoints=(main other)"),
        effective={NAME: policy("script", endpoints=("main", "other"))},
    ),
    Case(
        "style beside script, which no browser was seen to block",
        (HTML, LINE + "blocked-destinations=(script style)"),
        {UNKNOWN},
        {NAME: policy("script")},
        source="tests/data/browser",
    ),
    ignored("style alone", "blocked-destinations=(style)"),
    Case(
        "over two lines",
        (HTML, LINE + "blocked-destinations=(script)", LINE + "endpoints=(main)"),
        effective={NAME: policy("script", endpoints=("main",))},
    ),
    Case(
        "an unknown destination",
        (HTML, LINE + "blocked-destinations=(script image)"),
        {UNKNOWN},
        {NAME: policy("script")},
        source=_PARSE,
    ),
    Case(
        "an unknown key",
        (HTML, LINE + "blocked-destinations=(script), x=(y)"),
        {UNKNOWN},
        {NAME: policy("script")},
        source=_PARSE,
    ),
    Case(
        "an endpoint in quotes",
        (HTML, LINE + 'blocked-destinations=(script), endpoints=("main")'),
        {UNKNOWN},
        {NAME: policy("script")},
        source=_PARSE,
    ),
    Case(
        "an unknown source beside the known",
        (HTML, LINE + "blocked-destinations=(script), sources=(inline x)"),
        {UNKNOWN},
        {NAME: policy("script")},
    ),
    ignored("no list", "blocked-destinations=script"),
    ignored("a string in the list", 'blocked-destinations=("script")'),
    ignored("an empty list", "blocked-destinations=()"),
    ignored("unknown destinations alone", "blocked-destinations=(image)"),
    ignored("no destinations", "sources=(inline)"),
    ignored("no source that is known", "blocked-destinations=(script), sources=(x)"),
    ignored("no sources at all", "blocked-destinations=(script), sources=()"),
    ignored("in capitals", "Blocked-Destinations=(script)"),
    ignored("destinations in capitals", "blocked-destinations=(Script)"),
    ignored("commas in the list", "blocked-destinations=(script,style)"),
    ignored("semicolons", "blocked-destinations=(script); sources=(inline);"),
    ignored("empty", ""),
    ignored("the last of repeated keys counts", "blocked-destinations=(script)", "blocked-destinations=()"),
    ignored("garbage bytes", "blocked-destinations=(script)\xff"),
    Case("broken on a picture", (IMAGE, LINE + "x")),
    Case(
        "on trial",
        (HTML, TRIAL_LINE + "blocked-destinations=(script)"),
        effective={TRIAL_NAME: policy("script")},
    ),
    Case("a broken trial", (HTML, TRIAL_LINE + "x"), {IGNORED}, {TRIAL_NAME: None}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_integrity_policy(case: Case) -> None:
    verify(check, case)
