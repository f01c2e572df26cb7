"""How the MDN HTTP Observatory reads Content-Security-Policy: not as browsers do, but exactly as it does."""

from __future__ import annotations

import functools
import itertools
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass

from review.grades.scan import WHITESPACE, Scan

HEADER = "content-security-policy"
SHORTEST_POLICY = 6
MOST_COMPARISONS = 30_000
"""Policies that take more are refused: the comparison of many policies grows with its square."""

_SPACE = re.compile(f"[{WHITESPACE}]+")
_BROKEN_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")
_MAY_REPEAT = frozenset({"report-uri", "report-to"})
_NOT_IN_META = ("frame-ancestors", "report-uri", "sandbox")
_REPEATED = "_repeated"
"""Where repeated reporting directives are noted, among the directives."""

_BROAD = ("ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*")
_LOOSE = frozenset({*_BROAD, "'unsafe-inline'", "data:"})
_NONCE_OR_HASH = ("'sha256-", "'sha384-", "'sha512-", "'nonce-")
_INSECURE = ("http:", "ftp:")
_PASSIVE = ("img-src", "media-src")
_COLLATION = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
_WEIGHTS = {ord(character): chr(weight) for weight, character in enumerate(_COLLATION, 1)}

Directives = dict[str, set[str]]


class UnreadableError(ValueError):
    """The Observatory calls the policy invalid."""


class TooManyError(ValueError):
    """There is more to compare than any real site sends."""


