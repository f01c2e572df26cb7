"""Content-Security-Policy as it was typed: what browsers drop without a word (CSP3, section 2.2 and 2.3)."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from review import spelling
from review.csp import names, parse, sources
from review.csp.parse import Policy
from review.csp.sources import Kind, Source, SourceList
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_LIST_LINK = "https://www.w3.org/TR/CSP3/#framework-directive-source-list"
_PARSE_LINK = "https://www.w3.org/TR/CSP3/#parse-serialized-policy"
_MOST = 20
"""So many findings on one policy are enough to see what is wrong."""

_DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}
_BARE_KEYWORD = re.compile(
    r"""["'`]?(self|none|unsafe-inline|unsafe-eval|unsafe-hashes|strict-dynamic|report-sample|wasm-unsafe-eval"""
    r"""|nonce-.+|sha(?:256|384|512)-.+)["'`]?""",
    re.IGNORECASE,
)
_OTHER_HASH = re.compile(r"'(?:sha-?\d+|md5)-", re.IGNORECASE)

_rule = functools.partial(Rule, classes=DOCUMENTS)

UNKNOWN_DIRECTIVE = _rule(
    code="csp.unknown_directive",
    severity=Severity.MEDIUM,
    title="A directive that no browser knows",
    browser="It ignores the directive; what that should have restricted is not restricted.",
    why="Mostly a misspelt name: the policy looks stricter than it is.",
    fix="Content-Security-Policy: script-src 'self'\nCorrect the name, or take the directive out.",
    link="https://www.w3.org/TR/CSP3/#csp-directives",
)
DEPRECATED_DIRECTIVE = _rule(
    code="csp.deprecated_directive",
    severity=Severity.LOW,
    title="A directive that browsers no longer obey",
    browser="It ignores the directive.",
    why="Who reads the policy believes in a protection that is not there, or that is there without it.",
    fix="Content-Security-Policy: default-src 'self'\nTake the directive out.",
    link="https://www.w3.org/TR/CSP3/#csp-directives",
)
UNQUOTED_KEYWORD = _rule(
    code="csp.unquoted_keyword",
    severity=Severity.MEDIUM,
    title="A keyword without its single quotes",
    browser="It takes the word for the name of a host: `self` is a host called self.",
    why="The keyword has no effect: what it should allow is blocked, or what it should forbid is not.",
    fix="Content-Security-Policy: default-src 'self'",
    link=_LIST_LINK,
)
UNKNOWN_KEYWORD = _rule(
    code="csp.unknown_keyword",
    severity=Severity.LOW,
    title="A quoted word that is no keyword",
    browser="It ignores the word.",
    why="Mostly a misspelt keyword, or a host in quotes: it allows nothing.",
    fix="Content-Security-Policy: script-src 'self' https://static.example.com\nKeywords in quotes, hosts without.",
    link=_LIST_LINK,
)
INVALID_SOURCE = _rule(
    code="csp.invalid_source",
    severity=Severity.LOW,
    title="A source that browsers do not understand",
    browser="It ignores the source. A wildcard stands for whole labels at the left only: *.example.com.",
    why="What the source should allow is blocked.",
    fix="Content-Security-Policy: img-src https://*.example.com",
    link=_LIST_LINK,
)
REPEATED_DIRECTIVE = _rule(
    code="csp.repeated_directive",
    severity=Severity.MEDIUM,
    title="A directive stands twice in one policy",
    browser="It obeys the first one and ignores the others.",
    why="What was added in the second place has no effect, whether it should allow or forbid.",
    fix="Content-Security-Policy: script-src 'self' https://static.example.com\nPut all sources into one directive.",
    link=_PARSE_LINK,
)
MISSING_SEMICOLON = _rule(
    code="csp.missing_semicolon",
    severity=Severity.MEDIUM,
    title="A semicolon is missing before a directive",
    browser="It takes the directive's name for a host, and its sources for sources of the directive before.",
    why="The second directive does not exist, and the first allows what was meant for the second.",
    fix="Content-Security-Policy: default-src 'self'; object-src 'none'",
    link=_PARSE_LINK,
)
NONE_WITH_OTHERS = _rule(
    code="csp.none_with_others",
    severity=Severity.LOW,
    title="'none' stands beside other sources",
    browser="It ignores 'none' there, and obeys the others.",
    why="The list forbids nothing by that word, although it reads so.",
    fix="Content-Security-Policy: object-src 'none'\nLeave 'none' alone, or take it out.",
    link=_LIST_LINK,
)
BAD_HASH = _rule(
    code="csp.bad_hash",
    severity=Severity.MEDIUM,
    title="A hash that no script or style can have",
    browser="It knows sha256, sha384 and sha512 in base64. A digest of another length fits nothing.",
    why="What was meant by it is blocked; one that is only too short or long still switches 'unsafe-inline' off.",
    fix="Content-Security-Policy: script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='\n"
    "Browsers print the right hash in their console when they block the script.",
    link="https://www.w3.org/TR/CSP3/#grammardef-hash-source",
)
BAD_NONCE = _rule(
    code="csp.bad_nonce",
    severity=Severity.MEDIUM,
    title="A nonce that browsers do not accept as one",
    browser="It ignores the source: a nonce consists of characters of base64.",
    why="Often a template's placeholder that was never filled in; 'unsafe-inline' beside it is in force.",
    fix="Content-Security-Policy: script-src 'nonce-{random}'\n16 random bytes in base64, new in every response.",
    link="https://www.w3.org/TR/CSP3/#grammardef-nonce-source",
)
HTTP_SOURCE = _rule(
    code="csp.http_source",
    severity=Severity.LOW,
    title="A policy of an https page allows sources over http",
    browser="It reads http: as http and https. Over http it blocks scripts and frames, and upgrades pictures, itself.",
    why="Where a browser does load it unencrypted, anybody on the way can read and change it.",
    fix="Content-Security-Policy: img-src https://static.example.com",
    link="https://www.w3.org/TR/CSP3/#match-schemes",
)
NON_ASCII = _rule(
    code="csp.non_ascii",
    severity=Severity.MEDIUM,
    title="A directive with a character that is not plain ASCII",
    browser="It skips the whole directive. Often the character is a curly quote or a hard space, copied from a text; "
    "control characters count too.",
    why="What the directive should restrict is not restricted.",
    fix="Content-Security-Policy: default-src 'self'\nStraight quotes; names of hosts in punycode (xn--...).",
    link=_PARSE_LINK,
)
TOO_LONG = _rule(
    code="csp.too_long",
    severity=Severity.LOW,
    title="The policy is too long to be reviewed whole",
    browser="It reads all of it, if the server and what stands between let it through.",
    why="This review stops after 8 policies, 256 directives of one, and 500 sources of a list: nobody oversees more.",
    fix="Content-Security-Policy: script-src 'nonce-{random}' 'strict-dynamic'\nNonces take the place of long lists.",
    link="https://www.w3.org/TR/CSP3/",
)
RULES = (
    UNKNOWN_DIRECTIVE,
    DEPRECATED_DIRECTIVE,
    UNQUOTED_KEYWORD,
    UNKNOWN_KEYWORD,
    INVALID_SOURCE,
    REPEATED_DIRECTIVE,
    MISSING_SEMICOLON,
    NONE_WITH_OTHERS,
    BAD_HASH,
    BAD_NONCE,
    HTTP_SOURCE,
    NON_ASCII,
    TOO_LONG,
)
EFFECTIVE: dict[str, Callable[[Received], Any]] = {}

