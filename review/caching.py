"""What caches make of an answer: Cache-Control (RFC 9111, 5.2), CDN-Cache-Control (RFC 9213), storing (RFC 9111, 3)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from headersweep import cookies
from review import lists, readers
from review.received import Received

HEADER = "cache-control"
TARGETED = "cdn-cache-control"

Value = int | str | bool | tuple[str, ...]

SECONDS = frozenset({"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"})
FIELDS = frozenset({"private", "no-cache"})
"""Directives that may name header fields, and then are about those alone."""
FLAGS = frozenset(
    {
        "no-store",
        "no-transform",
        "must-revalidate",
        "proxy-revalidate",
        "must-understand",
        "public",
        "immutable",
    }
)
KNOWN = SECONDS | FIELDS | FLAGS
LONGEST_LIFE = 2**31
"""Caches read anything greater as this (RFC 9111, 1.2.2)."""
LONGEST_TARGETED = 4096
"""Longer values are rubbish, and no CDN reads them."""
_LONGEST_NUMBER = 18

HEURISTIC = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses that may be stored although nothing says for how long (RFC 9110, 15.1); 206 needs a cache that knows ranges."""
FIRST_FINAL = 200
UNDERSTOOD = frozenset(map(int, HTTPStatus))
"""Statuses that caches may know the rules of; an answer with ``must-understand`` is for no others (RFC 9111, 5.2.2.3)."""
NOT_STORED_ALONE = frozenset({206, 304})

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Sharing(StrEnum):
    """What a shared cache may do with an answer, the least first."""

    NEVER = "never"
    ASKING = "asking"
    """Store it, and ask the origin before each use."""
    GUESSING = "guessing"
    """Store it for as long as it thinks fit."""
    FRESH = "fresh"
    """Store it, and give it to others for a stated time without asking."""

    @property
    def rank(self) -> int:
        """Greater is more."""
        return list(Sharing).index(self)


@dataclass(frozen=True, slots=True)
class CacheControl:
    """The directives of an answer, and what is wrong with the list."""

    directives: dict[str, Value]
    """By lower-case name, the first of each: seconds, field names, True, or the text of an extension."""
    ignored: tuple[str, ...] = ()
    """Parts that are no directive, or whose value is none."""
    repeated: tuple[str, ...] = ()
    """Directives that were sent again with another value."""

    def has(self, name: str) -> bool:
        """Whether the directive is there and is about the whole answer."""
        return name in self.directives and not isinstance(self.directives[name], tuple)

    def seconds(self, name: str) -> int | None:
        """The seconds of a directive; None without it."""
        value = self.directives.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def names_field(self, name: str, field: str) -> bool:
        """Whether the directive names that header field."""
        value = self.directives.get(name)
        return isinstance(value, tuple) and field in value


def read(received: Received) -> CacheControl | None:
    """The Cache-Control of an answer, all lines together; None where there is none."""
    combined = received.combined(HEADER)
    return None if combined is None else parse(combined)


@functools.lru_cache(maxsize=256)
def parse(text: str) -> CacheControl:
    """A list of directives as caches read it: any case, quoted or not, empty parts left out."""
    found: dict[str, Value] = {}
    ignored: list[str] = []
    repeated: list[str] = []
    for part in lists.members(text):
        name, value = _directive(part)
        if value is None:
            ignored.append(part)
        elif found.setdefault(name, value) != value:
            repeated.append(name)
    return CacheControl(found, tuple(ignored), tuple(dict.fromkeys(repeated)))


def _directive(part: str) -> tuple[str, Value | None]:
    """The name and the value of a directive; None for a value that caches cannot use."""
    written, equals, argument = part.partition("=")
    name = written.strip(readers.WHITESPACE).lower()
    if not _TOKEN.fullmatch(name):
        return name, None
    argument = _unquoted(argument.strip(readers.WHITESPACE))
    if name in SECONDS:
        return name, whole_seconds(argument)
    if name in FIELDS and argument:
        return name, tuple(field.strip(readers.WHITESPACE).lower() for field in argument.split(","))
    return name, True if name in KNOWN or not equals else argument


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text


def whole_seconds(text: str) -> int | None:
    """A whole number of seconds as caches read it; None where it is none."""
    if not (text.isascii() and text.isdecimal()):
        return None
    return LONGEST_LIFE if len(text) > _LONGEST_NUMBER else min(int(text), LONGEST_LIFE)


