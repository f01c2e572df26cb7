"""Referrer-Policy (W3C Referrer Policy, section 8.1), and the meta elements that replace it (HTML, 4.2.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from review.finding import DOCUMENTS, EXECUTED, Finding, Rule, Severity
from review.received import WHITESPACE, Received

HEADER = "referrer-policy"
DEFAULT = "strict-origin-when-cross-origin"
"""What browsers do without a policy."""

POLICIES = frozenset(
    {
        "no-referrer",
        "no-referrer-when-downgrade",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    }
)
WEAK = frozenset({"no-referrer-when-downgrade", "origin", "origin-when-cross-origin"})
_META_ONLY = {
    "never": "no-referrer",
    "default": DEFAULT,
    "always": "unsafe-url",
    "origin-when-crossorigin": "origin-when-cross-origin",
}
"""Old words that only a meta element may use."""

_WHITESPACE = " \t\n\f\r"
_WORD = re.compile(rf"(?<![^,])[{WHITESPACE}]*+({'|'.join(sorted(POLICIES))})[{WHITESPACE}]*+(?![^,])")
"""A word of a list in small letters that is a policy."""
_LINK = "https://w3c.github.io/webappsec-referrer-policy/"
_FIX = "Referrer-Policy: strict-origin-when-cross-origin"

MISSING = Rule(
    code="referrer_policy.missing",
    severity=Severity.INFO,
    title="No Referrer-Policy is set",
    browser="It uses strict-origin-when-cross-origin: other sites learn the origin alone. Browsers from before 2021 sent the whole URL.",
    why="Opinion: saying it makes the behaviour the same in every browser, and shows that somebody decided.",
    fix=_FIX,
    link=f"{_LINK}#default-referrer-policy",
    classes=DOCUMENTS,
    opinion=True,
)
IGNORED = Rule(
    code="referrer_policy.ignored",
    severity=Severity.LOW,
    title="Referrer-Policy has no value that browsers know",
    browser="It skips words that it does not know, and falls back to strict-origin-when-cross-origin. Chromium drops all of the header for a word with other characters than letters and hyphens.",
    why="A stricter policy that was meant is not in force.",
    fix=_FIX,
    link=f"{_LINK}#parse-referrer-policy-from-header",
    classes=EXECUTED,
)
UNSAFE = Rule(
    code="referrer_policy.unsafe_url",
    severity=Severity.MEDIUM,
    title="Other sites receive the whole URL of the page",
    browser="unsafe-url makes Chromium send path and query to every site, even from https to http. Firefox was seen to tell other sites no more than the origin, and http nothing; Safari trims it as well.",
    why="Paths and queries carry search words, document names and tokens; whoever is linked or embedded reads them, and so does the network.",
    fix=_FIX,
    link=f"{_LINK}#referrer-policy-unsafe-url",
    classes=EXECUTED,
)
WEAK_POLICY = Rule(
    code="referrer_policy.weak",
    severity=Severity.LOW,
    title="Referrer-Policy tells more than browsers would without it",
    browser="no-referrer-when-downgrade sends the whole URL to other https sites; origin and origin-when-cross-origin send the origin to http as well. So does Chromium; Firefox tells other sites no more than it would without the header.",
    why="The header loosens the default, which sends only the origin, and nothing from https to http.",
    fix=_FIX,
    link=f"{_LINK}#referrer-policies",
    classes=EXECUTED,
)
META_REPLACES = Rule(
    code="referrer_policy.meta_replaces",
    severity=Severity.INFO,
    title="A meta element replaces Referrer-Policy",
    browser="It takes the last recognised meta referrer of the page instead of the header, from there on.",
    why="Who reads the header alone believes in a policy that is not in force.",
    fix=f"{_FIX}\nRemove the meta element, or give both the same value.",
    link="https://html.spec.whatwg.org/multipage/semantics.html#meta-referrer",
    classes=DOCUMENTS,
)
RULES = (MISSING, IGNORED, UNSAFE, WEAK_POLICY, META_REPLACES)


def effective(received: Received) -> str | None:
    """The last word of all lines that is a policy, or None where the default stays."""
    combined = received.combined(HEADER)
    if combined is None:
        return None
    return _last(_WORD.findall(combined.lower()))


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def in_force(received: Received) -> str | None:
    """The policy that the page ends up with: that of its last meta element, else of the header; None: the default."""
    return _meta(received) or effective(received)


def check(received: Received) -> Iterator[Finding]:
    """Say what other sites learn of the page's URL, and where a policy is not in force."""
    policy, meta = effective(received), _meta(received)
    line = received.line(HEADER)
    if received.has(HEADER) and policy is None:
        yield IGNORED.found(line)
    if meta is not None and policy is not None and meta != policy:
        yield META_REPLACES.found(line, detail=f"the page says {meta}")
    in_force = meta or policy
    if in_force is None and not received.has(HEADER):
        yield MISSING.found()
    evidence = line if meta is None else f'<meta name="referrer" content="{meta}">'
    if in_force == "unsafe-url":
        yield UNSAFE.found(evidence)
    elif in_force in WEAK:
        yield WEAK_POLICY.found(evidence, detail=str(in_force))


def _meta(received: Received) -> str | None:
    """The policy of the last meta element that has one; each holds a single word."""
    contents = received.facts.meta_referrers if received.facts is not None else ()
    words = (content.strip(_WHITESPACE).lower() for content in contents)
    return _last(found for word in words if (found := _META_ONLY.get(word, word)) in POLICIES)


def _last(policies: Iterable[str]) -> str | None:
    found = None
    for found in policies:  # noqa: B007 - the last one is what is wanted
        pass
    return found
