"""Content-Security-Policy where Chromium and Firefox were seen to do different things with one value (docs/truth.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from review.csp import effective, names, parse, sources
from review.csp.parse import Policy
from review.csp.sources import Kind, Source
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_MOST = 20
_QUERY = re.compile(r"[?#]")

BROWSERS_DIFFER = Rule(
    code="csp.browsers_differ",
    severity=Severity.LOW,
    title="Browsers read a part of the policy differently",
    browser="Chromium 156 and Firefox 153 were recorded with this form: the detail says what each of them does.",
    why="What works in one browser is blocked in the other, or the protection is weaker there.",
    fix="Content-Security-Policy: frame-ancestors https://partner.example; script-src 'self' https://static.example.com\n"
    "Hosts without port 80 and query, frame-ancestors without paths, style-src beside 'strict-dynamic'.",
    link="https://www.w3.org/TR/CSP3/#match-url-to-source-expression",
    classes=DOCUMENTS,
)
RULES = (BROWSERS_DIFFER,)
EFFECTIVE: dict[str, Callable[[Received], Any]] = {}


def check(received: Received) -> Iterator[Finding]:
    """Say what of an enforced policy means one thing in Chromium and another in Firefox."""
    for policy in parse.enforced(received):
        line = parse.evidence(received, policy)
        for name, detail in islice(_of_policy(policy, secure=received.secure), _MOST):
            yield BROWSERS_DIFFER.found(line, name, detail)


def _of_policy(policy: Policy, *, secure: bool) -> Iterator[tuple[str, str]]:
    for name, value in policy.directives.items():
        if name in names.SOURCE_LISTS:
            listed = sources.source_list(value).sources
            found = (f"{one.text[:60]}: {what}" for one in listed if (what := _of_source(one, name, secure)))
            yield from ((name, detail) for detail in islice(found, 1))
    yield from _of_styles(policy)


def _of_source(source: Source, directive: str, secure: bool) -> str:
    if source.kind is Kind.INVALID:
        bare = _QUERY.split(source.text, maxsplit=1)[0]
        if bare != source.text and sources.source(bare).kind is Kind.HOST:
            return "Chromium ignores the source, Firefox only what begins with the mark"
    if source.kind is not Kind.HOST:
        return ""
    if source.host == "*" and source.path:
        return "Chromium obeys the source, Firefox ignores it"
    if directive == "frame-ancestors" and source.path not in {"", "/"}:
        return "with a path it fits no page in Chromium; Firefox ignores the path"
    if secure and source.port == "80" and source.scheme not in {"http", "ws"}:
        return "port 80 stands for 443 too in Firefox, not in Chromium"
    return ""


def _of_styles(policy: Policy) -> Iterator[tuple[str, str]]:
    """Where 'strict-dynamic' of default-src reaches styles."""
    listed = effective.governing_list(policy, "style-src-elem")
    by_default = effective.governing(policy, "style-src-elem") == "default-src"
    wanted = {sources.STRICT_DYNAMIC, sources.UNSAFE_INLINE}
    if by_default and listed is not None and wanted <= listed.keywords and not listed.trusts_code:
        yield (
            "default-src",
            "beside 'strict-dynamic' Chromium ignores 'unsafe-inline' for styles as well, Firefox for scripts alone",
        )
