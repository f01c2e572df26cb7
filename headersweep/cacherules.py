"""What a site's owner says about caching: named rules, as written in its file. Judging is ``review.cacherules``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

ANY = "*"
"""The pattern that holds every host, resp. every path."""

METHODS = ("GET", "HEAD")
"""The methods whose answers caches keep."""


class CacheKind(StrEnum):
    """By whose rules the answers are judged: what stands between the site and its visitors."""

    RFC9111 = "rfc9111"
    CDN = "cdn"
    """As RFC 9111, and obeys CDN-Cache-Control in place of Cache-Control (RFC 9213)."""
    NGINX = "nginx"
    VARNISH = "varnish"


class Shared(StrEnum):
    """What is expected of shared caches."""

    CACHED = "cached"
    NOT_CACHED = "not_cached"

    @property
    def opposite(self) -> Shared:
        """The other one."""
        return Shared.NOT_CACHED if self is Shared.CACHED else Shared.CACHED


class Condition(StrEnum):
    """What in a request makes it another one for the cache."""

    COOKIE = "cookie"
    QUERY = "query"
    HEADER = "header"


@dataclass(frozen=True)
class Match:
    """Which requests a rule is for. ``query`` are patterns of parameters that the URL may have; None: any."""

    host: str = ANY
    path: str = ANY
    methods: tuple[str, ...] = METHODS
    query: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Bypass:
    """A condition under which something else is expected, and why."""

    condition: Condition
    name: str
    """A pattern of the cookie's, parameter's or header's name."""
    why: str
    expect: Shared = Shared.NOT_CACHED
    example: str = ""
    """The page to try it on; a query shows in an example of the rule itself."""

    @property
    def label(self) -> str:
        """How reports call it."""
        return f"{self.condition} {self.name}"

    def as_json(self) -> dict[str, Any]:
        """The bypass with the keys of a site file."""
        values = {str(self.condition): self.name, "why": self.why, "expect": str(self.expect)}
        return {**values, "example": self.example} if self.example else values

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Bypass:
        """The bypass that ``as_json`` wrote."""
        condition = next(each for each in Condition if each in data)
        expect = Shared(data.get("expect", Shared.NOT_CACHED))
        return cls(condition, data[condition], data["why"], expect, data.get("example", ""))


@dataclass(frozen=True)
class Expected:
    """What is expected of the pages of a rule; lifetimes are seconds, None leaves something open."""

    shared: Shared
    min_lifetime: int | None = None
    max_lifetime: int | None = None
    vary: tuple[str, ...] | None = None
    """The request headers that the answer may vary by, in lower case."""
    set_cookie: bool = False
    """Whether a cached answer may set cookies."""


@dataclass(frozen=True)
class CacheRule:
    """One named rule: for which requests, what is expected, when not, and pages that show it."""

    name: str
    owner: str
    why: str
    rollback_note: str
    expect: Expected
    should_cache: tuple[str, ...]
    should_not_cache: tuple[str, ...]
    match: Match = Match()
    bypass: tuple[Bypass, ...] = ()
    enabled: bool = True

    @property
    def examples(self) -> tuple[tuple[str, Shared], ...]:
        """Every example with what it shows."""
        yes = tuple((url, Shared.CACHED) for url in self.should_cache)
        return yes + tuple((url, Shared.NOT_CACHED) for url in self.should_not_cache)

    def as_json(self) -> dict[str, Any]:
        """The rule as plain values, times in seconds."""
        values = asdict(self)
        for part in ("match", "expect"):
            values[part] = {key: _plain(value) for key, value in values[part].items() if value is not None}
        lists = {key: list(values[key]) for key in ("should_cache", "should_not_cache")}
        return {**values, **lists, "bypass": [each.as_json() for each in self.bypass]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CacheRule:
        """The rule that ``as_json`` wrote."""
        match, expect = ({key: _frozen(value) for key, value in data[part].items()} for part in _PARTS)
        values = {key: _frozen(value) for key, value in data.items()}
        values["match"] = Match(**match)
        values["expect"] = Expected(**{**expect, "shared": Shared(expect["shared"])})
        values["bypass"] = tuple(Bypass.from_json(each) for each in data["bypass"])
        return cls(**values)


_PARTS = ("match", "expect")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
