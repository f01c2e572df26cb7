"""Content-Security-Policy as a whole: whether one is enforced, and what several of them leave together (CSP3)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from review.csp import effective, parse, places
from review.csp.parse import Policy
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_LINK = "https://www.w3.org/TR/CSP3/"
_MOST = 20
"""So many findings of one code on one answer are enough to see what is wrong."""
_STRICT = (
    "Content-Security-Policy: script-src 'nonce-{random}' 'strict-dynamic'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'self'\n"
)

MISSING = Rule(
    code="csp.missing",
    severity=Severity.HIGH,
    title="No content security policy is enforced",
    browser="It runs every script that stands in the page, whoever wrote it there, and loads more from anywhere.",
    why="One place where the site shows text of a user unescaped is enough to take over that page for its visitors.",
    fix=f"{_STRICT}Begin with the same value in Content-Security-Policy-Report-Only, and a new nonce in every response.",
    link=_LINK,
    classes=DOCUMENTS,
)
REPORT_ONLY = Rule(
    code="csp.report_only",
    severity=Severity.HIGH,
    title="The only content security policy is one that reports",
    browser="It tells what the policy would have stopped, and stops nothing.",
    why="A trial protects nobody while it lasts, and many last for years.",
    fix=f"{_STRICT}Send what has been tried under this name; the next draft can be reported on beside it.",
    link="https://www.w3.org/TR/CSP3/#cspro-header",
    classes=DOCUMENTS,
)
MISSING_SCRIPT_SRC = Rule(
    code="csp.missing_script_src",
    severity=Severity.HIGH,
    title="The policy says nothing about scripts",
    browser="Without script-src and default-src it runs every script, inline and from anywhere, as without a policy.",
    why="Scripts are what a policy is for: injected text of a user becomes code of the site.",
    fix="Content-Security-Policy: script-src 'nonce-{random}' 'strict-dynamic'; object-src 'none'; base-uri 'none'",
    link="https://www.w3.org/TR/CSP3/#directive-script-src",
    classes=DOCUMENTS,
)
NOTHING_ALLOWED = Rule(
    code="csp.nothing_allowed_conflict",
    severity=Severity.MEDIUM,
    title="Several policies together allow no script at all",
    browser="It runs a script only if every policy allows it; here each of them allows others.",
    why="Either no script of the page works, or one of the policies does not reach users: a proxy may drop it.",
    fix="Content-Security-Policy: script-src 'self'\nSend one policy, from one place: application, server or network.",
    link="https://www.w3.org/TR/CSP3/#multiple-policies",
    classes=DOCUMENTS,
)
META_ONLY = Rule(
    code="csp.meta_only",
    severity=Severity.INFO,
    title="The policy stands in the page only",
    browser="It enforces a policy of a meta element from that element on, and not frame-ancestors, sandbox or reports.",
    why="What stands before the element is not covered, and answers without a body of this kind have no policy.",
    fix=f"{_STRICT}Send the policy as a header where the server allows it.",
    link="https://html.spec.whatwg.org/#attr-meta-http-equiv-content-security-policy",
    classes=DOCUMENTS,
)
META_IGNORED = Rule(
    code="csp.meta_ignored_directive",
    severity=Severity.MEDIUM,
    title="A policy in the page has a directive that only a header can give",
    browser="It ignores frame-ancestors, sandbox and report-uri in a meta element.",
    why="The directive looks as if it protected, and does not.",
    fix="Content-Security-Policy: frame-ancestors 'self'\nSend the directive in a header.",
    link="https://html.spec.whatwg.org/#attr-meta-http-equiv-content-security-policy",
    classes=DOCUMENTS,
)
FRAME_ANCESTORS_WIDE = Rule(
    code="csp.frame_ancestors_wide",
    severity=Severity.MEDIUM,
    title="frame-ancestors lets every site show the page in a frame",
    browser="It lets any site that matches frame the page, and does not look at X-Frame-Options any more.",
    why="Another site can lay the page under its own buttons and have visitors click what they do not see.",
    fix="Content-Security-Policy: frame-ancestors 'self'\nName the sites that may frame the page, with https://.",
    link="https://www.w3.org/TR/CSP3/#directive-frame-ancestors",
    classes=DOCUMENTS,
)
RULES = (
    MISSING,
    REPORT_ONLY,
    MISSING_SCRIPT_SRC,
    NOTHING_ALLOWED,
    META_ONLY,
    META_IGNORED,
    FRAME_ANCESTORS_WIDE,
)


def _effective(name: str, received: Received) -> dict[str, Any] | None:
    policies = parse.header(received.values(name))
    if not policies:
        return None
    return {
        "policies": [
            {"directives": {name: list(value) for name, value in policy.directives.items()}}
            for policy in policies
        ]
    }


EFFECTIVE = {
    parse.ENFORCED: lambda received: _effective(parse.ENFORCED, received),
    parse.REPORT_ONLY: lambda received: _effective(parse.REPORT_ONLY, received),
}


def check(received: Received) -> Iterator[Finding]:
    """Say where no policy protects, or several of them contradict each other."""
    policies = parse.enforced(received)
    if policies:
        yield from _of_scripts(received, policies)
        yield from _of_frames(received, policies)
    else:
        yield _missing(received)
    yield from islice(_of_meta(received, policies), _MOST)


def _missing(received: Received) -> Finding:
    if parse.header(received.values(parse.REPORT_ONLY)):
        return REPORT_ONLY.found(received.line(parse.REPORT_ONLY))
    detail = "the header is there and holds no directive" if received.has(parse.ENFORCED) else ""
    return MISSING.found(received.line(parse.ENFORCED), detail=detail)


def _of_scripts(received: Received, policies: tuple[Policy, ...]) -> Iterator[Finding]:
    allowed = effective.together(policies, "script-src-elem")
    if allowed.everything:
        yield MISSING_SCRIPT_SRC.found(_all_lines(received, policies))
    elif allowed.nothing and _each_allows_some(policies):
        yield NOTHING_ALLOWED.found(_all_lines(received, policies))


def _each_allows_some(policies: tuple[Policy, ...]) -> bool:
    """Whether each policy allows a script, and none by a nonce or hash, which a script of any other can have too."""
    each = [effective.allowed(policy, "script-src-elem") for policy in policies]
    plain = (one.everything or one.grants <= {effective.INLINE} for one in each)
    return all(plain) and not any(one.nothing for one in each)


def _of_frames(received: Received, policies: tuple[Policy, ...]) -> Iterator[Finding]:
    allowed = effective.together(policies, "frame-ancestors")
    if not allowed.everything and allowed.reaches(places.Place("https", "*")):
        deciding = next(policy for policy in policies if "frame-ancestors" in policy.directives)
        yield FRAME_ANCESTORS_WIDE.found(parse.evidence(received, deciding), "frame-ancestors")


def _of_meta(received: Received, policies: tuple[Policy, ...]) -> Iterator[Finding]:
    if policies and all(policy.in_meta for policy in policies):
        yield META_ONLY.found(parse.evidence(received, policies[0]))
    for policy, line in parse.written(received):
        for name in policy.meta_ignored:
            yield META_IGNORED.found(line, name)


def _all_lines(received: Received, policies: tuple[Policy, ...]) -> str:
    return "\n".join(dict.fromkeys(parse.evidence(received, policy) for policy in policies))
