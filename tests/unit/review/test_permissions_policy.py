"""Permissions-Policy: cases on both sides of a structured dictionary, and of what an allowlist may hold."""

from __future__ import annotations

import pytest

from review.checks import permissions_policy as check
from tests.unit.review._cases import HTML, IMAGE, JSON, Case, verify

P = "permissions_policy"
MISSING, IGNORED, WIDE, UNKNOWN = f"{P}.missing", f"{P}.ignored", f"{P}.wide", f"{P}.unknown_feature"
ENTRY, TRIAL_IGNORED = f"{P}.ignored_entry", f"{P}.report_only_ignored"
NAME, TRIAL_NAME = "permissions-policy", "permissions-policy-report-only"
LINE = "Permissions-Policy: "
TRIAL_LINE = "Permissions-Policy-Report-Only: "
_CHROMIUM = "Chromium, permissions_policy_parser.cc"
_SKIP = "Permissions Policy, 9.3, and w3c/webappsec-permissions-policy #527"


def reads(name: str, value: str, source: str = "", **policy: list[str]) -> Case:
    return Case(name, (HTML, LINE + value), effective={NAME: _names(policy)}, source=source)


def skips(name: str, value: str, **policy: list[str]) -> Case:
    return Case(name, (HTML, LINE + value), {ENTRY}, {NAME: _names(policy)}, source=_SKIP)


def ignored(name: str, value: str, source: str = "RFC 9651, section 4.2: fail parsing") -> Case:
    return Case(name, (HTML, LINE + value), {IGNORED}, {NAME: None}, source=source)


def _names(policy: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name.replace("_", "-"): entries for name, entries in policy.items()}


CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("nothing but the old header", (HTML, "Feature-Policy: camera 'none'")),
    Case("nothing from an API", (JSON,)),
    Case("nothing on a picture", (IMAGE,)),
    Case("nothing on a redirect", ("Location: /",), status=302),
    reads("all off", "camera=(), microphone=()", camera=[], microphone=[]),
    reads("self", "camera=(self), fullscreen=self", camera=["self"], fullscreen=["self"]),
    reads("an origin", 'camera=(self "https://a.example")', camera=["self", "https://a.example"]),
    reads("an origin with a path", 'camera=("https://A.example:8443/x?y")', camera=["https://a.example:8443"]),
    reads("every subdomain", 'camera=("https://*.a.example")', camera=["https://*.a.example"]),
    reads("a single origin", 'camera="https://a.example"', _CHROMIUM, camera=["https://a.example"]),
    reads("a star for what is not powerful", "fullscreen=*", fullscreen=["*"]),
    reads("a star swallows", 'fullscreen=(self "https://a.example" *)', fullscreen=["*"]),
    reads("parameters", "camera=();report-to=main", camera=[]),
    reads("the last of repeated features", "camera=*, camera=()", "RFC 9651, 4.2.2", camera=[]),
    reads("tabs and spaces between", "camera=()\t ,  microphone=()", camera=[], microphone=[]),
    Case(
        "over several lines",
        (HTML, LINE + "camera=()", LINE + "microphone=(self)"),
        effective={NAME: {"camera": [], "microphone": ["self"]}},
    ),
    Case("a star for the camera", (HTML, LINE + "camera=*"), {WIDE}, {NAME: {"camera": ["*"]}}),
    Case("a star for the camera in a list", (HTML, LINE + "camera=(self *)"), {WIDE}, {NAME: {"camera": ["*"]}}),
    Case("a star for a picture", (IMAGE, LINE + "camera=*")),
    skips("none", "camera=none", camera=[]),
    skips("none in a list", "camera=(none)", camera=[]),
    skips("src", "camera=(src)", camera=[]),
    skips("self in quotes", 'camera="self"', camera=[]),
    skips("a star in quotes", 'fullscreen=("*")', fullscreen=["*"]),
    skips("self in both kinds of quotes", """camera=("'self'")""", camera=["self"]),
    skips("a host without scheme", 'camera=("a.example")', camera=[]),
    skips("a host without quotes", "camera=(self a.example)", camera=["self"]),
    skips("an origin without quotes", "camera=(self https://a.example)", camera=["self"]),
    skips("no list at all", "camera", camera=[]),
    skips("a boolean", "camera=?0", camera=[]),
    skips("a number", "camera=0", camera=[]),
    skips("in capitals", "camera=(SELF)", camera=[]),
    Case(
        "an unknown feature",
        (HTML, LINE + "camera=(), frob=()"),
        {UNKNOWN},
        {NAME: {"camera": [], "frob": []}},
    ),
    Case("a retired feature", (HTML, LINE + "interest-cohort=()"), effective={NAME: {"interest-cohort": []}}),
    ignored("the old syntax", "camera 'none'; microphone 'self'"),
    ignored("semicolons between features", "camera=(); microphone=()"),
    ignored("single quotes in a list", "camera=('self')"),
    ignored("a name in capitals", "Camera=()"),
    ignored("a comma at the end", "camera=(),"),
    ignored("an empty member", "camera=(),,microphone=()"),
    ignored("commas in a list", 'camera=(self,"https://a.example")'),
    ignored("a list that does not close", "camera=(self"),
    ignored("a space before the equals sign", "camera = ()"),
    ignored("a quote that does not close", 'camera=("https://a.example)'),
    ignored("empty", ""),
    ignored("garbage bytes", "camera=()\xff"),
    ignored("longer than 64 KiB", "camera=()" + ", fullscreen=()" * 5000, _CHROMIUM),
    Case("a trial", (HTML, LINE + "camera=()", TRIAL_LINE + "usb=();report-to=x"), effective={TRIAL_NAME: {"usb": []}}),
    Case("a broken trial", (HTML, LINE + "camera=()", TRIAL_LINE + "usb 'none'"), {TRIAL_IGNORED}, {TRIAL_NAME: None}),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_permissions_policy(case: Case) -> None:
    verify(check, case)


def test_a_typing_mistake_is_named() -> None:
    lines = (HTML, LINE + "geolokation=()")
    (finding,) = check.check(Case("", lines).received())
    assert (finding.subject, finding.detail) == ("geolokation", "perhaps geolocation is meant")
