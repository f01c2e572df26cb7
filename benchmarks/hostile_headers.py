"""Header blocks that want to be expensive, and random ones, for every header that the review reads."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterator

from benchmarks import structured_values
from review import table

Pair = tuple[str, str]

NAMES = (
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "age",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "content-disposition",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "critical-ch",
    "cross-origin-embedder-policy",
    "cross-origin-embedder-policy-report-only",
    "cross-origin-opener-policy",
    "cross-origin-opener-policy-report-only",
    "cross-origin-resource-policy",
    "date",
    "document-policy",
    "expect-ct",
    "expires",
    "feature-policy",
    "integrity-policy",
    "integrity-policy-report-only",
    "link",
    "location",
    "nel",
    "origin-agent-cluster",
    "p3p",
    "permissions-policy",
    "pragma",
    "public-key-pins",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "server",
    "set-cookie",
    "sourcemap",
    "strict-transport-security",
    "vary",
    "via",
    "x-content-type-options",
    "x-debug-token",
    "x-frame-options",
    "x-powered-by",
    "x-unknown",
    "x-xss-protection",
)
"""Headers that any check may look at, whether or not it has an effect to tell."""

PATTERNS = {
    "semicolons": ";",
    "commas": ",",
    "quotes": '"',
    "backslashes": "\\",
    "quoted backslashes": '"\\',
    "opened brackets": "(",
    "opened lists": "([{",
    "spaces": " ",
    "tabs and letters": "a\t",
    "equal signs": "a=",
    "assignments": "a=b;",
    "repeated max-age": "max-age=1;",
    "nested quotes": '"a"b"',
    "quoted list": '"a","b",',
    "policies": "default-src 'self',",
    "directives": "img-src *;",
    "sources": "https://a.example/x ",
    "nonces": "'nonce-abcdef' ",
    "one letter": "a",
    "digits": "7",
    "dots": "a.",
    "dashes": "-",
    "colons": "a:",
    "urls": "https://a:b@c/",
    "escapes": "%41%zz",
    "base64": "QUJD+/=",
    "bytes": "\xff\x80",
    "structured": 'a=(self "https://b.example");c=?1, ',
    "json": '{"a":[{',
    "token prefixes": "ghp_AKIAeyJ.",
    "addresses": "10.0.0.1 ",
}
"""What is repeated until it has the wanted length. Each pattern stands after nothing, and after a sane beginning."""

NUMBERED = {
    "many members": "a{}=b,",
    "many keys": "a{},",
    "many parameters": "a;b{}=c,",
    "many strings": 'a{}="https://b.example/",',
    "many decimals": "a{}=1.5,",
    "many dates": "a{}=@1,",
    "many bytes": "a{}=:QUJD:,",
}
"""What is repeated with another number each time, so that nothing is the same; valid without the last comma."""
LISTED = {"many words in a list": "w{} ", "many words with parameters in a list": "w{};a "}
"""The same for what stands in one list."""

BEGINNINGS = {
    "content-security-policy": "default-src 'self'; script-src ",
    "permissions-policy": "camera=(",
    "report-to": '{"group":"a","endpoints":[',
    "set-cookie": "sid=1; Path=/; ",
    "strict-transport-security": "max-age=31536000; ",
}


def names() -> list[str]:
    """Every header that the review may look at, those that it knows the effect of in any case."""
    return sorted({*NAMES, *table.EFFECTIVE})


def blocks(name: str, length: int) -> Iterator[tuple[str, tuple[Pair, ...]]]:
    """Blocks of about that many bytes which try one header: one long value, and many lines."""
    for label, pattern in PATTERNS.items():
        value = _repeated(pattern, length)
        yield label, ((name, value),)
        if name in BEGINNINGS:
            yield f"{label} after a beginning", ((name, BEGINNINGS[name] + value),)
    for label, form in NUMBERED.items():
        yield label, ((name, _numbered(form, length)[:-1]),)
    for label, form in LISTED.items():
        yield label, ((name, f"a=({_numbered(form, length)})"),)
    attributes = tuple(
        (name, f"a{number}=b; Path=/; Secure; HttpOnly") for number in range(length // (len(name) + 35))
    )
    yield "many lines with attributes", attributes
    yield "many empty lines", ((name, ""),) * (length // (len(name) + 4))
    yield "many lines", tuple((name, f"a{number}=b") for number in range(length // (len(name) + 10)))


def many_names(length: int) -> tuple[Pair, ...]:
    """A block of that many bytes with as many different names as fit."""
    return tuple((f"x-{number}", "a") for number in range(length // 10))


def _numbered(form: str, length: int) -> str:
    return "".join(form.format(number) for number in range(length // (len(form) + 2)))


def _repeated(pattern: str, length: int) -> str:
    return (pattern * (length // len(pattern) + 1))[:length]


_PIECES = (
    *PATTERNS.values(),
    *(
        "'self'",
        "'none'",
        "'unsafe-inline'",
        "*",
        "https:",
        "data:",
        "nosniff",
        "DENY",
        "SAMEORIGIN",
        "same-origin",
    ),
    *(
        "no-referrer",
        "unsafe-none",
        "require-corp",
        "?1",
        "?0",
        "camera=()",
        "geolocation=*",
        "includeSubDomains",
    ),
    *(
        "; Secure",
        "; HttpOnly",
        "; SameSite=None",
        "; Domain=a.example",
        "__Host-a=b",
        "private",
        "no-store",
        "max-age=",
    ),
    *(
        "public",
        "text/html",
        "application/json",
        "\x00",
        "\x7f",
        "\x0b",
        "\x85",
        "\xa0",
        "1; mode=block",
        "\r",
        "\n",
    ),
)


_STRUCTURED = (
    *("permissions-policy", "permissions-policy-report-only", "document-policy", "reporting-endpoints"),
    *(
        "integrity-policy",
        "cross-origin-opener-policy",
        "cross-origin-embedder-policy",
        "origin-agent-cluster",
    ),
    *("cdn-cache-control", "document-policy-report-only", "integrity-policy-report-only"),
)
_COOKIE_NAMES = (
    "a",
    "sid",
    "PHPSESSID",
    "__Host-id",
    "__Secure-x",
    "__Http-y",
    "csrftoken",
    "",
    "auth_token",
    "lang",
)
_ATTRIBUTES = (
    *(
        "Secure",
        "HttpOnly",
        "SameSite=Lax",
        "SameSite=None",
        "samesite=odd",
        "Path=/",
        "Path=a",
        "Partitioned",
    ),
    *(
        "Domain=site.example",
        "Domain=example",
        "Domain=.b.example",
        "Max-Age=0",
        "Max-Age=99999999",
        "Max-Age=x",
    ),
    *(
        "Expires=Sun, 22 Nov 2026 11:00:00 GMT",
        "Expires=0",
        "http-only",
        "b=c, d=e; Secure",
        "",
        " ",
        "Priority=High",
    ),
)


def mixed_block(chance: random.Random) -> tuple[Pair, ...]:
    """A block of any kind: of random values, of structured fields and cookies that nearly make sense, or a hostile one."""
    kind = chance.randrange(20)
    if kind == 0:
        return chance.choice([pairs for _, pairs in blocks(chance.choice(names()), chance.randrange(2_000))])
    if kind < 8:
        return random_block(chance)
    return tuple(_plausible(chance) for _ in range(chance.randint(1, 7)))


def _plausible(chance: random.Random) -> Pair:
    if chance.random() < 0.4:
        attributes = chance.choices(_ATTRIBUTES, k=chance.randrange(5))
        return "Set-Cookie", "; ".join(
            (f"{chance.choice(_COOKIE_NAMES)}=v{_noise(chance, chance.choice((0, 0, 0, 3)))}", *attributes)
        )
    return chance.choice(_STRUCTURED), structured_values.value(chance).decode("latin-1")


def random_block(chance: random.Random) -> tuple[Pair, ...]:
    """A small block of known headers and strangers with plausible and absurd values."""
    return tuple(
        (chance.choice(_known()) if chance.random() < 0.9 else _noise(chance, 12), _value(chance))
        for _ in range(chance.randrange(8))
    )


@functools.cache
def _known() -> tuple[str, ...]:
    return tuple(itertools.chain(names(), map(str.title, names())))


def _value(chance: random.Random) -> str:
    pieces = chance.choices(_PIECES, k=chance.randrange(7))
    return chance.choice(("", " ", ", ", "; ")).join([*pieces, _noise(chance, chance.choice((0, 0, 5, 40)))])


def _noise(chance: random.Random, length: int) -> str:
    return chance.randbytes(length).decode("latin-1")
