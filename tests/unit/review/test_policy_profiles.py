"""Profiles: for everything that one demands, an answer that is as demanded and one that is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from headersweep.policies import Policy, Profile
from headersweep.responses import ResponseClass
from review import judge, table
from review import received as reading
from review.finding import Severity
from review.policy import applying, demands, profiles
from review.policy.answers import Answer
from review.policy.profiles import Requirement
from review.received import Received
from tests.unit.review._cases import HTML, JSON

TYPES = {ResponseClass.DOCUMENT: HTML, ResponseClass.API: JSON}


@dataclass(frozen=True)
class Sample:
    """One answer, and what browsers make of those of its headers that the demand is about."""

    demand: str
    is_met: bool
    lines: tuple[str, ...] = ()
    effective: Mapping[str, Any] = field(default_factory=dict)
    scheme: str = "https"

    def __str__(self) -> str:
        return f"{self.demand} {'met' if self.is_met else 'not met'}: {' | '.join(self.lines) or 'nothing'}"[
            :150
        ]

    def received(self, kind: ResponseClass = ResponseClass.DOCUMENT) -> Received:
        pairs = [line.partition(": ") for line in (TYPES[kind], *self.lines)]
        return reading.received([(name, value) for name, _, value in pairs], scheme=self.scheme)

    def answer(self, kind: ResponseClass = ResponseClass.DOCUMENT) -> Answer:
        return Answer(self.received(kind), self.effective)


def hsts(demand: str, *, is_met: bool, age: int, subdomains: bool) -> Sample:
    line = f"Strict-Transport-Security: max-age={age}{'; includeSubDomains' if subdomains else ''}"
    value = {"max_age": age, "include_subdomains": subdomains}
    return Sample(demand, is_met, (line,), {"strict-transport-security": value})


def csp(demand: str, policy: str, *, is_met: bool) -> Sample:
    """Policies are separated by a comma, as in the header."""
    found = []
    for text in policy.split(", "):
        directives = [directive.split() for directive in text.split("; ")]
        found.append({"directives": {name: sources for name, *sources in directives}})
    return Sample(
        demand,
        is_met,
        (f"Content-Security-Policy: {policy}",),
        {"content-security-policy": {"policies": found}},
    )


def cookie(demand: str, line: str, *, is_met: bool, **changes: Any) -> Sample:
    value = {
        "name": line.partition("=")[0],
        "secure": "; Secure" in line,
        "http_only": "; HttpOnly" in line,
        "same_site": "default",
        "path": "/",
        "domain": "",
        "partitioned": False,
        "persistent": False,
        "accepted": True,
        "rejected_because": None,
        **changes,
    }
    return Sample(demand, is_met, (f"Set-Cookie: {line}",), {"set-cookie": [value]})


def token(demand: str, name: str, value: str, effective: Any, *, is_met: bool) -> Sample:
    return Sample(demand, is_met, (f"{name}: {value}",), {name.lower(): effective})


ALL_CLOSED = "{}, sync-xhr=(self)".format(
    ", ".join(f"{name}=()" for name in sorted(demands._CLOSED_FEATURES))
)
CLOSED: dict[str, list[str]] = {name: [] for name in demands._CLOSED_FEATURES}
LOCKED = "default-src 'none'; script-src 'self' https://cdn.example; base-uri 'none'"
NONCED = (
    "script-src 'nonce-r4nd0m' 'strict-dynamic' https: 'unsafe-inline'; object-src 'none'; base-uri 'none'"
)
OWASP = "default-src 'self'; form-action 'self'; object-src 'none'; frame-ancestors 'none'; upgrade-insecure-requests"

SAMPLES = (
    hsts("hsts_year", is_met=True, age=31_536_000, subdomains=False),
    hsts("hsts_year", is_met=False, age=31_535_999, subdomains=True),
    Sample("hsts_year", False),
    Sample("hsts_year", True, scheme="http"),
    hsts("hsts_year_subdomains", is_met=True, age=31_536_000, subdomains=True),
    hsts("hsts_year_subdomains", is_met=False, age=63_072_000, subdomains=False),
    hsts("hsts_two_years_subdomains", is_met=True, age=63_072_000, subdomains=True),
    hsts("hsts_two_years_subdomains", is_met=False, age=63_071_999, subdomains=True),
    Sample("cookie_secure_prefix", True),
    cookie("cookie_secure_prefix", "__Host-a=1; Path=/; Secure", is_met=True),
    cookie("cookie_secure_prefix", "__Secure-a=1; Path=/; Secure", is_met=True),
    cookie("cookie_secure_prefix", "a=1; Path=/; Secure", is_met=False),
    cookie("cookie_secure_prefix", "a=1; Path=/", is_met=False),
    cookie(
        "cookie_secure_prefix", "__Host-a=1; Path=/", is_met=True, accepted=False, rejected_because="prefix"
    ),
    cookie("cookie_same_site", "a=1; Path=/; SameSite=Lax", is_met=True, same_site="lax"),
    cookie("cookie_same_site", "a=1; Path=/", is_met=False),
    cookie("cookie_host_prefix", "__Host-a=1; Path=/; Secure", is_met=True),
    cookie("cookie_host_prefix", "a=1; Path=/; Domain=site.example", is_met=True, domain="site.example"),
    cookie("cookie_host_prefix", "a=1; Path=/; Secure", is_met=False),
    cookie("cookie_http_only", "session=1; Path=/; HttpOnly", is_met=True),
    cookie("cookie_http_only", "theme=dark; Path=/", is_met=True),
    cookie("cookie_http_only", "csrftoken=1; Path=/", is_met=True),
    cookie("cookie_http_only", "PHPSESSID=1; Path=/", is_met=False),
    Sample("cors_origin", True),
    token("cors_origin", "Access-Control-Allow-Origin", "*", "*", is_met=True),
    token("cors_origin", "Access-Control-Allow-Origin", "null", "null", is_met=False),
    Sample(
        "cors_origin",
        False,
        ("Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true"),
        {"access-control-allow-origin": "*", "access-control-allow-credentials": True},
    ),
    csp("csp_locked", LOCKED, is_met=True),
    csp("csp_locked", NONCED, is_met=True),
    csp("csp_locked", "script-src 'self'; object-src 'none', base-uri 'none'", is_met=True),
    csp("csp_locked", "default-src 'self'; base-uri 'none'", is_met=False),
    csp("csp_locked", "default-src 'none'; script-src 'self'", is_met=False),
    csp("csp_locked", "default-src 'none'; script-src 'unsafe-inline'; base-uri 'none'", is_met=False),
    csp("csp_locked", "default-src 'none'; script-src https:; base-uri 'none'", is_met=False),
    csp("csp_locked", f"{LOCKED}; script-src-attr 'unsafe-inline'", is_met=False),
    csp("csp_locked", "object-src 'none'; base-uri 'none'", is_met=False),
    Sample("csp_locked", False),
    csp("csp_nonces", NONCED, is_met=True),
    csp("csp_nonces", "script-src 'sha256-abc='", is_met=True),
    csp("csp_nonces", "script-src 'none'", is_met=True),
    csp("csp_nonces", LOCKED, is_met=False),
    csp("csp_nonces", "script-src 'nonce-r4nd0m' https:", is_met=False),
    csp("csp_frame_ancestors", "frame-ancestors 'self' https://intranet.example", is_met=True),
    csp("csp_frame_ancestors", "frame-ancestors *", is_met=False),
    csp("csp_frame_ancestors", "default-src 'none'", is_met=False),
    csp("csp_frame_ancestors_none", "frame-ancestors 'none'", is_met=True),
    csp("csp_frame_ancestors_none", "frame-ancestors 'self'", is_met=False),
    csp("csp_reporting", "default-src 'none'; report-to csp", is_met=True),
    csp("csp_reporting", "default-src 'none'; report-uri /csp", is_met=True),
    csp("csp_reporting", "default-src 'none'", is_met=False),
    csp("csp_owasp", OWASP, is_met=True),
    csp("csp_owasp", OWASP.replace("; upgrade-insecure-requests", ""), is_met=False),
    csp("csp_owasp", OWASP.replace("default-src 'self'", "default-src *"), is_met=False),
    csp("csp_owasp", f"{OWASP}; script-src 'unsafe-inline'", is_met=False),
    token("nosniff", "X-Content-Type-Options", "nosniff", "nosniff", is_met=True),
    token("nosniff", "X-Content-Type-Options", "sniff", None, is_met=False),
    token(
        "referrer",
        "Referrer-Policy",
        "strict-origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        is_met=True,
    ),
    token("referrer", "Referrer-Policy", "unsafe-url", "unsafe-url", is_met=False),
    Sample("referrer", False),
    token("referrer_none", "Referrer-Policy", "no-referrer", "no-referrer", is_met=True),
    token("referrer_none", "Referrer-Policy", "same-origin", "same-origin", is_met=False),
    token("coop", "Cross-Origin-Opener-Policy", "same-origin", "same-origin", is_met=True),
    token(
        "coop",
        "Cross-Origin-Opener-Policy",
        "same-origin-allow-popups",
        "same-origin-allow-popups",
        is_met=True,
    ),
    token("coop", "Cross-Origin-Opener-Policy", "unsafe-none", "unsafe-none", is_met=False),
    token("coop_same_origin", "Cross-Origin-Opener-Policy", "same-origin", "same-origin", is_met=True),
    token(
        "coop_same_origin",
        "Cross-Origin-Opener-Policy",
        "same-origin-allow-popups",
        "same-origin-allow-popups",
        is_met=False,
    ),
    token("coep_require_corp", "Cross-Origin-Embedder-Policy", "require-corp", "require-corp", is_met=True),
    token(
        "coep_require_corp", "Cross-Origin-Embedder-Policy", "credentialless", "credentialless", is_met=False
    ),
    token("corp_same_origin", "Cross-Origin-Resource-Policy", "same-origin", "same-origin", is_met=True),
    token("corp_same_origin", "Cross-Origin-Resource-Policy", "same-site", "same-site", is_met=False),
    token("permissions", "Permissions-Policy", ALL_CLOSED, {**CLOSED, "sync-xhr": ["self"]}, is_met=True),
    token("permissions", "Permissions-Policy", "camera=()", {"camera": []}, is_met=False),
    token(
        "permissions",
        "Permissions-Policy",
        ALL_CLOSED.replace("usb=()", "usb=(self)"),
        {**CLOSED, "sync-xhr": ["self"], "usb": ["self"]},
        is_met=False,
    ),
    Sample("permissions", False),
    token("frame_deny", "X-Frame-Options", "DENY", "deny", is_met=True),
    token("frame_deny", "X-Frame-Options", "SAMEORIGIN", "sameorigin", is_met=False),
    Sample("cross_domain_none", True, ("X-Permitted-Cross-Domain-Policies: none",)),
    Sample("cross_domain_none", False, ("X-Permitted-Cross-Domain-Policies: all",)),
    Sample("dns_prefetch_off", True, ("X-DNS-Prefetch-Control: off",)),
    Sample("dns_prefetch_off", False, ("X-DNS-Prefetch-Control: on",)),
    Sample("no_store", True, ("Cache-Control: no-store",), {"cache-control": {"no-store": True}}),
    Sample("no_store", False, ("Cache-Control: private",), {"cache-control": {"private": True}}),
    Sample("no_store", False),
)
CODES = {f"policy.{sample.demand}" for sample in SAMPLES}
REQUIREMENTS = [
    (profile, each) for profile, described in profiles.PROFILES.items() for each in described.requirements
]


def samples_of(requirement: Requirement, *, is_met: bool) -> list[Sample]:
    return [
        sample
        for sample in SAMPLES
        if f"policy.{sample.demand}" == requirement.rule.code and sample.is_met is is_met
    ]


def kind_of(requirement: Requirement) -> ResponseClass:
    return ResponseClass.DOCUMENT if ResponseClass.DOCUMENT in requirement.classes else ResponseClass.API


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_demand_is_met_by_what_browsers_make_of_the_headers(sample: Sample) -> None:
    (demand,) = [each for each in profiles.DEMANDS if each.rule.code == f"policy.{sample.demand}"]
    assert demand.is_met(sample.answer()) is sample.is_met


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_demand_is_met_by_the_lines_as_the_review_reads_them(sample: Sample) -> None:
    (demand,) = [each for each in profiles.DEMANDS if each.rule.code == f"policy.{sample.demand}"]
    received = sample.received()
    if set(sample.effective) <= set(table.EFFECTIVE):
        assert demand.is_met(Answer(received, judge.effective(received))) is sample.is_met


@pytest.mark.parametrize(("profile", "requirement"), REQUIREMENTS, ids=lambda one: getattr(one, "id", one))
def test_a_requirement_is_found_where_it_is_not_met_and_only_there(
    profile: Profile, requirement: Requirement
) -> None:
    kind = kind_of(requirement)
    for is_met in (True, False):
        samples = samples_of(requirement, is_met=is_met)
        assert samples, f"{requirement.id} has no sample that is {'met' if is_met else 'not met'}"
        for sample in samples:
            missed = {finding.subject for finding in applying._unmet(Policy(profile), sample.answer(kind))}
            assert (requirement.id not in missed) is is_met


def test_every_demand_belongs_to_a_profile_and_every_sample_to_a_demand() -> None:
    assert {demand.rule.code for demand in profiles.DEMANDS} == CODES


def test_requirements_are_told_apart_by_their_ids() -> None:
    ids = [requirement.id for _, requirement in REQUIREMENTS]
    assert len(ids) == len(set(ids))
    assert all(each.id.startswith(f"{profile}/") for profile, each in REQUIREMENTS)


def test_every_profile_that_a_site_file_may_name_is_there_with_its_source() -> None:
    assert list(profiles.PROFILES) == list(Profile)
    for name, profile in profiles.PROFILES.items():
        assert profile.name is name
        assert profile.source.startswith("https://")
        assert profile.title
        assert profile.left_out


def test_recommended_demands_nothing_beside_the_review() -> None:
    assert profiles.PROFILES[Profile.RECOMMENDED].requirements == ()


def test_the_levels_of_the_asvs_demand_ever_more() -> None:
    levels = [
        {each.rule.code for each in profiles.PROFILES[name].requirements}
        for name in (Profile.ASVS_5_L1, Profile.ASVS_5_L2, Profile.ASVS_5_L3)
    ]
    assert levels[0] - levels[1] == {"policy.hsts_year"}  # replaced by the one for subdomains
    assert levels[1] < levels[2]


def test_an_api_is_not_asked_for_what_is_for_documents_and_the_other_way_round() -> None:
    bare = Sample("", is_met=False)
    asvs = {
        finding.code for finding in applying._unmet(Policy(Profile.ASVS_5_L2), bare.answer(ResponseClass.API))
    }
    assert asvs == {"policy.hsts_year_subdomains", "policy.nosniff"}
    assert list(applying._unmet(Policy(Profile.API), bare.answer())) == []


def test_an_error_page_matters_one_level_less() -> None:
    received = replace(Sample("", is_met=False).received(), response_class=ResponseClass.ERROR)
    found = {
        each.code: each.severity for each in applying._unmet(Policy(Profile.ASVS_5_L2), Answer(received))
    }
    assert found["policy.csp_locked"] is Severity.LOW
