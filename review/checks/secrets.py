"""Secrets in headers: tokens, keys and passwords, and names and addresses of an inner network."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from review import tokens
from review.finding import Finding, Rule, Severity
from review.received import Received

_CWE_200 = "https://cwe.mitre.org/data/definitions/200.html"
_CWE_522 = "https://cwe.mitre.org/data/definitions/522.html"
_ROTATE = "Withdraw it and issue a new one first; then leave the header out."

TOKEN = Rule(
    code="secret.token",
    severity=Severity.HIGH,
    title="A header holds what looks like a token, key or password",
    browser="It keeps it in its cache and shows it to developer tools and extensions; proxies and logs see it as well.",
    why="Whoever reads the answer has the rights that the secret gives.",
    fix=_ROTATE,
    link=_CWE_522,
)
CREDENTIAL_HEADER = Rule(
    code="secret.credential_header",
    severity=Severity.HIGH,
    title="The answer has a header that is meant for a request's credentials",
    browser="It does nothing with the header; scripts of the page can read it.",
    why="A key or token went to whoever asked, logged in or not. Often a proxy or framework copies request headers back.",
    fix=_ROTATE,
    link=_CWE_522,
)
TOKEN_LIKE = Rule(
    code="secret.token_like",
    severity=Severity.MEDIUM,
    title="A header with a telling name holds a random value",
    browser="It does nothing with the header; scripts of the page can read it.",
    why="By its name and form it is a key or a token. Whether it gives rights only its owner knows.",
    fix="If it gives any right: withdraw it, issue a new one, and leave the header out.",
    link=_CWE_200,
)
ADDRESS = Rule(
    code="secret.internal_address",
    severity=Severity.LOW,
    title="A header tells an address of the inner network",
    browser="It does nothing with it, or fails to reach it where the header is a link.",
    why="It helps whoever can make a server inside send requests, and often shows that a proxy is set up wrongly.",
    fix="Give links the public name of the site, and remove headers that name machines where answers leave the network.",
    link=_CWE_200,
)
HOST = Rule(
    code="secret.internal_host",
    severity=Severity.LOW,
    title="A header tells the name of an inner host",
    browser="It does nothing with it, or fails to reach it where the header is a link.",
    why="It helps whoever can make a server inside send requests, and often shows that a proxy is set up wrongly.",
    fix="Give links the public name of the site, and remove headers that name machines where answers leave the network.",
    link=_CWE_200,
)
RULES = (TOKEN, CREDENTIAL_HEADER, TOKEN_LIKE, ADDRESS, HOST)
EFFECTIVE: dict[str, Any] = {}

MOST = 20
"""No more findings of one kind on one answer."""
LOOKED_AT = 100
"""No more headers with a telling name."""

CREDENTIALS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-auth-token",
        "x-access-token",
        "x-refresh-token",
        "x-api-key",
        "api-key",
        "x-amz-security-token",
        "x-session-token",
        "x-session-id",
    }
)
"""Stored snapshots have their values masked; that they are sent at all is the finding."""

COOKIES = frozenset({"set-cookie", "set-cookie2"})
"""Where tokens belong; judged by the rules for cookies."""
CHALLENGES = frozenset({"www-authenticate", "proxy-authenticate"})
"""Their `Basic realm` and `Bearer realm` are no credentials."""
_SCHEMES = frozenset({"bearer token", "user name and password"})
POLICIES = frozenset(
    {
        "content-security-policy",
        "content-security-policy-report-only",
        "access-control-allow-origin",
        "permissions-policy",
    }
)
"""Here the machine itself may be named: a page talks to a program that its user has installed."""

_TELLING = re.compile("token|secret|passw|apikey|api-key|private-key|access-key|credential")
_NOT_TELLING = (
    "csrf",
    "xsrf",
    "key-id",
    "tokens-",
    "-tokens",
    "ratelimit",
    "rate-limit",
    "public",
    "debug-token",
)
"""Parts of names whose value is meant to be seen: against forged requests, names of keys, counts of what is left."""
_RANDOM = re.compile(r"[A-Za-z0-9+/=_.~-]{20,4096}")
_LEAST_BITS = 3.5
"""Of entropy a character; words have about 3, random hexadecimal digits nearly 4."""
_LOOKED_AT = 256
_CONTEXT = 60


def check(received: Received) -> Iterator[Finding]:
    """Say where secrets and inner names stand; what is shown of a secret is its first letters."""
    yield from _credentials(received)
    text = "\n".join(value for _, value in received.pairs)
    if next(tokens.find(text), None) is not None:
        yield from itertools.islice(_tokens(received), MOST)
    yield from itertools.islice(_token_like(received), MOST)
    if tokens.internal_address(text) is not None:
        yield from itertools.islice(_addresses(received), MOST)
    if tokens.internal_name(text) is not None:
        yield from itertools.islice(_names(received), MOST)


def _credentials(received: Received) -> Iterator[Finding]:
    for name in sorted(CREDENTIALS):
        if any(received.values(name)):
            yield CREDENTIAL_HEADER.found(f"{_written(received, name)}: {tokens.MASK}", name)


def _written(received: Received, name: str) -> str:
    return received.lines(name)[0].partition(":")[0]


def _tokens(received: Received) -> Iterator[Finding]:
    for name, value in received.pairs:
        lower = name.lower()
        if lower in COOKIES or lower in CREDENTIALS:
            continue
        for found in tokens.find(value):
            if not (lower in CHALLENGES and found.label in _SCHEMES):
                yield TOKEN.found(
                    f"{name}: {tokens.hint(value[found.start : found.end])}", lower, found.label
                )


def _token_like(received: Received) -> Iterator[Finding]:
    for name in itertools.islice(filter(_is_telling, received.names), LOOKED_AT):
        value = next((value for value in received.values(name) if is_random(value)), None)
        if value is not None:
            yield TOKEN_LIKE.found(f"{_written(received, name)}: {tokens.hint(value)}", name)


def _is_telling(name: str) -> bool:
    if not _TELLING.search(name) or name in CREDENTIALS:
        return False
    return not any(part in name for part in _NOT_TELLING)


def is_random(value: str) -> bool:
    """Whether a value looks drawn by chance: long, of letters and digits, few of them often; no known secret in it."""
    if not _RANDOM.fullmatch(value) or next(tokens.find(value), None) is not None:
        return False
    looked_at = value[:_LOOKED_AT]
    mixed = any(map(str.isdigit, looked_at)) and any(map(str.isalpha, looked_at))
    return mixed and _bits(looked_at) >= _LEAST_BITS


def _bits(text: str) -> float:
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _addresses(received: Received) -> Iterator[Finding]:
    for name, value in _inner(received):
        found = tokens.internal_address(value)
        if found is not None and not (name in POLICIES and found.startswith(("127.", "::1"))):
            yield ADDRESS.found(_around(received, name, value, found), name, found)


def _names(received: Received) -> Iterator[Finding]:
    for name, value in _inner(received):
        found = tokens.internal_name(value)
        if found is not None and not (name in POLICIES and found == "localhost"):
            yield HOST.found(_around(received, name, value, found), name, found)


def _inner(received: Received) -> Iterator[tuple[str, str]]:
    """Names and values in which an inner name would tell something: no cookies, no versions."""
    for name in received.names:
        if name not in COOKIES and name not in CREDENTIALS and not name.endswith("version"):
            yield name, "\n".join(received.values(name))


def _around(received: Received, name: str, value: str, found: str) -> str:
    """The header with what stands around the found part, secrets masked."""
    safe = tokens.masked(value)
    at = max(safe.lower().find(found) - _CONTEXT, 0)
    return f"{_written(received, name)}: {safe[at : at + len(found) + 2 * _CONTEXT]}"