_Found = Iterator[tuple[Rule, str, str]]
"""A rule, its subject and a detail."""


def check(received: Received) -> Iterator[Finding]:
    """Say what browsers ignore or read otherwise than it was meant, in enforced and in reported policies."""
    for policy, line in parse.written(received):
        for rule, subject, detail in islice(_of_policy(policy, received), _MOST):
            yield rule.found(line, subject, detail)


def _of_policy(policy: Policy, received: Received) -> _Found:
    if policy.cut or any(_is_cut(value) for value in policy.directives.values()):
        yield TOO_LONG, "", ""
    for name in policy.repeated:
        yield REPEATED_DIRECTIVE, name, ""
    if policy.skipped:
        yield NON_ASCII, _name_of(policy.skipped[0]), ""
    for name, value in policy.directives.items():
        yield from _of_name(name)
        if name in names.SOURCE_LISTS:
            yield from _of_list(name, value)
    if received.secure and "upgrade-insecure-requests" not in policy.directives:
        yield from _of_http(policy)


def _is_cut(value: tuple[str, ...]) -> bool:
    return len(value) > sources.MOST_SOURCES and len(set(value)) > sources.MOST_SOURCES


def _name_of(directive: str) -> str:
    """The name, without what is no ASCII in it: a subject is a word."""
    word = parse.tokens(directive)[0][:40]
    return word.lower() if word.isascii() and word.isprintable() else ""


