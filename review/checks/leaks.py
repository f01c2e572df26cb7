"""Headers that tell strangers what a site runs on; removing them hides a fault from nobody who looks longer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from review import disclosure, tokens
from review.disclosure import Kind
from review.finding import Finding, Rule, Severity
from review.received import Received

_OWASP = "https://owasp.org/www-project-secure-headers/#prevent-information-disclosure-via-http-headers"
_IGNORES = "It does nothing with the header."
_VERSION = re.compile(r"[0-9]\.[0-9]|[/ ]v?[0-9]")
LOOKED_AT = 500
"""A version stands further in front."""
MOST = 50
"""No more findings on one answer: whoever sends more such headers sends anything."""

SERVER_VERSION = Rule(
    code="leak.server_version",
    severity=Severity.LOW,
    title="Server tells the version of the server",
    browser=_IGNORES,
    why="Whoever looks for servers with a known hole finds this one by a search, without touching it first.",
    fix="Server: nginx\nnginx: `server_tokens off;`, Apache: `ServerTokens Prod`, IIS: `removeServerHeader`.",
    link=_OWASP,
)
SERVER_NAME = Rule(
    code="leak.server_name",
    severity=Severity.INFO,
    title="Server names the software",
    browser=_IGNORES,
    why="It narrows down what to try; how a server behaves gives that away as well.",
    fix="Leave Server out where the server can.",
    link="https://www.rfc-editor.org/rfc/rfc9110.html#section-10.2.4",
)
TECHNOLOGY_VERSION = Rule(
    code="leak.technology_version",
    severity=Severity.LOW,
    title="A header tells the version of a framework",
    browser=_IGNORES,
    why="Whoever looks for sites with a known hole finds this one by a search, without touching it first.",
    fix='Leave the header out. PHP: `expose_php = Off`, ASP.NET: `enableVersionHeader="false"`.',
    link=_OWASP,
)
TECHNOLOGY = Rule(
    code="leak.technology",
    severity=Severity.INFO,
    title="A header names the software behind the site",
    browser=_IGNORES,
    why="It narrows down what to try.",
    fix="Leave the header out. Express: `app.disable('x-powered-by')`, Next.js: `poweredByHeader: false`.",
    link=_OWASP,
)
SOURCE = Rule(
    code="leak.source",
    severity=Severity.LOW,
    title="A header tells where source code is",
    browser="Its developer tools load a source map from there and show the original source.",
    why="Comments, names and unused parts of the source help whoever looks for a way in; paths tell about the machine.",
    fix="Leave the header out in production, and keep the maps where only developers reach them.",
    link="https://tc39.es/ecma426/#sec-linking-generated-code",
)
DEBUG = Rule(
    code="leak.debug",
    severity=Severity.MEDIUM,
    title="A header of a debugging aid is sent",
    browser="Extensions for developers read it and show logs, queries or a link to a profile of the request.",
    why="A debugging aid is on in production; its logs and profiles hold what must not be public, often secrets.",
    fix="Switch the debugging aid off. Symfony: `APP_ENV=prod` and `APP_DEBUG=0`.",
    link=_OWASP,
)
INFRASTRUCTURE = Rule(
    code="leak.infrastructure",
    severity=Severity.INFO,
    title="A header tells about machines behind the site",
    browser=_IGNORES,
    why="Names and counts of nodes help whoever got inside; operators often want them, and can have them in logs.",
    fix="Remove the header where answers leave your network.",
    link=_OWASP,
)
TRACING = Rule(
    code="leak.tracing",
    severity=Severity.INFO,
    title="A header of a monitoring system leaves the site",
    browser=_IGNORES,
    why="It tells which monitoring is used and how requests are sampled. An identifier for support is worth that to many.",
    fix="Remove the header where answers leave your network.",
    link=_OWASP,
)
CACHING = Rule(
    code="leak.caching",
    severity=Severity.INFO,
    title="A header tells how the server's cache works",
    browser=_IGNORES,
    why="Tags and keys help to find pages that a cache mixes up.",
    fix="Remove the header where answers leave your network.",
    link=_OWASP,
)
RULES = (
    SERVER_VERSION,
    SERVER_NAME,
    TECHNOLOGY_VERSION,
    TECHNOLOGY,
    SOURCE,
    DEBUG,
    INFRASTRUCTURE,
    TRACING,
    CACHING,
)
EFFECTIVE: dict[str, Any] = {}

_BY_KIND = {
    Kind.SOURCE: SOURCE,
    Kind.DEBUG: DEBUG,
    Kind.INFRASTRUCTURE: INFRASTRUCTURE,
    Kind.TRACING: TRACING,
    Kind.CACHING: CACHING,
}


def check(received: Received) -> Iterator[Finding]:
    """Say which headers give something away; an empty one gives nothing."""
    left = MOST
    for name in received.names:
        kind = disclosure.kind_of(name)
        if kind is not None and left and any(received.values(name)):
            left -= 1
            evidence = tokens.masked(received.line(name)[:1000])
            yield _rule(name, kind, received.values(name)).found(evidence, name)


def _rule(name: str, kind: Kind, values: tuple[str, ...]) -> Rule:
    if kind is not Kind.TECHNOLOGY:
        return _BY_KIND[kind]
    versioned = any(_VERSION.search(value, 0, LOOKED_AT) for value in values)
    if name == "server":
        return SERVER_VERSION if versioned else SERVER_NAME
    if name.endswith(disclosure.VERSION_ENDINGS):
        versioned = any(character.isdigit() for value in values for character in value[:LOOKED_AT])
    return TECHNOLOGY_VERSION if versioned else TECHNOLOGY
