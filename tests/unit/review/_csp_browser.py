"""A slow browser: asks policies about one thing at a time, as the steps of CSP3 read, to check the quick answers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PAGE_HOST = "self.test"
DEFAULT_PORTS = {"http": 80, "https": 443}
FALLBACK = {"script-src-elem": ["script-src-elem", "script-src", "default-src"]}
FALLBACK["script-src-attr"] = ["script-src-attr", "script-src", "default-src"]
FALLBACK["script-src"] = ["script-src", "default-src"]
FALLBACK["img-src"] = ["img-src", "default-src"]


@dataclass(frozen=True)
class Url:
    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Inline:
    nonce: str = ""
    digest: str = ""


EVAL = "eval"
Thing = Url | Inline | str

URLS = [
    Url(scheme, host, port, path)
    for scheme, host, port, path in itertools.product(
        ("http", "https"),
        ("a.test", "b.a.test", "c.b.a.test", "d.a.test", "evil.test", PAGE_HOST),
        (80, 443, 8443, 9000),
        ("/", "/x/", "/x/y", "/x/z/w", "/other"),
    )
    if (scheme, port) not in {("http", 443), ("https", 80)}
] + [Url("data", "", 0, ""), Url("blob", "", 0, "")]
INLINES = [Inline(), Inline(nonce="n"), Inline(digest="sha256-a"), Inline(digest="sha256-b")]


def allows(policies: Iterable[str], directive: str, thing: Thing) -> bool:
    """Whether every one of the policies lets a thing pass that a directive is about."""
    return all(_allows(_parsed(policy), directive, thing) for policy in policies)


def _parsed(policy: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in policy.split(";"):
        if part.strip():
            name, *value = part.split()
            found.setdefault(name, value)
    return found


def _allows(policy: dict[str, list[str]], directive: str, thing: Thing) -> bool:
    value = next((policy[name] for name in FALLBACK[directive] if name in policy), None)
    if value is None:
        return True
    if thing == EVAL:
        return "'unsafe-eval'" in value
    if isinstance(thing, Inline):
        return _allows_inline(value, thing, is_attribute=directive.endswith("-attr"))
    assert isinstance(thing, Url)
    if directive == "script-src-elem" and "'strict-dynamic'" in value:
        return False
    return any(_matches(token, thing) for token in value)


def _allows_inline(value: Sequence[str], thing: Inline, *, is_attribute: bool) -> bool:
    is_closed = any(re.match(r"'(nonce|sha256)-|'strict-dynamic'", token) for token in value)
    if "'unsafe-inline'" in value and not is_closed:
        return True
    if thing.nonce and not is_attribute and f"'nonce-{thing.nonce}'" in value:
        return True
    may_hash = not is_attribute or "'unsafe-hashes'" in value
    return bool(thing.digest) and may_hash and f"'{thing.digest}'" in value


def _matches(token: str, url: Url) -> bool:
    if token == "*":
        return url.scheme in DEFAULT_PORTS
    if token == "'self'":
        return (url.scheme, url.host, url.port) == ("https", PAGE_HOST, 443)
    if token.startswith("'"):
        return False
    if token.endswith(":"):
        return _scheme(token[:-1], url.scheme)
    match = re.fullmatch(r"(?:(\w+)://)?([^:/]+)(?::([^/]+))?(/.*)?", token)
    assert match
    scheme, host, port, path = match.groups()
    return (
        _scheme(scheme or "https", url.scheme) and _host(host, url) and _port(port, url) and _path(path, url)
    )


def _scheme(expected: str, actual: str) -> bool:
    return expected == actual or (expected, actual) == ("http", "https")


def _host(expected: str, url: Url) -> bool:
    if expected == "*":
        return True
    return url.host.endswith(expected[1:]) if expected.startswith("*.") else url.host == expected


def _port(expected: str | None, url: Url) -> bool:
    if expected is None:
        return DEFAULT_PORTS[url.scheme] == url.port
    return expected == "*" or int(expected) == url.port or (expected == "80" and url.port == 443)


def _path(expected: str | None, url: Url) -> bool:
    if expected in {None, "", "/"}:
        return True
    assert expected
    return url.path.startswith(expected) if expected.endswith("/") else url.path == expected