def storable_by_shared_cache(received: Received, *, authorized: bool = False) -> bool:
    """Whether a shared cache may store the answer to an ordinary GET, resp. to one with Authorization."""
    return sharing(received, authorized=authorized) is not Sharing.NEVER


def sharing(received: Received, *, authorized: bool = False) -> Sharing:
    """The most that any shared cache may do with the answer to a GET (RFC 9111, 3 and 4)."""
    instructions = [each for each in _instructions(received) if not authorized or _for_all(each)]
    return max((allowed(received, each) for each in instructions), key=_rank, default=Sharing.NEVER)


def fresh_for(received: Received) -> int | None:
    """The most seconds that any shared cache may give the answer to others without asking; None where nobody said.

    An Expires without a Date beside it says no number of seconds.
    """
    if sharing(received) is not Sharing.FRESH:
        return None
    known = [
        seconds
        for each in (each or CacheControl({}) for each in _instructions(received))
        if allowed(received, each) is Sharing.FRESH and (seconds := _stated(received, each)) is not None
    ]
    return max(known, default=None)


def _stated(received: Received, rules: CacheControl) -> int | None:
    named = any(rules.seconds(name) is not None for name in ("s-maxage", "max-age"))
    return lifetime(received, rules) if named or received.values("date") else None


def _rank(sharing: Sharing) -> int:
    return sharing.rank


def _for_all(control: CacheControl | None) -> bool:
    """Whether the answer to a request with Authorization may be stored nevertheless (RFC 9111, 3.5)."""
    return control is not None and any(map(control.has, ("must-revalidate", "public", "s-maxage")))


def _instructions(received: Received) -> Iterator[CacheControl | None]:
    """What ordinary caches obey, and what CDNs obey in its place (RFC 9213, 2.2); None: neither of them."""
    yield read(received)
    targeted = targeting(received)
    if targeted is not None:
        yield targeted


def targeting(received: Received) -> CacheControl | None:
    """CDN-Cache-Control; None where it is not there, not a structured dictionary, or empty: then it does not count."""
    combined = received.combined(TARGETED)
    readable = combined and len(combined) <= LONGEST_TARGETED
    parsed = readers.structured(combined or "", "dictionary") if readable else None
    if not parsed:
        return None
    found: dict[str, Value] = {}
    for name, (value, _) in parsed.items():
        if name in SECONDS:
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                found[name] = value
        elif value is not False:
            found[name] = True
    return CacheControl(found)


def allowed(received: Received, control: CacheControl | None) -> Sharing:
    """The most that a shared cache may do that obeys these directives."""
    rules = control or CacheControl({})
    if not _may_store(received, rules):
        return Sharing.NEVER
    fresh_for = lifetime(received, rules)
    if rules.has("no-cache") or (fresh_for is not None and fresh_for <= 0):
        return Sharing.ASKING
    if fresh_for is not None:
        return Sharing.FRESH
    if received.status in HEURISTIC or rules.has("public"):
        return Sharing.GUESSING
    return Sharing.NEVER


def _may_store(received: Received, rules: CacheControl) -> bool:
    """Whether neither the status nor Vary nor a directive forbids to store it."""
    if received.status < FIRST_FINAL or received.status in NOT_STORED_ALONE or varies_by_all(received):
        return False
    if rules.has("must-understand"):
        return received.status in UNDERSTOOD and not rules.has("private")
    return not (rules.has("no-store") or rules.has("private"))


def lifetime(received: Received, rules: CacheControl) -> int | None:
    """For how long a shared cache may take the answer for fresh, as far as it says so (RFC 9111, 4.2.1)."""
    for name in ("s-maxage", "max-age"):
        seconds = rules.seconds(name)
        if seconds is not None:
            return seconds
    return _until_expires(received)


def _until_expires(received: Received) -> int | None:
    """Expires against Date; an Expires that is no date has passed (RFC 9111, 5.3). Without a Date any coming year counts."""
    values = received.values("expires")
    if not values:
        return None
    if values[0].startswith("<expires:"):
        return int(values[0] == "<expires:future>")
    until, dates = cookies.instant(values[0]), received.values("date")
    now = cookies.instant(dates[0]) if dates else None
    if until is None:
        return 0
    return until - now if now is not None else int(until >= _SURELY_LIVE)


_SURELY_LIVE = 2_000_000_000
"""2033: without a Date, an Expires before it may have passed, and counts as passed."""


def varies_by_all(received: Received) -> bool:
    """Whether no later request can match (RFC 9111, 4.1)."""
    return "*" in lists.members(received.combined("vary"))
