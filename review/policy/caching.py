"""Cache rules as part of a policy: which of them holds the pages of a header set, and what they miss in it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence

from headersweep.cachematch import Claim
from headersweep.cacherules import CacheRule
from headersweep.policies import Policy
from review.cacherules import policy as permitting
from review.cacherules import rules
from review.finding import Finding
from review.received import Received

TOLD_ALREADY = {rules.SET_COOKIE.code: frozenset({"cache.personal_shared", "cache.cookie_cacheable"})}
"""What the review's own findings on the same header set say already."""


def zone(cache: Sequence[CacheRule]) -> str:
    """The name of a list of rules: other rules have another, whatever they are called."""
    return f"cache {hashlib.sha256(repr(tuple(cache)).encode()).hexdigest()[:16]}"


def claimed(name: str, claim: Claim) -> str:
    """The name of the pages that a claim of these rules holds."""
    return f"{name} {claim.rule.name} {claim.bypass.label if claim.bypass else ''}".rstrip()


def unmet(
    policy: Policy, zones: Collection[str] | None, received: Received, known: Collection[str]
) -> Iterator[Finding]:
    """What the rule misses that holds the pages of these scopes; nothing where pages were not told apart.

    ``known`` are the codes of the review's own findings on the same answer.
    """
    claim = _claim(policy, zones or ())
    if claim is None:
        return
    for finding in permitting.findings(claim, received, policy.cache_kind):
        if not TOLD_ALREADY.get(finding.code, frozenset()) & set(known):
            yield finding._replace(detail=f"{finding.detail}; rollback: {claim.rule.rollback_note}")


def _claim(policy: Policy, zones: Collection[str]) -> Claim | None:
    if not policy.cache:
        return None
    name = zone(policy.cache)
    for rule in policy.cache:
        for bypass in (None, *rule.bypass):
            if claimed(name, Claim(rule, bypass)) in zones:
                return Claim(rule, bypass)
    return None
