"""Comparing policies: which of them allow more, "does everything that the new ones allow, the old ones allow too".

It is asked for each directive, after fallbacks, of all enforced policies together. Nonces are compared as nonces,
whatever their value. A nonce or a hash counts as less than ``'unsafe-inline'``, which lets the same code stand in the
page. Where to report does not count: it allows nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from review.csp import effective, parse
from review.csp.effective import Allowed
from review.csp.parse import Policy

EQUAL, STRICTER, LOOSER, INCOMPARABLE = "equal", "stricter", "looser", "incomparable"

_PLAIN = (
    "worker-src",
    "frame-src",
    "connect-src",
    "font-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "base-uri",
    "form-action",
    "frame-ancestors",
)
_PARTS = {
    "script-src": ("script-src", "script-src-elem", "script-src-attr"),
    "style-src": ("style-src-elem", "style-src-attr"),
}
_SPLITTING = frozenset({"script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr"})

_Values = tuple[tuple[str, ...] | None, ...]
"""The lists that govern one thing, of each policy; None where one says nothing about it."""

Flags = frozenset[str] | None
"""What a directive that is no source list leaves allowed; None where it is absent, and all is."""


@dataclass(frozen=True, slots=True)
class Direction:
    """How new policies stand to old ones: in all, and for each directive that is not equal."""

    word: str
    directives: tuple[tuple[str, str], ...] = ()


def direction(old_values: Sequence[str], new_values: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """How the lines of a new header stand to those of an old one, in all and by directive that differs in effect."""
    found = compare(parse.header(old_values), parse.header(new_values))
    return found.word, list(found.directives)


def compare(old: Iterable[Policy], new: Iterable[Policy]) -> Direction:
    """How new policies stand to old ones; order and repetition have no effect."""
    before, after = _distinct(old), _distinct(new)
    if {policy.key for policy in before} == {policy.key for policy in after}:
        return Direction(EQUAL)
    words = [*_of_scripts_and_styles(before, after), *_of_lists(before, after), *_of_flags(before, after)]
    differing = tuple((name, word) for name, word in words if word != EQUAL)
    return Direction(_all(word for _, word in differing), differing)


def _distinct(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    return tuple({policy.key: policy for policy in policies}.values())


def _of_scripts_and_styles(old: Sequence[Policy], new: Sequence[Policy]) -> list[tuple[str, str]]:
    is_split = any(not _SPLITTING.isdisjoint(policy.directives) for policy in (*old, *new))
    words: list[tuple[str, str]] = []
    for name, parts in _PARTS.items():
        of_parts = [(part, _of_list(part, old, new)) for part in parts]
        words += of_parts if is_split else [(name, _all(word for _, word in of_parts))]
    return words


def _of_lists(old: Sequence[Policy], new: Sequence[Policy]) -> list[tuple[str, str]]:
    return [(name, _of_list(name, old, new)) for name in _PLAIN]


def _of_list(name: str, old: Sequence[Policy], new: Sequence[Policy]) -> str:
    return _of_values(_values(old, name), _values(new, name), effective.kind(name))


def _values(policies: Iterable[Policy], name: str) -> _Values:
    return tuple(dict.fromkeys(effective.governing_tokens(policy, name) for policy in policies))


@functools.lru_cache(maxsize=64)
def _of_values(old: _Values, new: _Values, kind: str) -> str:
    if set(old) == set(new):
        return EQUAL
    before = [effective.of_tokens(tokens, kind) for tokens in old]
    after = [effective.of_tokens(tokens, kind) for tokens in new]
    return _word(_within(after, before), _within(before, after))


def _within(inner: list[Allowed], outer: list[Allowed]) -> bool:
    """Whether what the inner ones allow together, each of the outer ones allows."""
    met = functools.reduce(Allowed.meet, inner, effective.EVERYTHING)
    return all(met.within(each) or any(one.within(each) for one in inner) for each in outer)


def _of_flags(old: Sequence[Policy], new: Sequence[Policy]) -> list[tuple[str, str]]:
    return [(name, _of_flag(name, read, old, new)) for name, read in _FLAGS.items()]


def _of_flag(
    name: str, read: Callable[[Policy, str], Flags], old: Sequence[Policy], new: Sequence[Policy]
) -> str:
    before = functools.reduce(_meet, (read(policy, name) for policy in old), None)
    after = functools.reduce(_meet, (read(policy, name) for policy in new), None)
    return _word(_flags_within(after, before), _flags_within(before, after))


def _tokens(policy: Policy, name: str) -> Flags:
    value = policy.directives.get(name)
    return None if value is None else frozenset(token.lower() for token in value)


def _type_policies(policy: Policy, name: str) -> Flags:
    value = policy.directives.get(name)
    return None if value is None or "*" in value else frozenset(value) - {"'none'"}


def _requirement(policy: Policy, name: str) -> Flags:
    value = policy.directives.get(name)
    return None if value is None or "'script'" not in value else frozenset()


def _presence(policy: Policy, name: str) -> Flags:
    return frozenset() if name in policy.directives else None


_FLAGS: dict[str, Callable[[Policy, str], Flags]] = {
    "sandbox": _tokens,
    "require-trusted-types-for": _requirement,
    "trusted-types": _type_policies,
    "upgrade-insecure-requests": _presence,
}
"""Directives without a source list, and what each leaves allowed. To upgrade a request is to forbid the plain one."""


def _meet(one: Flags, other: Flags) -> Flags:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _flags_within(inner: Flags, outer: Flags) -> bool:
    return outer is None or (inner is not None and inner <= outer)


def _word(new_within_old: bool, old_within_new: bool) -> str:
    if new_within_old:
        return EQUAL if old_within_new else STRICTER
    return LOOSER if old_within_new else INCOMPARABLE


def _all(words: Iterable[str]) -> str:
    found = set(words) - {EQUAL}
    if not found:
        return EQUAL
    return found.pop() if len(found) == 1 else INCOMPARABLE
