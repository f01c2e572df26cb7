"""One site behind nginx and Varnish, configured as its cache rules say and in wrong ways: what probes find there."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.caches import origin, servers
from benchmarks.caches.cases import Headers
from benchmarks.caches.observing import ask
from headersweep import sitefiles
from headersweep.cacherules import CacheKind
from review import received as reading
from review.cacherules import probing
from review.cacherules.probing import Answer, Trial

SITE = """
name = "shop"
start_urls = ["http://127.0.0.1:{port}/"]
owner = "web team"
expected_result = "pages"
rollback_note = "git revert"
cache_kind = "{kind}"

[[cache]]
name = "cart"
owner = "shop team"
why = "the cart is personal"
rollback_note = "purge /cart, and restore the exclusion"
match.path = "/cart*"
expect.shared = "not_cached"
should_cache = ["/blog/first"]
should_not_cache = ["/cart"]

[[cache]]
name = "articles"
owner = "web platform"
why = "keeps load off the origin"
rollback_note = "switch proxy_cache off for /blog"
match.path = "/blog/*"
expect.shared = "cached"
expect.min_lifetime = "1m"
expect.max_lifetime = "1h"
should_cache = ["/blog/first"]
should_not_cache = ["/blog/first?preview=1", "/cart"]

[[cache.bypass]]
query = "preview"
why = "editors see drafts"

[[cache.bypass]]
cookie = "logged_in_*"
why = "the page names who is logged in"
example = "/blog/first"

[[cache.bypass]]
header = "X-Preview"
why = "the editor's tool sends it"
example = "/blog/first"
"""

_NGINX_MAP = """
    map $http_cookie $by_cookie { default 0; "~logged_in_" 1; }
    map $http_x_preview $by_header { default 0; "~." 1; }
    map $arg_preview $by_query { default 0; "~." 1; }
"""
_NGINX_RIGHT = """
            set $skip $by_cookie$by_header$by_query;
            if ($skip = "000") { set $skip ""; }
            if ($uri ~ ^/cart) { set $skip 1; }
            proxy_cache_bypass $skip;
            proxy_no_cache $skip;
"""
_NGINX_READS_ONLY = """
            set $skip $by_cookie$by_header$by_query;
            if ($skip = "000") { set $skip ""; }
            proxy_cache_bypass $skip;
"""
_NGINX_CACHES_ALL = """
            proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
            proxy_cache_valid any 10m;
"""
_NGINX_CACHES_NOTHING = """
            proxy_cache_bypass 1;
            proxy_no_cache 1;
"""
_VCL_WORDS = """
sub vcl_deliver {
    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else if (obj.uncacheable) { set resp.http.X-Cache = "PASS"; }
    else { set resp.http.X-Cache = "MISS"; }
}
"""
_VCL_RIGHT = """
sub vcl_recv {
    if (req.http.X-Preview || req.url ~ "[?&]preview=" || req.url ~ "^/cart") { return (pass); }
    if (req.http.Cookie ~ "logged_in_") { return (pass); }
    unset req.http.Cookie;
}
"""
_VCL_HASHES_ALL = """
sub vcl_recv { return (hash); }
sub vcl_backend_response { unset beresp.http.Cache-Control; set beresp.ttl = 10m; return (deliver); }
"""
_VCL_PASSES_ALL = """
sub vcl_recv { return (pass); }
"""


PAUSE_SECONDS = 0.2
"""Shorter than between probes of real sites: these caches say what they did, so that no Age has to grow."""


class Setup(NamedTuple):
    """One configuration of a cache, and what probes must find: codes, each with the subject it is about."""

    name: str
    cache: str
    configuration: str
    finds: frozenset[tuple[str, str]]


_COOKIE, _HEADER, _QUERY = (
    "articles (cookie logged_in_*)",
    "articles (header X-Preview)",
    "articles (query preview)",
)
_STORED = frozenset(("cache_rule.bypass_stored", subject) for subject in (_COOKIE, _HEADER))
_BY_CONDITION = {
    *(
        (code, subject)
        for code in ("cache_rule.bypass_hit", "cache_rule.bypass_stored")
        for subject in (_COOKIE, _HEADER)
    ),
}
_ALL = frozenset(
    {
        *_BY_CONDITION,
        ("cache_rule.private_hit", "cart"),
        ("cache_rule.private_hit", _QUERY),
        ("cache_rule.set_cookie_on_hit", "cart"),
    }
)

SETUPS = (
    Setup("right", "nginx", _NGINX_RIGHT, frozenset()),
    Setup("bypass without no_cache", "nginx", _NGINX_READS_ONLY, _STORED),
    Setup("caches all", "nginx", _NGINX_CACHES_ALL, _ALL),
    Setup(
        "caches nothing", "nginx", _NGINX_CACHES_NOTHING, frozenset({("cache_rule.never_hit", "articles")})
    ),
    Setup("right", "varnish", _VCL_RIGHT, frozenset()),
    Setup("caches all", "varnish", _VCL_HASHES_ALL, _ALL),
    Setup("caches nothing", "varnish", _VCL_PASSES_ALL, frozenset({("cache_rule.never_hit", "articles")})),
)


def respond(target: str, fields: dict[str, str]) -> tuple[int, Headers, str]:
    """A site that shows who is logged in, and says nothing to caches but how long an article may be kept."""
    path = origin.path_of(target)
    if path.startswith("/cart"):
        return 200, (("Set-Cookie", "basket=1; Path=/"), ("Cache-Control", "private")), "your cart"
    who = fields.get("cookie", "nobody")
    return 200, (("Cache-Control", "max-age=600"),), f"article {path} for {who}"


def rehearse(folder: Path, there: Collection[str]) -> Iterator[tuple[Setup, set[tuple[str, str]]]]:
    """Each configuration of the caches that are there, with what the probes of the site's rules find behind it."""
    for number, setup in enumerate(each for each in SETUPS if each.cache in there):
        yield setup, findings(setup, folder / f"setup-{number}")


def findings(setup: Setup, place: Path) -> set[tuple[str, str]]:
    """What the probes of the site's rules find behind one configuration."""
    with origin.serving(respond) as port:
        if setup.cache == "nginx":
            cache = servers.nginx(port, place, setup.configuration, _NGINX_MAP)
        else:
            cache = servers.varnish(port, place, setup.configuration + _VCL_WORDS)
        with cache as cache_port:
            return _found(cache_port, CacheKind(setup.cache))


def _found(port: int, kind: CacheKind) -> set[tuple[str, str]]:
    definition = sitefiles.parse("shop.toml", SITE.format(port=port, kind=kind)).definition
    return {
        (finding.code, finding.subject)
        for trial in probing.plan(definition, "rehearsal")
        for finding in probing.judge(trial, list(_answers(port, trial)), kind)
    }


def _answers(port: int, trial: Trial) -> Iterator[Answer]:
    for step in trial.steps:
        time.sleep(min(step.gap, PAUSE_SECONDS))
        target = "/" + step.url.split("/", 3)[3]
        status, headers, body = ask(port, target, step.headers)
        yield Answer(reading.received(headers, status=status, scheme="http"), _digest(body))


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
