"""Content-Security-Policy: directives without which a policy that restricts scripts leaves a way around (CSP3)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from review.csp import effective, parse, places
from review.csp.effective import Allowed
from review.csp.parse import Policy
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_rule = functools.partial(Rule, classes=DOCUMENTS)

MISSING_OBJECT_SRC = _rule(
    code="csp.missing_object_src",
    severity=Severity.LOW,
    title="Nothing restricts object and embed elements",
    browser="It loads what they name from anywhere. Today that is documents and pictures; plugins are gone.",
    why="Older browsers run plugins with the rights of the page.",
    fix="Content-Security-Policy: object-src 'none'\nAdd the directive to the policy.",
    link="https://www.w3.org/TR/CSP3/#directive-object-src",
)
MISSING_BASE_URI = _rule(
    code="csp.missing_base_uri",
    severity=Severity.MEDIUM,
    title="An injected base element can redirect trusted scripts",
    browser="It resolves relative URLs of scripts with a nonce or hash against any base element, and loads them.",
    why="One injected <base href=...> makes the site's own trusted script elements load an attacker's files.",
    fix="Content-Security-Policy: base-uri 'none'\nAdd the directive to the policy; it does not fall back to default-src.",
    link="https://www.w3.org/TR/CSP3/#directive-base-uri",
)
TRUSTED_TYPES_MISSING = _rule(
    code="csp.trusted_types_missing",
    severity=Severity.INFO,
    title="Trusted Types are not required",
    browser="It lets scripts pass plain text to innerHTML and the like. With the directive those calls fail.",
    why="In our opinion worth a look where scripts are restricted already: it closes what is left, in the scripts.",
    fix="Content-Security-Policy: require-trusted-types-for 'script'\nTry it as report-only first.",
    link="https://www.w3.org/TR/trusted-types/",
    opinion=True,
)
RULES = (MISSING_OBJECT_SRC, MISSING_BASE_URI, TRUSTED_TYPES_MISSING)
EFFECTIVE: dict[str, Callable[[Received], Any]] = {}

_Policies = tuple[Policy, ...]


def check(received: Received) -> Iterator[Finding]:
    """Say what policies that restrict scripts forgot; of others there is worse to say."""
    policies = parse.enforced(received)
    if policies and not effective.together(policies, "script-src-elem").everything:
        yield from _of_absences(received, policies)


def _of_absences(received: Received, policies: _Policies) -> Iterator[Finding]:
    _, line = effective.governing_line(received, policies, "script-src-elem")
    if effective.together(policies, "object-src").everything:
        yield MISSING_OBJECT_SRC.found(line)
    if _needs_base(policies) and effective.together(policies, "base-uri").reaches(places.ANYWHERE):
        yield MISSING_BASE_URI.found(line)
    scripts = effective.together(policies, "script-src-elem")
    is_strict = not (scripts.nothing or scripts.has(effective.INLINE))
    if is_strict and not any("require-trusted-types-for" in policy.directives for policy in policies):
        yield TRUSTED_TYPES_MISSING.found(line)


def _needs_base(policies: _Policies) -> bool:
    """Whether a script that is trusted by what stands beside it, not by its URL, is fetched from wherever base says.

    A hash without 'strict-dynamic' says what the file must be. A list of hosts beside it would still stop the file.
    """
    each = [effective.allowed(policy, "script-src-elem") for policy in policies]
    by_mark = (
        one.everything
        or effective.NONCED in one.grants
        or effective.DYNAMIC in one.grants
        or one.reaches(places.ANYWHERE)
        for one in each
    )
    marked = any(effective.NONCED in one.grants or _is_dynamic_by_hash(one) for one in each)
    return marked and all(by_mark)


def _is_dynamic_by_hash(one: Allowed) -> bool:
    return effective.DYNAMIC in one.grants and len(one.grants) > 1
