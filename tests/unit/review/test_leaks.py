"""Headers that tell strangers what a site runs on."""

from __future__ import annotations

import pytest

from review import disclosure
from review.checks import leaks as check
from tests.unit.review._cases import HTML, SCRIPT, Case, verify

NAME, VERSION = "leak.server_name", "leak.server_version"
TECHNOLOGY, TECHNOLOGY_VERSION = "leak.technology", "leak.technology_version"
SOURCE, DEBUG, NODES, TRACING, CACHING = (
    f"leak.{kind}" for kind in ("source", "debug", "infrastructure", "tracing", "caching")
)

CASES = (
    Case("nothing", (HTML,)),
    Case("a server", (HTML, "Server: nginx"), {NAME}),
    Case("a server and its version", (HTML, "Server: nginx/1.24.0"), {VERSION}),
    Case("a server and its great version", (HTML, "Server: Apache/2"), {VERSION}),
    Case("a server with modules", (HTML, "Server: Apache (Debian) OpenSSL/3.0"), {VERSION}),
    Case("a server without a name", (HTML, "Server:")),
    Case("a server of two lines", (HTML, "Server: a", "Server: nginx/1.2"), {VERSION}),
    Case("a server with a number in its name", (HTML, "Server: web2"), {NAME}),
    Case("garbage", (HTML, "Server: \xff\x01"), {NAME}),
    Case("a framework", (HTML, "X-Powered-By: Express"), {TECHNOLOGY}),
    Case("a framework in capitals", (HTML, "X-POWERED-BY: Express"), {TECHNOLOGY}),
    Case("a framework and its version", (HTML, "X-Powered-By: PHP/8.2.1"), {TECHNOLOGY_VERSION}),
    Case("a generator", (HTML, "X-Generator: Drupal 10 (https://www.drupal.org)"), {TECHNOLOGY_VERSION}),
    Case("a version by its name", (HTML, "X-AspNet-Version: 4"), {TECHNOLOGY_VERSION}),
    Case("an unforeseen version", (HTML, "X-Shop-Version: 12"), {TECHNOLOGY_VERSION}),
    Case("a version that is none", (HTML, "X-Shop-Version: stable"), {TECHNOLOGY}),
    Case("a version that clients need", (HTML, "X-Api-Version: 12", "OData-Version: 4.0")),
    Case("a source map", (SCRIPT, "SourceMap: /app.js.map"), {SOURCE}),
    Case("files of the developer", (HTML, "X-SourceFiles: =?UTF-8?B?QzpcVXNlcnM=?="), {SOURCE}),
    Case("a profiler", (HTML, "X-Debug-Token-Link: https://site.example/_profiler/1"), {DEBUG}),
    Case("a logger", (HTML, "X-ChromeLogger-Data: e30="), {DEBUG}),
    Case("a node", (HTML, "X-Backend: web3"), {NODES}),
    Case("a proxy", (HTML, "X-Varnish: 123 456"), {NODES}),
    Case("a trace", (HTML, "X-B3-TraceId: 463ac35c9f6413ad"), {TRACING}),
    Case("a request's number", (HTML, "X-Request-Id: 463ac35c9f6413ad")),
    Case("tags of a cache", (HTML, "X-LiteSpeed-Tag: a,b"), {CACHING}),
    Case("a cache of a CDN", (HTML, "X-Cache: HIT", "CF-Cache-Status: HIT")),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_leaks(case: Case) -> None:
    verify(check, case)


def test_the_list_of_owasp_is_whole() -> None:
    assert len(disclosure.OWASP_2026_07) == 87
    assert not set(disclosure.OWASP_2026_07) & set(disclosure.ALSO)
    assert all(name == name.lower() for name in disclosure.OWASP_2026_07 | disclosure.ALSO)


def test_every_header_of_that_list_is_found() -> None:
    for name in disclosure.OWASP_2026_07:
        assert [each.subject for each in check.check(Case("", (f"{name}: x",)).received())] == [name]
