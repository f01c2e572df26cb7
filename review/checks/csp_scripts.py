"""Content-Security-Policy: which scripts and styles all enforced policies together let run (CSP3, sections 6 to 8)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from review.csp import effective, hosts, parse, places, sources
from review.csp.effective import Allowed
from review.csp.parse import Policy
from review.csp.sources import Kind, Source, SourceList
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_SCRIPT_LINK = "https://www.w3.org/TR/CSP3/#directive-script-src"
_STRICT = "Content-Security-Policy: script-src 'nonce-{random}' 'strict-dynamic'"
_MOST = 20
"""So many findings of one code on one answer are enough to see what is wrong."""
SHORTEST_NONCE = 22
"""Characters of base64 that 128 bits take (CSP3, section 7.1), without padding."""

_rule = functools.partial(Rule, classes=DOCUMENTS)

UNSAFE_INLINE_SCRIPT = _rule(
    code="csp.unsafe_inline_script",
    severity=Severity.HIGH,
    title="Scripts that stand in the page may run",
    browser="It obeys 'unsafe-inline' where no nonce, no hash and no 'strict-dynamic' is in the same list.",
    why="Whatever an attacker gets into the page runs: the policy does not stop cross-site scripting.",
    fix=f"{_STRICT} 'unsafe-inline'\nWith a nonce, 'unsafe-inline' is left for browsers that know no nonces.",
    link="https://www.w3.org/TR/CSP3/#allow-all-inline",
)
WIDE_SCRIPT_SOURCE = _rule(
    code="csp.wide_script_source",
    severity=Severity.HIGH,
    title="Scripts may come from almost anywhere",
    browser="It loads scripts from everything that the source matches.",
    why="An attacker who can add a script element loads code from a place of their own.",
    fix=f"{_STRICT}\nWith nonces no hosts are needed; otherwise name each host with https://.",
    link=_SCRIPT_LINK,
)
BLOB_SCRIPT_SOURCE = _rule(
    code="csp.blob_script_source",
    severity=Severity.LOW,
    title="Scripts may come from blobs",
    browser="It runs scripts from blob: URLs, which other scripts of the same origin have made.",
    why="A script that turns data into a blob makes code of it: what `eval` would do, by another name.",
    fix="Content-Security-Policy: script-src 'self'; worker-src blob:\nIf only workers need blobs, allow them there.",
    link=_SCRIPT_LINK,
)
BYPASS_HOST = _rule(
    code="csp.bypass_host",
    severity=Severity.MEDIUM,
    title="Scripts are allowed from a host that serves code fit for an attack",
    browser="It loads any script of an allowed host, also one that was put there for another purpose.",
    why="With a well-known script of that host, an attacker who can add a script element runs code despite the policy.",
    fix=f"{_STRICT}\nOr serve the files from the site itself, or allow their exact paths.",
    link="https://www.w3.org/TR/CSP3/#strict-dynamic-usage",
)
UNSAFE_EVAL = _rule(
    code="csp.unsafe_eval",
    severity=Severity.MEDIUM,
    title="Text may be turned into code",
    browser="It lets eval, new Function and setTimeout with text run.",
    why="A script of the site that passes on text of a user to them runs it; some template libraries do.",
    fix="Content-Security-Policy: script-src 'self'\nFor WebAssembly alone, 'wasm-unsafe-eval' is enough.",
    link="https://www.w3.org/TR/CSP3/#can-compile-strings",
)
UNSAFE_HASHES = _rule(
    code="csp.unsafe_hashes",
    severity=Severity.LOW,
    title="Code in attributes may run, if its hash is listed",
    browser="With 'unsafe-hashes' it runs event handlers and javascript: URLs whose hash is in the list.",
    why="An attacker can put the same handler on another element, and so call it out of place.",
    fix="Content-Security-Policy: script-src 'sha256-...'\nAdd event handlers by addEventListener.",
    link="https://www.w3.org/TR/CSP3/#unsafe-hashes-usage",
)
UNSAFE_INLINE_STYLE = _rule(
    code="csp.unsafe_inline_style",
    severity=Severity.LOW,
    title="Styles that stand in the page may apply",
    browser="It applies style elements and style attributes, whoever wrote them into the page.",
    why="Injected styles can cover the page, and read values of attributes letter by letter.",
    fix="Content-Security-Policy: style-src 'self' 'nonce-{random}'",
    link="https://www.w3.org/TR/CSP3/#directive-style-src",
)
STRICT_DYNAMIC_ALONE = _rule(
    code="csp.strict_dynamic_without_nonce",
    severity=Severity.MEDIUM,
    title="'strict-dynamic' without a nonce or hash blocks every script",
    browser="It ignores hosts, schemes, 'self' and 'unsafe-inline' beside 'strict-dynamic'; nothing is left to trust.",
    why="No script of the page runs, except in old browsers, which obey the hosts.",
    fix=_STRICT,
    link="https://www.w3.org/TR/CSP3/#strict-dynamic-usage",
)
SHORT_NONCE = _rule(
    code="csp.short_nonce",
    severity=Severity.MEDIUM,
    title="A nonce is short enough to be guessed",
    browser="It compares nonces as text, and accepts one of any length.",
    why="A guessed nonce lets injected scripts run; the standard asks for 128 bits from a secure source.",
    fix=f"{_STRICT}\n16 random bytes in base64, new in every response.",
    link="https://www.w3.org/TR/CSP3/#security-nonces",
)
RULES = (
    UNSAFE_INLINE_SCRIPT,
    WIDE_SCRIPT_SOURCE,
    BLOB_SCRIPT_SOURCE,
    BYPASS_HOST,
    UNSAFE_EVAL,
    UNSAFE_HASHES,
    UNSAFE_INLINE_STYLE,
    STRICT_DYNAMIC_ALONE,
    SHORT_NONCE,
)
EFFECTIVE: dict[str, Callable[[Received], Any]] = {}

_Policies = tuple[Policy, ...]


def check(received: Received) -> Iterator[Finding]:
    """Say what an attacker's script or style could still do under all enforced policies."""
    policies = parse.enforced(received)
    if not policies:
        return
    if not effective.together(policies, "script-src-elem").everything:
        yield from _of_inline(received, policies)
        yield from islice(_of_sources(received, policies), _MOST)
        yield from islice(_of_bypasses(received, policies), _MOST)
        yield from _of_keywords(received, policies)
    yield from _of_styles(received, policies)
    yield from _of_single_lists(received, policies)


