"""Which places in a script list let anybody's code in: wide ones, and hosts that are known to serve it."""

from __future__ import annotations

from headersweep import urls
from review.csp.places import Place
from review.csp.sources import Kind, Source

_NOBODYS = frozenset(
    {"internal", "local", "localhost", "test", "example", "invalid", "home.arpa", "googleapis.com"}
)
"""Suffixes under which strangers cannot register; the last one, although the public suffix list has it."""

_SCHEMES = {
    "http": "every host, also without encryption",
    "https": "every host",
    "data": "code written into the URL itself",
    "filesystem": "files that a script has written",
}
_ANGULAR = "serves AngularJS, whose templates run code that stands in attributes of the page"
_NPM = "serves every package that anybody publishes"
_JSONP = "answers with a script that calls what the URL names (JSONP)"
_TAGS = "serves every customer's container, also one that an attacker has made"

BYPASSES: tuple[tuple[Place, str], ...] = tuple(
    (Place("https", spelt, "", path), reason)
    for host, path, reason in (
        ("ajax.googleapis.com", "/ajax/libs/angularjs/1.8.2/angular.min.js", _ANGULAR),
        ("cdnjs.cloudflare.com", "/ajax/libs/angular.js/1.8.2/angular.min.js", _ANGULAR),
        ("code.angularjs.org", "/1.8.2/angular.min.js", _ANGULAR),
        ("yastatic.net", "/angularjs/1.3.16/angular.min.js", _ANGULAR),
        ("cdn.bootcdn.net", "/ajax/libs/angular.js/1.8.2/angular.min.js", _ANGULAR),
        ("cdn.jsdelivr.net", "/npm/angular@1.8.2/angular.min.js", _NPM),
        ("unpkg.com", "/angular@1.8.2/angular.min.js", _NPM),
        ("esm.sh", "/angular@1.8.2", _NPM),
        ("cdn.skypack.dev", "/angular", _NPM),
        ("ga.jspm.io", "/npm:angular@1.8.2/index.js", _NPM),
        ("raw.githack.com", "/anybody/code/main/x.js", "serves every file of every public repository"),
        ("storage.googleapis.com", "/bucket-of-anybody/x.js", "serves every customer's files"),
        ("s3.amazonaws.com", "/bucket-of-anybody/x.js", "serves every customer's files"),
        ("www.google.com", "/complete/search", _JSONP),
        ("accounts.google.com", "/o/oauth2/revoke", _JSONP),
        ("maps.googleapis.com", "/maps/api/js", _JSONP),
        ("www.googleapis.com", "/customsearch/v1", _JSONP),
        ("graph.facebook.com", "/", _JSONP),
        ("vimeo.com", "/api/oembed.json", _JSONP),
        ("www.googletagmanager.com", "/gtm.js", _TAGS),
    )
    for spelt in (host, f"{host}.")  # with the dot it is another source, and the same server
)
"""Well-known scripts that defeat a list of hosts; not complete, no such list is. A list that allows one is bypassable."""


def wide(source: Source) -> str | None:
    """What a source lets in that is far more than a site's own scripts; None for a narrow one."""
    if source.kind is Kind.SCHEME:
        return _SCHEMES.get(source.scheme)
    if source.kind is not Kind.HOST:
        return None
    if source.host == "*":
        return "every host"
    return _wildcard(source.host)


def _wildcard(host: str) -> str | None:
    suffix = host.removeprefix("*.").rstrip(".")
    if suffix == host.rstrip(".") or suffix in _NOBODYS:
        return None
    probe = f"x.{suffix}"
    return f"everybody's names under {suffix}" if urls.registrable_domain(probe) == probe else None
