"""What policies allow in effect: which list governs a thing, what switches off what, several policies together."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from review.csp import parse, places, sources
from review.csp.parse import Policy
from review.csp.places import Place
from review.csp.sources import SourceList
from review.received import Received

FALLBACKS: dict[str, tuple[str, ...]] = {
    "script-src": ("script-src", "default-src"),
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "script-src-attr": ("script-src-attr", "script-src", "default-src"),
    "style-src": ("style-src", "default-src"),
    "style-src-elem": ("style-src-elem", "style-src", "default-src"),
    "style-src-attr": ("style-src-attr", "style-src", "default-src"),
    "worker-src": ("worker-src", "child-src", "script-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "fenced-frame-src": ("fenced-frame-src", "frame-src", "child-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "font-src": ("font-src", "default-src"),
    "img-src": ("img-src", "default-src"),
    "manifest-src": ("manifest-src", "default-src"),
    "media-src": ("media-src", "default-src"),
    "object-src": ("object-src", "default-src"),
}
"""CSP3 "get fetch directive fallback list". A directive that is not here falls back to nothing."""

SCRIPTS = frozenset({"script-src-elem", "script-src-attr"})
_INLINE = SCRIPTS | {"style-src-elem", "style-src-attr"}
_DYNAMIC = frozenset({"script-src-elem", "worker-src"})
_OWN_WAYS = _INLINE | _DYNAMIC | {"script-src", "connect-src"}


INLINE, NONCED, DYNAMIC, EVAL, WASM = "inline", "nonce", "dynamic", "eval", "wasm"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed of one kind of thing: places to load from, and grants, which are no places.

    Grants are ``inline`` (whatever stands in the page), ``nonce``, hashes, ``dynamic`` (what trusted scripts load),
    ``eval``, ``wasm``. ``everything``: nothing governs this.
    """

    everything: bool = False
    grants: frozenset[str] = frozenset()
    places: frozenset[Place] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether all is forbidden."""
        return not (self.everything or self.grants or self.places)

    def has(self, grant: str) -> bool:
        """Whether a grant is given, or implied by a greater one."""
        return self.everything or _covers(self, grant)

    def reaches(self, place: Place) -> bool:
        """Whether all of a place may be loaded from."""
        return self.everything or places.covers(self.places, place)

    def within(self, other: Allowed) -> bool:
        """Whether the other allows all that this does."""
        if self.everything or other.everything:
            return other.everything
        return all(_covers(other, grant) for grant in self.grants) and places.within(
            self.places, other.places
        )

    def meet(self, other: Allowed) -> Allowed:
        """What both allow."""
        if self.everything or other.everything:
            return other if self.everything else self
        grants = {grant for grant in self.grants if _covers(other, grant)}
        grants |= {grant for grant in other.grants if _covers(self, grant)}
        return Allowed(False, frozenset(grants), places.meet(self.places, other.places))


EVERYTHING = Allowed(everything=True)


def governing(policy: Policy, directive: str) -> str | None:
    """The name of the directive that decides in place of this one; None where the policy says nothing about it."""
    names = FALLBACKS.get(directive, (directive,))
    return next((name for name in names if name in policy.directives), None)


def governing_line(received: Received, policies: Iterable[Policy], directive: str) -> tuple[str, str]:
    """The name of the directive that decides, in the first policy that has one, and that policy's evidence."""
    for policy in policies:
        name = governing(policy, directive)
        if name is not None:
            return name, parse.evidence(received, policy)
    return directive, ""


def governing_list(policy: Policy, directive: str) -> SourceList | None:
    """The source list that decides about a directive's things."""
    tokens = governing_tokens(policy, directive)
    return None if tokens is None else sources.source_list(tokens)


