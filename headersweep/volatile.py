"""The one table of volatile header values: what is replaced before hashing, by which placeholder, and why.

A rule's output must be stable under the rule itself, and a value that is empty stays empty. docs/headers.md is
generated from this table, and a test runs every example.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from headersweep import cookies, masking

VARIES = "<varies>"

Replace = Callable[[str, str], str]
"""From a value and the response's Date ("" if there is none) to the value without its volatile parts."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: names are lower case, ``*x`` means "ends with x". Without ``replace`` the whole value goes."""

    names: tuple[str, ...]
    placeholder: str
    reason: str
    examples: tuple[tuple[str, str], ...] = ()
    replace: Replace | None = None
    needs_date: bool = False

    def apply(self, value: str, date: str) -> str:
        """The value as it counts for the content hash."""
        if not value or value == VARIES:
            return value
        return self.placeholder if self.replace is None else self.replace(value, date)


_NONCE = re.compile(r"('nonce-)([^'\s;,]+)(')", re.IGNORECASE)
_NO_NONCES = frozenset({"<nonce>", "<nonce:invalid>"})
_BASE64_VALUE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_URL_START = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?(//[^/?#\\]*)?")
_LINK = re.compile(r"<((?:[^<>]|<path>|<userinfo>)*)>([^<]*)")
_PAGE_RELATION = re.compile(
    r";\s*rel\s*=\s*\"?\s*(?:canonical|shortlink|next|prev|previous|first|last|self|alternate|edit|amphtml)\b",
    re.IGNORECASE,
)
_FILENAME = re.compile(r"(filename\*?\s*=\s*)(<filename>|\"(?:[^\"\\]|\\.)*\"|[^;\s]+)", re.IGNORECASE)
_BOUNDARY = re.compile(r"(boundary=)(<boundary>|\"[^\"]*\"|[^;\s]+)", re.IGNORECASE)
_QUERY_VALUE = re.compile(r"([?&][^=&?\"\s]+=)[^&\"\s;,\\]+")
_CHALLENGE = re.compile(r"\b(nonce|opaque)=(<nonce>|\"[^\"]*\"|[^\s,]+)", re.IGNORECASE)
_LEFT_REQUESTS = re.compile(r"(max=)\d+", re.IGNORECASE)
_LONG_HEX = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_EDGE_NODE = re.compile(r"\([a-z]{3}/[0-9A-F]{4}\)")
_STATED_AS_EXPIRED = frozenset({"0", "-1"})


def _csp(value: str, _date: str) -> str:
    return _NONCE.sub(_nonce, value)


def _nonce(match: re.Match[str]) -> str:
    value = match[2]
    if value in _NO_NONCES:
        return match[0]
    kind = "<nonce>" if _BASE64_VALUE.fullmatch(value) else "<nonce:invalid>"
    return f"{match[1]}{kind}{match[3]}"


def _url(value: str, _date: str = "") -> str:
    match = _URL_START.match(value)
    scheme, host = ((match[1] or "").lower(), (match[2] or "").lower()) if match else ("", "")
    if not host:
        return f"{scheme}<path>"
    userinfo, _, place = host[2:].rpartition("@")
    return f"{scheme}//{'<userinfo>@' if userinfo else ''}{place}/<path>"


def _link(value: str, _date: str) -> str:
    return _LINK.sub(lambda match: f"<{_link_target(match[1], match[2])}>{match[2]}", value)


def _link_target(target: str, parameters: str) -> str:
    return _url(target) if target and _PAGE_RELATION.search(parameters) else target


def _expires(value: str, date: str) -> str:
    if value in _STATED_AS_EXPIRED:
        return value
    return cookies.expiry(value, date)


def _cookie(value: str, date: str) -> str:
    return cookies.canonical(value, date)


def _substitute(pattern: re.Pattern[str], replacement: str) -> Replace:
    return lambda value, _date: pattern.sub(replacement, value)


VOLATILE: tuple[Rule, ...] = (
    Rule(
        (
            "content-security-policy",
            "content-security-policy-report-only",
            "x-content-security-policy",
            "x-webkit-csp",
        ),
        "'nonce-<nonce>'",
        "A nonce is new in every response; the policy around it counts to the letter. One that browsers do not accept "
        "as a nonce says so. The visit keeps a digest, so that a nonce seen twice is found.",
        (
            ("script-src 'nonce-4AEemGb0xJptoIGFP3Nd' 'self'", "script-src 'nonce-<nonce>' 'self'"),
            ("script-src 'nonce-{{nonce}}'", "script-src 'nonce-<nonce:invalid>'"),
            ("default-src 'self'; report-uri /csp?id=1", "default-src 'self'; report-uri /csp?id=1"),
        ),
        _csp,
    ),
    Rule(
        ("set-cookie", "set-cookie2"),
        "<cookie>",
        "The value differs by visitor and must not be kept. Name and attributes count, in any order and case; Max-Age "
        "stands as it is, since it is a policy; Expires is an instant, of which only past or future (by Date) counts. "
        "Values of unknown attributes go too: they are cookies that somebody put on one line.",
        (
            ("sid=31d4d96e407aad42; HttpOnly; Path=/; Secure", "sid=<cookie>; httponly; path=/; secure"),
            ("a=1; SameSite=LAX; Max-Age=60", "a=<cookie>; max-age=60; samesite=lax"),
            ("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=; expires=<expires>"),
            ("BIGipServerpool=1.2.3", "BIGipServerpool=<cookie>"),
        ),
        _cookie,
        needs_date=True,
    ),
    Rule(
        masking.SECRET_NAMES,
        "<masked>",
        "Secrets never stand in a table; that the header is sent at all is a finding.",
        (("Bearer eyJhbGciOi", "<masked>"),),
    ),
    Rule(
        ("location", "content-location", "sourcemap", "x-sourcemap", "x-pjax-url"),
        "<path>",
        "It differs by page, and the visit of a redirect keeps its target. Scheme and host count.",
        (
            ("https://Example.org/a?b=c", "https://example.org/<path>"),
            ("/a/b", "<path>"),
            ("//cdn.test/x", "//cdn.test/<path>"),
            ("https://u:p@example.org", "https://<userinfo>@example.org/<path>"),
        ),
        _url,
    ),
    Rule(
        ("link",),
        "<path>",
        "Links from a page to itself and its neighbours differ by page; preloads and the rest count.",
        (
            ("<https://example.org/?p=7>; rel=shortlink", "<https://example.org/<path>>; rel=shortlink"),
            ("</app.css>; rel=preload; as=style", "</app.css>; rel=preload; as=style"),
        ),
        _link,
    ),
    Rule(("date",), "<date>", "The clock.", (("Sun, 22 Nov 2026 10:00:00 GMT", "<date>"),)),
    Rule(
        ("expires",),
        "<expires:past>, <expires:future>, <expires:invalid>",
        "An instant, mostly the clock plus a constant. Whether it lies after Date counts; without Date it is <expires>. "
        "0 and -1 are statements and stay.",
        (
            ("Sun, 22 Nov 2026 10:00:00 GMT", "<expires>"),
            ("2026-11-22T10:00:00Z", "<expires:invalid>"),
            ("0", "0"),
            ("-1", "-1"),
        ),
        _expires,
        needs_date=True,
    ),
    Rule(
        ("age", "x-age", "x-cache-age"),
        "<age>",
        "Time spent in a cache; the visit keeps it.",
        (("17", "<age>"),),
    ),
    Rule(("etag",), "<etag>", "It differs by page and version.", (('W/"5f3c"', "<etag>"),)),
    Rule(
        ("last-modified",),
        "<last-modified>",
        "It differs by page and version.",
        (("Sat, 21 Nov 2026 09:00:00 GMT", "<last-modified>"),),
    ),
    Rule(
        ("content-length", "x-goog-stored-content-length", "x-original-content-length"),
        "<content-length>",
        "It differs by page and version.",
        (("6120", "<content-length>"),),
    ),
    Rule(("content-range",), "<range>", "It differs by page and version.", (("bytes 0-99/1234", "<range>"),)),
    Rule(
        (
            "content-md5",
            "content-digest",
            "repr-digest",
            "digest",
            "x-goog-hash",
            "x-goog-generation",
            "x-amz-version-id",
        ),
        "<digest>",
        "It differs by page and version.",
        (("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", "<digest>"),),
    ),
    Rule(
        ("content-disposition",),
        "<filename>",
        "The file name differs by page; inline or attachment counts.",
        (('attachment; filename="a b.pdf"', "attachment; filename=<filename>"),),
        _substitute(_FILENAME, r"\1<filename>"),
    ),
    Rule(
        ("content-type",),
        "<boundary>",
        "The boundary between parts is drawn anew in every response; the type counts to the letter.",
        (
            ("multipart/byteranges; boundary=3d6b6a", "multipart/byteranges; boundary=<boundary>"),
            ("text/html; charset=UTF-8", "text/html; charset=UTF-8"),
        ),
        _substitute(_BOUNDARY, r"\1<boundary>"),
    ),
    Rule(
        (
            "*request-id",
            "*requestid",
            "*correlation-id",
            "*correlationid",
            "*transaction-id",
            "*trace-id",
            "*traceid",
            "*log-id",
            "*logid",
            "*-request-uuid",
            "x-rid",
            "x-uuid",
            "traceparent",
            "tracestate",
            "b3",
            "x-b3-spanid",
            "x-b3-parentspanid",
            "x-b3-sampled",
            "baggage",
            "sentry-trace",
            "x-cloud-trace-context",
            "x-datadog-parent-id",
            "x-amz-id-2",
            "x-amz-apigw-id",
            "x-amz-cf-id",
            "cf-ray",
            "x-vercel-id",
            "x-azure-ref",
            "x-msedge-ref",
            "x-guploader-uploadid",
            "x-iinfo",
            "x-fb-debug",
            "x-fb-trip-id",
            "x-gitlab-meta",
            "x-contextid",
            "rndr-id",
            "akamai-grn",
            "akamai-request-bc",
            "x-akamai-transformed",
            "x-reference-error",
            "x-varnish",
            "x-hw",
            "x-nonce",
            "x-csp-nonce",
        ),
        "<request-id>",
        "Drawn anew for every request, to find it again in the servers' logs.",
        (
            ("7b1c9c0e-59f4-4c39-a2ab-1f1c4b1f6f3a", "<request-id>"),
            ("Root=1-67891233-abcdef012345678912345678", "<request-id>"),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "<request-id>"),
        ),
    ),
    Rule(
        (
            "server-timing",
            "x-timer",
            "x-runtime",
            "*response-time",
            "*-execution-time",
            "*-generation-time",
            "*-render-time",
            "x-envoy-upstream-service-time",
            "x-request-start",
            "x-timestamp",
            "x-generated-at",
            "x-cached-at",
            "x-date",
            "cdn-cachedat",
        ),
        "<timing>",
        "A measurement or an instant.",
        (("cdn-cache; desc=HIT, edge; dur=1", "<timing>"), ("0.032051", "<timing>")),
    ),
    Rule(
        (
            "x-cache",
            "x-cache-*",
            "cache-status",
            "cf-cache-status",
            "cdn-cache",
            "cdn-cache-status",
            "*-cache-status",
            "x-varnish-cache",
            "x-proxy-cache",
            "x-nginx-cache",
            "x-fastcgi-cache",
            "x-drupal-cache",
            "x-drupal-dynamic-cache",
            "x-litespeed-cache",
            "x-vercel-cache",
            "x-nextjs-cache",
            "x-sucuri-cache",
            "x-magento-cache-debug",
            "x-served-from-cache",
            "x-cacheable",
            "x-hits",
        ),
        "<cache-state>",
        "Hit or miss depends on who asked before; caching is judged over visits, not on one response.",
        (("HIT, MISS", "<cache-state>"), ("nginx; hit; ttl=30", "<cache-state>")),
    ),
    Rule(
        (
            "x-served-by",
            "x-amz-cf-pop",
            "x-sucuri-id",
            "x-seen-by",
            "x-ac",
            "x-backend",
            "x-backend-server",
            "x-server-name",
            "x-server-id",
            "x-host",
            "x-hostname",
            "x-node",
            "x-node-id",
            "x-pod",
            "x-pod-name",
            "x-instance-id",
            "x-worker",
            "x-edge-location",
            "x-fastly-pop",
            "cdn-pullzone-node",
            "cdn-edgestorageid",
            "x-upstream",
            "x-upstream-addr",
        ),
        "<node>",
        "Which of several machines answered is chance; the header's presence counts.",
        (("cache-fra-eddf8230100-FRA", "<node>"),),
    ),
    Rule(
        ("via",),
        "<node>",
        "Long hexadecimal names of edge machines are chance; the proxies themselves count.",
        (
            (
                "1.1 3a5b1c6e9d8f4a7b3a5b1c6e9d8f4a7b.cloudfront.net (CloudFront)",
                "1.1 <node>.cloudfront.net (CloudFront)",
            ),
        ),
        _substitute(_LONG_HEX, "<node>"),
    ),
    Rule(
        ("server",),
        "<node>",
        "One content network writes the machine's name behind the product; the product counts.",
        (("ECAcc (nyd/D144)", "ECAcc (<node>)"), ("nginx/1.26.3", "nginx/1.26.3")),
        _substitute(_EDGE_NODE, "(<node>)"),
    ),
    Rule(
        ("report-to", "reporting-endpoints", "nel"),
        "<token>",
        "Content networks sign each report URL; everything but its query values counts.",
        (
            (
                '{"endpoints":[{"url":"https://a.nel.test/report/v4?s=x%2BY3"}],"group":"n"}',
                '{"endpoints":[{"url":"https://a.nel.test/report/v4?s=<token>"}],"group":"n"}',
            ),
        ),
        _substitute(_QUERY_VALUE, r"\1<token>"),
    ),
    Rule(
        ("www-authenticate", "proxy-authenticate"),
        "<nonce>",
        "The challenge is new in every response; scheme and realm count.",
        (('Digest realm="a", nonce="dcd98b71"', 'Digest realm="a", nonce=<nonce>'),),
        _substitute(_CHALLENGE, r"\1=<nonce>"),
    ),
    Rule(
        ("keep-alive",),
        "<count>",
        "The number of requests left on the connection.",
        (("timeout=5, max=99", "timeout=5, max=<count>"),),
        _substitute(_LEFT_REQUESTS, r"\1<count>"),
    ),
    Rule(
        (
            "ratelimit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "x-ratelimit-used",
            "x-rate-limit-remaining",
            "x-rate-limit-reset",
        ),
        "<quota>",
        "What is left of a quota; its limit counts.",
        (("47", "<quota>"),),
    ),
    Rule(
        ("retry-after",),
        "<retry-after>",
        "Seconds or an instant, by the moment.",
        (("120", "<retry-after>"),),
    ),
)