@dataclass(slots=True)
class _Source:
    text: str
    policy: int
    keep: bool
    weight: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of the test, and whether it saw ``frame-ancestors`` anywhere."""

    result: str
    has_frame_ancestors: bool = False


def verdict(scan: Scan) -> Verdict:
    """What the Observatory's test says of the page's policies, those of meta elements included."""
    sent = _split(scan.text(HEADER))
    meta = [policy for content in scan.meta.meta_policies for policy in _split(content)]
    try:
        directives = parse([*sent, *meta])
    except UnreadableError:
        return Verdict("csp-header-invalid")
    if not _enforced(sent, ()) and not _enforced(meta, _NOT_IN_META):
        reporting = "-but-reporting-enabled" if scan.text(f"{HEADER}-report-only") else ""
        return Verdict(f"csp-not-implemented{reporting}")
    return Verdict(_result(directives, https=scan.https), "frame-ancestors" in directives)


def _split(value: str | None) -> list[str]:
    return [] if value is None else [policy.strip(WHITESPACE) for policy in value.split(",")]


def _enforced(policies: list[str], without: Iterable[str]) -> bool:
    try:
        directives = parse(policies)
    except UnreadableError:
        return False
    return bool(set(directives) - set(without))


def _result(directives: Directives, *, https: bool) -> str:
    result = _first_match(directives, https=https)
    if _REPEATED in directives and result in _PASSED:
        return "csp-implemented-but-duplicate-directives"
    return f"csp-{result}"


_PASSED = (
    "implemented-with-no-unsafe",
    "implemented-with-no-unsafe-default-src-none",
    "implemented-with-unsafe-inline-in-style-src-only",
    "implemented-with-insecure-scheme-in-passive-content-only",
)


def _first_match(directives: Directives, *, https: bool) -> str:  # noqa: PLR0911 - their list, in their order
    # Directives that fall back share the set of default-src, and what is taken from one is taken from all.
    script, style, objects = (_fallback(directives, f"{name}-src") for name in ("script", "style", "object"))
    for sources in (script, style):
        if _has_nonce_or_hash(sources):
            sources.discard("'unsafe-inline'")
    if "'strict-dynamic'" in script:
        if not _has_nonce_or_hash(script):
            return "header-invalid"
        script -= {source for source in script if source == "'self'" or source.startswith(_BROAD)}
    if script & _LOOSE or objects & set(_BROAD):
        return "implemented-with-unsafe-inline"
    if https and _insecure([script, *(found for name, found in directives.items() if _is_active(name))]):
        return "implemented-with-insecure-scheme"
    if "'unsafe-eval'" in script | style:
        return "implemented-with-unsafe-eval"
    if https and _insecure(directives.get(name, directives.get("default-src", set())) for name in _PASSIVE):
        return "implemented-with-insecure-scheme-in-passive-content-only"
    if style & _LOOSE:
        return "implemented-with-unsafe-inline-in-style-src-only"
    none = directives.get("default-src") == {"'none'"}
    return "implemented-with-no-unsafe" + ("-default-src-none" if none else "")


def _fallback(directives: Directives, name: str) -> set[str]:
    return directives.get(name, directives.get("default-src", {"*"}))


def _has_nonce_or_hash(sources: set[str]) -> bool:
    return any(source.startswith(_NONCE_OR_HASH) for source in sources)


def _is_active(name: str) -> bool:
    return name != "script-src" and name not in _PASSIVE


def _insecure(lists: Iterable[set[str]]) -> bool:
    return any(source.startswith(_INSECURE) for sources in lists for source in sources)


def parse(policies: list[str]) -> Directives:
    """The directives of all policies as one: sources that all of them name, as text."""
    cleaned = [policy.replace("\r", "").replace("\n", "").strip(WHITESPACE) for policy in policies]
    if any(len(policy) < SHORTEST_POLICY for policy in cleaned):
        raise UnreadableError
    merged: dict[str, list[_Source]] = {}
    repeated: set[str] = set()
    compared = 0
    for number, policy in enumerate(cleaned):
        for name, values in _directives(policy, repeated):
            combined = [*(merged.get(name, ()) if number else ()), *_sources(name, values, number)]
            compared += len(combined)
            if compared > MOST_COMPARISONS:
                raise TooManyError
            merged[name] = _kept(combined)
            if number == 0 and len(cleaned) > 1:
                _forget(merged[name])
    found = {name: {source.text for source in sources} or {"'none'"} for name, sources in merged.items()}
    return found | ({_REPEATED: repeated} if repeated else {})


def _directives(policy: str, repeated: set[str]) -> Iterable[tuple[str, list[str]]]:
    seen: set[str] = set()
    for entry in policy.split(";"):
        name, *values = _SPACE.split(entry.strip(WHITESPACE).lower())
        if not name:
            continue
        if name in seen and name not in _MAY_REPEAT:
            raise UnreadableError
        if name in seen:
            repeated.add(name)
        seen.add(name)
        yield name, values


def _sources(name: str, values: list[str], number: int) -> list[_Source]:
    if not values and name.endswith("-src"):
        values = ["'none'"]
    return [_Source(value, number, number == 0, value.translate(_WEIGHTS)) for value in values]


def _kept(combined: list[_Source]) -> list[_Source]:
    """Those that stay: of neighbours in the alphabet, the shorter of one policy, and what two policies both name."""
    combined.sort(key=lambda source: source.weight)
    for before, source in itertools.pairwise(combined):
        if source.policy == before.policy:
            source.keep = source.keep and not source.text.startswith(before.text)
        elif _is_part(before.text, source.text):
            source.keep = True
    return [source for source in combined if source.keep]


def _forget(sources: list[_Source]) -> None:
    for source in sources:
        source.keep = False


def _is_part(one: str, other: str) -> bool:
    """Whether the path of one source covers the other's."""
    ours, theirs = one.split("/"), other.split("/")
    if len(ours) > len(theirs):
        return False
    if one.endswith("/"):
        ours.pop()
    elif len(ours) != len(theirs):
        return False
    return all(_decoded(piece) == _decoded(theirs[place]) for place, piece in enumerate(ours))


@functools.lru_cache(maxsize=1024)
def _decoded(piece: str) -> str:
    if "%" not in piece:
        return piece
    if _BROKEN_ESCAPE.search(piece):
        raise UnreadableError
    try:
        return urllib.parse.unquote_to_bytes(piece).decode()
    except UnicodeDecodeError as error:
        raise UnreadableError from error