def _of_inline(received: Received, policies: _Policies) -> Iterator[Finding]:
    for directive in ("script-src-elem", "script-src-attr"):
        if effective.together(policies, directive).has(effective.INLINE):
            name, line = effective.governing_line(received, policies, directive)
            yield UNSAFE_INLINE_SCRIPT.found(line, name)
            return


def _of_styles(received: Received, policies: _Policies) -> Iterator[Finding]:
    for directive in ("style-src-elem", "style-src-attr"):
        allowed = effective.together(policies, directive)
        if not allowed.everything and allowed.has(effective.INLINE):
            name, line = effective.governing_line(received, policies, directive)
            yield UNSAFE_INLINE_STYLE.found(line, name)
            return


def _of_sources(received: Received, policies: _Policies) -> Iterator[Finding]:
    """Wide sources that every policy allows. Those of one policy are enough: a wide one is in each of them."""
    together = effective.together(policies, "script-src-elem")
    if not together.places:
        return
    for policy, source in _script_places(policies):
        wide = hosts.wide(source)
        if wide and _is_reached(source, together):
            yield WIDE_SCRIPT_SOURCE.found(parse.evidence(received, policy), source.text, wide)
        elif source.scheme == "blob" and _is_reached(source, together):
            yield BLOB_SCRIPT_SOURCE.found(parse.evidence(received, policy), source.text)


def _of_bypasses(received: Received, policies: _Policies) -> Iterator[Finding]:
    together = effective.together(policies, "script-src-elem")
    reached = [(place, reason) for place, reason in hosts.BYPASSES if together.reaches(place)]
    if not reached:
        return
    for policy, source in _script_places(policies):
        if source.kind is Kind.HOST and hosts.wide(source) is None:
            reason = _reason(source, reached)
            if reason:
                yield BYPASS_HOST.found(parse.evidence(received, policy), source.text, reason)


def _reason(source: Source, reached: list[tuple[places.Place, str]]) -> str | None:
    covered = places.places((source,))
    for place, reason in reached:
        if places.covers(covered, place):
            return reason if source.host == place.host else f"{place.host} {reason}"
    return None


def _is_reached(source: Source, together: Allowed) -> bool:
    return all(together.reaches(place) for place in places.places((source,)))


def _script_places(policies: _Policies) -> Iterator[tuple[Policy, Source]]:
    """Each source that scripts may come from, by any policy, once; none of lists with 'strict-dynamic'."""
    seen: set[str] = set()
    for policy, listed in _lists(policies, "script-src-elem"):
        if sources.STRICT_DYNAMIC not in listed.keywords:
            fresh = [source for source in listed.places if source.text not in seen]
            seen.update(source.text for source in fresh)
            yield from ((policy, source) for source in fresh)


def _of_keywords(received: Received, policies: _Policies) -> Iterator[Finding]:
    name, line = effective.governing_line(received, policies, "script-src")
    evaluated = effective.together(policies, "script-src")
    if not evaluated.everything and evaluated.has(effective.EVAL):
        yield UNSAFE_EVAL.found(line, name)
    attributes = effective.together(policies, "script-src-attr")
    if attributes.grants and not attributes.has(effective.INLINE):
        name, line = effective.governing_line(received, policies, "script-src-attr")
        yield UNSAFE_HASHES.found(line, name)


def _of_single_lists(received: Received, policies: _Policies) -> Iterator[Finding]:
    for policy, listed in _lists(policies, "script-src-elem"):
        line = parse.evidence(received, policy)
        if sources.STRICT_DYNAMIC in listed.keywords and not listed.trusts_code:
            yield STRICT_DYNAMIC_ALONE.found(line)
        if any(_is_short(nonce) for nonce in listed.nonces):
            yield SHORT_NONCE.found(line)


def _is_short(nonce: str) -> bool:
    """Of a snapshot's placeholder nobody knows."""
    return not nonce.startswith("<") and len(nonce.rstrip("=")) < SHORTEST_NONCE


def _lists(policies: _Policies, directive: str) -> Iterator[tuple[Policy, SourceList]]:
    for policy in policies:
        listed = effective.governing_list(policy, directive)
        if listed is not None:
            yield policy, listed
