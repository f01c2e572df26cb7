"""Redirects over a whole run: from http to https, by which hosts, how far. Pure: hops in, findings with their pages out.

One answer cannot be judged for this: whether HSTS is ever set for a host shows in where all of its pages lead.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headersweep.responses import ResponseClass
from review.finding import Found, Rule, Severity

MAX_HOPS = 3
"""More redirects in a row than these are said."""

_HSTS = "https://www.rfc-editor.org/rfc/rfc6797#section-7.2"

STAYS_HTTP = Rule(
    code="redirect.stays_http",
    severity=Severity.MEDIUM,
    title="Pages are served over http",
    browser="It shows the page as it arrives, and asks for everything else the same way; HSTS cannot be set over http.",
    why="Whoever is on the way reads the page and its cookies, and can put scripts into it.",
    fix="Location: https://...\nAnswer every request over http with a permanent redirect to the same host and path over https.",
    link=_HSTS,
)
FIRST_HOP_OTHER_HOST = Rule(
    code="redirect.first_hop_other_host",
    severity=Severity.LOW,
    title="The first redirect from http leads to another host",
    browser="It never asks the first host over https, so it never hears its HSTS, and comes over http again the next time.",
    why="Every visit that begins there begins without TLS, however strict the other host is.",
    fix="Location: https://...\nRedirect to https on the same host first, send Strict-Transport-Security there, then redirect to the other host.",
    link=_HSTS,
)
DOWNGRADE = Rule(
    code="redirect.downgrade",
    severity=Severity.HIGH,
    title="A page over https redirects to http",
    browser="It follows, over http, unless the other host has HSTS.",
    why="Whoever is on the way reads and changes what comes, though the visitor had asked for https.",
    fix="Location: https://...",
    link="https://www.rfc-editor.org/rfc/rfc9110#section-15.4",
    classes=frozenset({ResponseClass.REDIRECT}),
)
LONG_CHAIN = Rule(
    code="redirect.long_chain",
    severity=Severity.INFO,
    title="More than three redirects in a row",
    browser="It follows up to twenty, one after the other; then it gives up, as it does in a circle.",
    why="Each hop costs a round trip, and is one more place where something can go wrong.",
    fix="Link and redirect to the last address at once.",
    link="https://fetch.spec.whatwg.org/#http-redirect-fetch",
    classes=frozenset({ResponseClass.REDIRECT}),
)
RULES = (STAYS_HTTP, FIRST_HOP_OTHER_HOST, DOWNGRADE, LONG_CHAIN)
BY_CODE = {rule.code: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Hop:
    """So many pages of one origin that redirect to another one, or, without a target, that were served."""

    source: str
    """Scheme, host and port."""
    target: str
    pages: int
    url: str
    """One of the pages."""


@dataclass(frozen=True, slots=True)
class Chain:
    """So many pages of one origin that have more than ``MAX_HOPS`` redirects before them."""

    source: str
    pages: int
    url: str


def judge(hops: Iterable[Hop], chains: Iterable[Chain] = ()) -> tuple[Found, ...]:
    """What is to be said of a run's redirects: hops of http origins without a target, and all redirects."""
    known = [hop for hop in hops if not _is_loopback(hop.source)]
    found = [*_http_origins(known), *_downgrades(known)]
    found += [Found(LONG_CHAIN.found(subject=one.source), one.pages, (one.url,)) for one in chains]
    return tuple(
        sorted(found, key=lambda one: (-one.finding.severity.rank, one.finding.code, one.finding.subject))
    )


def _http_origins(hops: Iterable[Hop]) -> Iterator[Found]:
    by_origin: dict[str, list[Hop]] = defaultdict(list)
    for hop in hops:
        if hop.source.startswith("http:"):
            by_origin[hop.source].append(hop)
    for origin, of_origin in by_origin.items():
        served = [hop for hop in of_origin if not hop.target]
        if served:
            yield _found(STAYS_HTTP, origin, served, "")
        # One redirect to https on the same host is enough for its HSTS to be heard.
        if not any(
            _host(hop.target) == _host(origin) and hop.target.startswith("https:") for hop in of_origin
        ):
            away = [hop for hop in of_origin if hop.target and _host(hop.target) != _host(origin)]
            if away:
                yield _found(FIRST_HOP_OTHER_HOST, origin, away, f"to {away[0].target}")


def _downgrades(hops: Iterable[Hop]) -> Iterator[Found]:
    by_origin: dict[str, list[Hop]] = defaultdict(list)
    for hop in hops:
        down = hop.source.startswith("https:") and hop.target.startswith("http:")
        if down and not _is_loopback(hop.target):
            by_origin[hop.source].append(hop)
    for origin, of_origin in by_origin.items():
        yield _found(DOWNGRADE, origin, of_origin, f"to {of_origin[0].target}")


def _found(rule: Rule, origin: str, hops: list[Hop], detail: str) -> Found:
    # What was received is each page's own; one of them stands for all.
    evidence = f"{hops[0].url} -> {hops[0].target}" if hops[0].target else hops[0].url
    finding = rule.found(evidence, subject=origin, detail=detail)
    return Found(finding, sum(hop.pages for hop in hops), (hops[0].url,))


def _host(origin: str) -> str:
    place = origin.partition("//")[2].partition("/")[0]
    return place.partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _is_loopback(origin: str) -> bool:
    """Whether browsers trust it without TLS (Secure Contexts, section 3.1)."""
    host = _host(origin)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.lstrip("[")).is_loopback
    except ValueError:
        return False