def _of_name(name: str) -> _Found:
    if name in names.DEPRECATED:
        yield DEPRECATED_DIRECTIVE, name, names.DEPRECATED[name]
    elif name not in names.KNOWN:
        near = spelling.suggestion(name, names.KNOWN)
        yield UNKNOWN_DIRECTIVE, name[:80], f"perhaps {near} is meant" if near else ""


def _of_list(name: str, value: tuple[str, ...]) -> _Found:
    listed = sources.source_list(value)
    found = list(_of_sources(listed))
    is_lost = any(rule is MISSING_SEMICOLON for rule, _ in found)
    if sources.NONE in listed.keywords and len(listed.sources) > 1 and not is_lost:
        yield NONE_WITH_OTHERS, name, ""
    yield from ((rule, name, detail) for rule, detail in found)


def _of_sources(listed: SourceList) -> Iterator[tuple[Rule, str]]:
    """Each rule once for a list, with the first source that it is about."""
    told: set[str] = set()
    for source in listed.sources:
        rule = _of_source(source)
        if rule is not None and rule.code not in told:
            told.add(rule.code)
            yield rule, source.text[:80]


def _of_source(source: Source) -> Rule | None:
    if source.kind in {Kind.NONCE, Kind.KEYWORD}:
        return None
    if source.kind is Kind.HASH:
        return None if _is_possible(source.value) else BAD_HASH
    if source.kind is Kind.INVALID:
        return _of_invalid(source.text)
    if names.is_lost_directive(source.text):
        return MISSING_SEMICOLON
    return UNQUOTED_KEYWORD if _BARE_KEYWORD.fullmatch(source.text) else None


def _of_invalid(text: str) -> Rule:
    lowered = text.lower()
    if _OTHER_HASH.match(lowered) and lowered.endswith("'"):
        return BAD_HASH
    if lowered.startswith("'nonce-") and lowered.endswith("'"):
        return BAD_NONCE
    if _BARE_KEYWORD.fullmatch(text):
        return UNQUOTED_KEYWORD
    return UNKNOWN_KEYWORD if lowered.startswith("'") and lowered.endswith("'") else INVALID_SOURCE


def _is_possible(digest: str) -> bool:
    algorithm, _, value = digest.partition("-")
    standard = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4))
    except ValueError:
        return False
    return len(decoded) == _DIGEST_BYTES[algorithm]


def _of_http(policy: Policy) -> _Found:
    for name in policy.directives:
        if name in names.FETCH or name == "form-action":
            listed = sources.source_list(policy.directives[name])
            plain = next((one for one in listed.places if _is_plain(one, name)), None)
            if plain is not None:
                yield HTTP_SOURCE, name, plain.text[:80]


def _is_plain(source: Source, directive: str) -> bool:
    """That of every host in a list of scripts is another finding, and a worse one."""
    is_everywhere = source.host in {"", "*"} and directive in {"default-src", "script-src", "script-src-elem"}
    return source.scheme in {"http", "ws"} and not is_everywhere
