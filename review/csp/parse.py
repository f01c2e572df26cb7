"""Parsing policies as CSP3 says ("parse a response's Content Security Policies"), keeping what browsers drop.

Header lines are split at commas, policies at semicolons, and of a repeated directive the first counts. A policy in a
meta element is one policy, whatever commas it has, and loses the directives that need a header.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from review import lists
from review.received import Received

ENFORCED = "content-security-policy"
REPORT_ONLY = "content-security-policy-report-only"

IGNORED_IN_META = ("frame-ancestors", "report-uri", "sandbox")
"""HTML, section 4.2.5.3: these are removed from a policy in a meta element."""

MOST_POLICIES = 8
MOST_DIRECTIVES = 256
"""What comes after so many in one header or policy is not read; a finding says so. No honest site has as many."""

WHITESPACE = "\t\n\f\r "
"""What the Infra standard calls ASCII whitespace; Python's own idea of whitespace is wider."""

_ALLOWED = re.compile(r"[\t\n\f\r\x20-\x7e]*")
_IN_POLICY = re.compile(f"[^,;{WHITESPACE}]")
_DIRECTIVE = re.compile(f"[^;{WHITESPACE}][^;]*+")
_TO_SPACES = str.maketrans(dict.fromkeys(WHITESPACE, " "))


_LONG = 32


class _Words(tuple[str, ...]):  # noqa: SLOT001 - tuples have no room for slots
    """The words of a long value: keys of several caches, and so hashed once."""

    _hash: int | None = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = super().__hash__()
        return self._hash


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. ``line`` is the number of its header line, or of its meta element."""

    directives: Mapping[str, tuple[str, ...]]
    """What counts: lower-case names and the tokens of their values as received, in order."""
    repeated: tuple[str, ...] = ()
    """Names of directives that came again, and are ignored the second time."""
    skipped: tuple[str, ...] = ()
    """Directives that do not exist, because of a control character or one outside ASCII."""
    meta_ignored: tuple[str, ...] = ()
    """Names of directives that a meta element cannot give."""
    cut: bool = False
    """Whether something was not read, because there was too much of it."""
    line: int = 0
    in_meta: bool = False
    key: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    """The directives as one hashable value."""


def header(values: Iterable[str]) -> tuple[Policy, ...]:
    """The policies of the lines of one header, in order; those without a directive do not exist."""
    return _existing(_header(tuple(values)))


def meta(contents: Iterable[str]) -> tuple[Policy, ...]:
    """The policies of ``<meta http-equiv=content-security-policy>`` elements in the head."""
    return _existing(_meta(tuple(contents)))


def enforced(received: Received) -> tuple[Policy, ...]:
    """All policies that a browser enforces together on this answer: of the header, then of the page."""
    found = header(received.values(ENFORCED))
    return found if received.facts is None else found + meta(received.facts.meta_policies)


def written(received: Received) -> Iterator[tuple[Policy, str]]:
    """Every policy and its evidence, enforced or not, also what browsers drop whole: for what was typed wrong."""
    for name in (ENFORCED, REPORT_ONLY):
        for policy in _header(received.values(name)):
            yield policy, evidence(received, policy, name)
    if received.facts is not None:
        for policy in _meta(received.facts.meta_policies):
            yield policy, evidence(received, policy)


def evidence(received: Received, policy: Policy, name: str = ENFORCED) -> str:
    """The line that a policy came in."""
    if policy.in_meta and received.facts is not None:
        content = received.facts.meta_policies[policy.line]
        return f'<meta http-equiv="Content-Security-Policy" content="{content}">'
    return received.lines(name)[policy.line]


def tokens(value: str) -> list[str]:
    """A value split on ASCII whitespace, and on no other."""
    return [token for token in value.translate(_TO_SPACES).split(" ") if token]


@functools.lru_cache(maxsize=32)
def _header(values: tuple[str, ...]) -> tuple[Policy, ...]:
    existing = (
        (part, line) for line, value in enumerate(values) for part in lists.filled(value, ",", _IN_POLICY)
    )
    serialized = list(itertools.islice(existing, MOST_POLICIES + 1))
    found = [_policy(part, line) for part, line in serialized[:MOST_POLICIES]]
    if len(serialized) > MOST_POLICIES:
        found[-1] = replace(found[-1], cut=True)
    return tuple(found)


@functools.lru_cache(maxsize=32)
def _meta(contents: tuple[str, ...]) -> tuple[Policy, ...]:
    return tuple(_without_ignored(_policy(part, line)) for line, part in enumerate(contents[:MOST_POLICIES]))


def _existing(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    return tuple(policy for policy in policies if policy.directives)


def _policy(serialized: str, line: int) -> Policy:
    directives: dict[str, tuple[str, ...]] = {}
    repeated: dict[str, None] = {}
    skipped: list[str] = []
    found = itertools.islice(_DIRECTIVE.finditer(serialized), MOST_DIRECTIVES + 1)
    parts = [match[0].rstrip(WHITESPACE) for match in found]
    names: dict[str, str] = {}
    for part in parts[:MOST_DIRECTIVES]:
        if part in names:
            repeated[names[part]] = None
            continue
        if not _ALLOWED.fullmatch(part):
            skipped.append(part)
            continue
        name, *value = tokens(part)
        names[part] = name.lower()
        if names[part] in directives:
            repeated[names[part]] = None
        else:
            directives[names[part]] = _Words(value) if len(value) > _LONG else tuple(value)
    cut = len(parts) > MOST_DIRECTIVES
    return Policy(directives, tuple(repeated), tuple(skipped), cut=cut, line=line, key=_key(directives))


def _without_ignored(policy: Policy) -> Policy:
    kept = {name: value for name, value in policy.directives.items() if name not in IGNORED_IN_META}
    ignored = tuple(name for name in IGNORED_IN_META if name in policy.directives)
    return replace(policy, directives=kept, meta_ignored=ignored, in_meta=True, key=_key(kept))


def _key(directives: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted(directives.items()))
