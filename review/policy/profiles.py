"""The built-in profiles: lists of requirements with the paragraph of the standard that each comes from.

A profile never changes under its name: a new edition of a standard gets a new name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from headersweep.policies import Profile
from headersweep.responses import ResponseClass
from review.finding import Rule, Severity
from review.policy import demands, demands_access, demands_csp
from review.policy.answers import Answer
from review.policy.demand import Demand


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand of a profile."""

    id: str
    """Profile and paragraph; the subject of its findings."""
    paragraph: str
    demand: Demand
    severity: Severity
    classes: frozenset[ResponseClass]

    @property
    def rule(self) -> Rule:
        """Code and texts."""
        return self.demand.rule

    @property
    def header(self) -> str:
        """The header that it is about, in lower case."""
        return self.demand.header

    @property
    def fix(self) -> str:
        """What to send, to copy."""
        return self.demand.rule.fix

    def is_met(self, answer: Answer) -> bool:
        """Whether an answer of one of its classes is as demanded."""
        return self.demand.is_met(answer)


@dataclass(frozen=True, slots=True)
class Described:
    """A profile: what it demands, where that stands, and what of the standard it leaves out."""

    name: Profile
    title: str
    source: str
    left_out: str
    requirements: tuple[Requirement, ...] = ()


ASVS_LINK = "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x12-V3-Web-Frontend-Security.md"
OWASP_LINK = "https://owasp.org/www-project-secure-headers/"
REST_LINK = "https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers"

Rows = Iterable[tuple[str, Demand]]


def _requirements(
    profile: Profile, rows: Rows, classes: frozenset[ResponseClass] | None = None
) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(
            f"{profile}/{paragraph}", paragraph, demand, demand.rule.severity, classes or demand.rule.classes
        )
        for paragraph, demand in rows
    )


_LEVEL_1 = (
    ("3.3.1", demands_access.COOKIE_SECURE_PREFIX),
    ("3.4.2", demands_access.CORS_ORIGIN),
)
_LEVEL_2 = (
    *_LEVEL_1,
    ("3.3.2", demands_access.COOKIE_SAME_SITE),
    ("3.3.3", demands_access.COOKIE_HOST_PREFIX),
    ("3.3.4", demands_access.COOKIE_HTTP_ONLY),
    ("3.4.1", demands_access.HSTS_YEAR_SUBDOMAINS),
    ("3.4.3", demands_csp.CSP_LOCKED),
    ("3.4.4", demands.NOSNIFF),
    ("3.4.5", demands.REFERRER),
    ("3.4.6", demands_csp.CSP_FRAME_ANCESTORS),
)
_LEVEL_3 = (
    *_LEVEL_2,
    ("3.4.3-nonces", demands_csp.CSP_NONCES),
    ("3.4.7", demands_csp.CSP_REPORTING),
    ("3.4.8", demands.COOP),
)
_OWASP = (
    ("strict-transport-security", demands_access.HSTS_TWO_YEARS_SUBDOMAINS),
    ("content-security-policy", demands_csp.CSP_OWASP),
    ("x-frame-options", demands.FRAME_DENY),
    ("x-content-type-options", demands.NOSNIFF),
    ("referrer-policy", demands.REFERRER_NONE),
    ("permissions-policy", demands.PERMISSIONS),
    ("cross-origin-opener-policy", demands.COOP_SAME_ORIGIN),
    ("cross-origin-embedder-policy", demands.COEP_REQUIRE_CORP),
    ("cross-origin-resource-policy", demands.CORP_SAME_ORIGIN),
    ("cache-control", demands.NO_STORE),
    ("x-permitted-cross-domain-policies", demands.CROSS_DOMAIN_NONE),
    ("x-dns-prefetch-control", demands.DNS_PREFETCH_OFF),
)
_API = (
    ("strict-transport-security", demands_access.HSTS_YEAR),
    ("x-content-type-options", demands.NOSNIFF),
    ("cache-control", demands.NO_STORE),
    ("access-control-allow-origin", demands_access.CORS_ORIGIN),
    ("x-frame-options", demands.FRAME_DENY),
    ("content-security-policy", demands_csp.CSP_FRAME_ANCESTORS_NONE),
)
_ASVS_LEFT_OUT = (
    "What headers cannot show: whether a cookie's value also travels elsewhere, how an Origin is compared with a list, "
    "what a page's elements say of referrers. A cookie counts as a session's by its name."
)


def _asvs(profile: Profile, level: int, rows: Rows, left_out: str) -> Described:
    title = f"OWASP ASVS 5.0.0, level {level}, chapters 3.3 and 3.4"
    return Described(profile, title, ASVS_LINK, left_out, _requirements(profile, rows))


PROFILES: dict[Profile, Described] = {
    each.name: each
    for each in (
        Described(
            Profile.RECOMMENDED,
            "What the review itself finds, and nothing beside",
            "https://developer.mozilla.org/en-US/docs/Web/Security/Practical_implementation_guides",
            "Nothing: every finding of the review counts, whatever the profile.",
        ),
        Described(
            Profile.OWASP_2026_07,
            "OWASP Secure Headers Project, the recommended values of July 2026",
            OWASP_LINK,
            "Clear-Site-Data, which is for the one answer that ends a session: elsewhere it would end all of them. The list of "
            "headers to remove, which the review knows by itself.",
            _requirements(Profile.OWASP_2026_07, _OWASP),
        ),
        _asvs(Profile.ASVS_5_L1, 1, (("3.4.1", demands_access.HSTS_YEAR), *_LEVEL_1), _ASVS_LEFT_OUT),
        _asvs(Profile.ASVS_5_L2, 2, _LEVEL_2, _ASVS_LEFT_OUT),
        _asvs(
            Profile.ASVS_5_L3,
            3,
            _LEVEL_3,
            f"{_ASVS_LEFT_OUT} 3.3.5, the length of cookies: their values are not kept.",
        ),
        Described(
            Profile.API,
            "Answers of APIs alone: the headers of OWASP's REST security cheat sheet",
            REST_LINK,
            "Content-Type, by which an answer counts as one of an API; Permissions-Policy and Referrer-Policy, which say nothing "
            "about an answer that no browser renders.",
            _requirements(Profile.API, _API, frozenset({ResponseClass.API})),
        ),
    )
}

DEMANDS: tuple[Demand, ...] = tuple(
    {
        requirement.demand.rule.code: requirement.demand
        for profile in PROFILES.values()
        for requirement in profile.requirements
    }.values()
)
"""Everything that any profile demands."""