def governing_tokens(policy: Policy, directive: str) -> tuple[str, ...] | None:
    """The tokens of that list; of 'strict-dynamic' workers hear only where a list of scripts governs them.

    In CSP3 that is script-src alone; Chromium and Firefox were seen to do the same with default-src.
    """
    name = governing(policy, directive)
    if name is None:
        return None
    value = policy.directives[name]
    if directive == "worker-src" and name not in {"script-src", "default-src"}:
        return _without_dynamic(value)
    return value


@functools.lru_cache(maxsize=32)
def _without_dynamic(tokens: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(token for token in tokens if token.lower() != sources.STRICT_DYNAMIC)
    return kept if len(kept) < len(tokens) else tokens


def allowed(policy: Policy, directive: str) -> Allowed:
    """What one policy allows of a directive's things."""
    return of_tokens(governing_tokens(policy, directive), directive)


def together(policies: Iterable[Policy], directive: str) -> Allowed:
    """What several policies allow together: only what every one of them does."""
    distinct = dict.fromkeys(governing_tokens(policy, directive) for policy in policies)
    return _together(tuple(distinct), kind(directive))


@functools.lru_cache(maxsize=256)
def _together(values: tuple[tuple[str, ...] | None, ...], directive: str) -> Allowed:
    each = (of_tokens(tokens, directive) for tokens in values)
    return functools.reduce(Allowed.meet, each, EVERYTHING)


def inline_grants(listed: SourceList, directive: str) -> frozenset[str]:
    """CSP3 "does a source list allow all inline behavior", and which nonces and hashes it accepts."""
    is_attribute = directive.endswith("-attr")
    dynamic = sources.STRICT_DYNAMIC in listed.keywords and directive in SCRIPTS
    if sources.UNSAFE_INLINE in listed.keywords and not listed.trusts_code and not dynamic:
        return frozenset({INLINE})
    if is_attribute:
        return frozenset(listed.hashes if sources.UNSAFE_HASHES in listed.keywords else ())
    return frozenset(listed.hashes) | frozenset({NONCED} if listed.nonces else ())


def of_tokens(tokens: tuple[str, ...] | None, directive: str) -> Allowed:
    """What a value allows, where it governs a directive's things; None: nothing governs them."""
    return EVERYTHING if tokens is None else _of_tokens(tokens, kind(directive))


def kind(directive: str) -> str:
    """A directive that stands for all which read a list in the same way as this one."""
    return directive if directive in _OWN_WAYS else "default-src"


@functools.lru_cache(maxsize=256)
def _of_tokens(tokens: tuple[str, ...], directive: str) -> Allowed:
    listed = sources.source_list(tokens)
    return Allowed(False, _grants(listed, directive), _places(listed, directive))


def _grants(listed: SourceList, directive: str) -> frozenset[str]:
    if directive == "script-src":
        return _eval_grants(listed)
    grants = inline_grants(listed, directive) if directive in _INLINE else frozenset()
    if directive in _DYNAMIC and sources.STRICT_DYNAMIC in listed.keywords:
        grants |= {DYNAMIC}
    return grants


def _eval_grants(listed: SourceList) -> frozenset[str]:
    pairs = ((sources.UNSAFE_EVAL, EVAL), (sources.WASM_EVAL, WASM))
    return frozenset(grant for keyword, grant in pairs if keyword in listed.keywords)


def _places(listed: SourceList, directive: str) -> frozenset[Place]:
    if directive == "script-src" or directive.endswith("-attr"):
        return frozenset()
    if directive in _DYNAMIC and sources.STRICT_DYNAMIC in listed.keywords:
        return frozenset()
    return places.places(listed.places, sockets=directive == "connect-src")


def _covers(outer: Allowed, grant: str) -> bool:
    if grant in outer.grants:
        return True
    if grant in {INLINE, EVAL}:
        return False
    if grant == WASM:
        return EVAL in outer.grants
    if grant == DYNAMIC:
        return places.covers(outer.places, places.ANYWHERE)
    return INLINE in outer.grants  # a nonce or a hash picks some of what may stand in the page