_EXACT = {name: rule for rule in VOLATILE for name in rule.names if "*" not in name}
_ENDINGS = [(name[1:], rule) for rule in VOLATILE for name in rule.names if name.startswith("*")]
_BEGINNINGS = [(name[:-1], rule) for rule in VOLATILE for name in rule.names if name.endswith("*")]


@functools.lru_cache(maxsize=4096)
def rule_for(name: str) -> Rule | None:
    """The rule for a header name in lower case; exact names go before patterns."""
    if name in _EXACT:
        return _EXACT[name]
    for ending, rule in _ENDINGS:
        if name.endswith(ending):
            return rule
    return next((rule for beginning, rule in _BEGINNINGS if name.startswith(beginning)), None)


def first_nonce(policy: str) -> str | None:
    """The first nonce of a content security policy; None in one whose nonces were replaced."""
    match = _NONCE.search(policy)
    return None if match is None or match[2] in _NO_NONCES else match[2]


def as_markdown() -> str:
    """The table in docs/headers.md."""
    rows = ["| headers | in the canonical text | why | for example |", "| --- | --- | --- | --- |"]
    return "\n".join((*rows, *map(_markdown_row, VOLATILE), ""))


def _markdown_row(rule: Rule) -> str:
    names = ", ".join(f"`{name}`" for name in rule.names)
    raw, shown = rule.examples[0]
    return f"| {names} | {_code(rule.placeholder)} | {rule.reason} | {_code(raw)}: {_code(shown)} |"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")
