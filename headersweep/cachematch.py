"""Which cache rule a URL falls under: the first that matches, from the top of the file. Pure, and quick for a million pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headersweep import urls
from headersweep.cacherules import ANY, Bypass, CacheRule, Condition, Match, Shared
from headersweep.scope import Glob


@dataclass(frozen=True, slots=True)
class Claim:
    """The rule that a URL falls under, and the bypass that its query meets."""

    rule: CacheRule
    bypass: Bypass | None = None

    @property
    def shared(self) -> Shared:
        """What is expected of shared caches there."""
        return self.rule.expect.shared if self.bypass is None else self.bypass.expect


class Matcher:
    """The rules of a site, ready to be asked about many URLs.

    A rule that is switched off keeps its pages: switching it off never hands them to the rule below it.
    """

    def __init__(self, rules: Iterable[CacheRule]) -> None:
        self._rules = tuple(_Compiled(rule) for rule in rules)

    def claim(self, url: str, method: str = "GET") -> Claim | None:
        """The claim on a canonical URL; None where no rule matches."""
        host, path, names = parts(url)
        for each in self._rules:
            if each.holds(host, path, names, method):
                return Claim(each.rule, each.bypass(names))
        return None


class _Compiled:
    def __init__(self, rule: CacheRule) -> None:
        self.rule = rule
        self._test = MatchTest(rule.match)
        self._bypasses = [
            (Glob(each.name), each) for each in rule.bypass if each.condition is Condition.QUERY
        ]

    def holds(self, host: str, path: str, names: Sequence[str], method: str) -> bool:
        return self._test.holds(host, path, names, method)

    def bypass(self, names: Sequence[str]) -> Bypass | None:
        if not names or not self._bypasses:
            return None
        return next((each for glob, each in self._bypasses if any(map(glob.matches, names))), None)


class MatchTest:
    """Whether requests fit one ``match``."""

    def __init__(self, match: Match) -> None:
        self._host = None if match.host == ANY else Glob(match.host)
        self._path = None if match.path == ANY else Glob(match.path)
        self._query = None if match.query is None else tuple(map(Glob, match.query))
        self._methods = frozenset(match.methods)

    def holds(self, host: str, path: str, names: Sequence[str], method: str = "GET") -> bool:
        """Whether a request for that host and path with these query parameters fits."""
        return (
            (self._path is None or self._path.matches(path))
            and (self._host is None or self._host.matches(host))
            and method in self._methods
            and (self._query is None or all(any(g.matches(name) for g in self._query) for name in names))
        )


def parts(url: str) -> tuple[str, str, tuple[str, ...]]:
    """Host without port, path, and the names of the query's parameters of a canonical URL."""
    authority, slash, rest = url.partition("://")[2].partition("/")
    path, _, query = f"{slash}{rest}".partition("?")
    host = authority if authority.endswith("]") else authority.partition(":")[0]
    if authority.startswith("[") and not authority.endswith("]"):
        host = authority.rpartition(":")[0]
    names = tuple(part.partition("=")[0] for part in query.split("&") if part) if query else ()
    return host, path, names


def resolve(example: str, match: Match, start_url: str) -> str | None:
    """The canonical URL of an example: whole as written, or a path on the rule's host, else on that of the start URL."""
    start = urls.parse(start_url)
    if start is None:
        return None
    page = urls.parse(example, start.url)
    if page is None or "://" in example.partition("?")[0] or "*" in match.host:
        return page.url if page else None
    port = "" if start.port in {80, 443} else f":{start.port}"
    page = urls.parse(example, f"{start.scheme}://{match.host}{port}/")
    return page.url if page else None


def covers(wide: Match, narrow: Match) -> bool:
    """Whether every request that fits the one fits the other as well."""
    return (
        glob_covers(wide.host, narrow.host)
        and glob_covers(wide.path, narrow.path)
        and set(narrow.methods) <= set(wide.methods)
        and _query_covers(wide.query, narrow.query)
    )


def _query_covers(wide: tuple[str, ...] | None, narrow: tuple[str, ...] | None) -> bool:
    if wide is None:
        return True
    if narrow is None:
        return ANY in wide
    return all(any(glob_covers(outer, inner) for outer in wide) for inner in narrow)


_UNHEARD = "\x00"
"""A character that no pattern has: what only a ``*`` can stand for."""


def glob_covers(wide: str, narrow: str) -> bool:
    """Whether one pattern holds all that the other does: only its own ``*`` can hold the other's ``*``."""
    return Glob(wide).matches(Glob.quoted(narrow).replace("*", _UNHEARD))
