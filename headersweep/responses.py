"""Response classes: which kind of answer a response is decides which rules apply to it.

The class follows from the status and the headers alone, so that every page with one snapshot and one status has the
same. A page that a firewall or a challenge stands in front of says nothing about the site: it is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

Pair = tuple[str, str]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
TOO_MANY_REQUESTS = 429
FIRST_ERROR = 400


class ResponseClass(StrEnum):
    """What kind of answer a response is, as far as rules about headers are concerned."""

    DOCUMENT = "document"
    REDIRECT = "redirect"
    API = "api"
    SCRIPT = "script"  # scripts and style sheets: what a document runs
    STATIC = "static"  # images, fonts, media, archives
    ERROR = "error"
    BLOCKED = "blocked"


_DOCUMENT_TYPES = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml"})
"""What a browser renders with scripts in it."""

_SCRIPT_TYPES = frozenset(
    {
        "text/javascript",
        "application/javascript",
        "application/ecmascript",
        "text/ecmascript",
        "application/x-javascript",
        "text/css",
        "application/wasm",
    }
)
_API_TYPES = frozenset(
    {
        "application/json",
        "text/json",
        "application/xml",
        "text/xml",
        "application/grpc",
        "application/graphql",
        "application/x-ndjson",
        "application/jsonl",
        "text/event-stream",
        "application/cbor",
        "application/msgpack",
        "application/x-protobuf",
    }
)

_CHALLENGES = (
    ("cf-mitigated", "challenge"),
    ("x-amzn-waf-action", ""),
    ("x-sucuri-block", ""),
    ("x-datadome", ""),
    ("x-vercel-mitigated", ""),
    ("x-wix-challenge", ""),
)
"""Headers by which firewalls mark their own answers, and what their value begins with. Read at the vendors' pages."""


def classify(status: int, headers: Iterable[Pair]) -> ResponseClass:
    """The class of an answer with this status and these headers; never an error, whatever they are."""
    pairs = [(name.lower(), value) for name, value in headers]
    if status == TOO_MANY_REQUESTS or (status >= FIRST_ERROR and challenge(pairs) is not None):
        return ResponseClass.BLOCKED
    if status in REDIRECTS:
        return ResponseClass.REDIRECT
    kind = by_type(media_type(pairs))
    if status >= FIRST_ERROR and kind is not ResponseClass.API:
        return ResponseClass.ERROR
    return kind


def challenge(pairs: Iterable[Pair]) -> str | None:
    """The header by which a firewall says that this answer is its own, if one does. Names are in lower case."""
    for name, value in pairs:
        for marked, begins in _CHALLENGES:
            if name == marked and value.strip().lower().startswith(begins):
                return name
    return None


def media_type(pairs: Iterable[Pair]) -> str:
    """The media type that counts: that of the last Content-Type line that has one; empty when there is none."""
    found = ""
    for name, value in pairs:
        if name == "content-type":
            essence = value.rpartition(",")[2].partition(";")[0].strip(" \t").lower()
            found = essence if "/" in essence else found
    return found


def by_type(essence: str) -> ResponseClass:
    """The class of a successful answer of that media type; without one a browser may take it for a document."""
    if essence in _DOCUMENT_TYPES or not essence:
        return ResponseClass.DOCUMENT
    if essence in _SCRIPT_TYPES:
        return ResponseClass.SCRIPT
    if essence in _API_TYPES or essence.endswith(("+json", "+xml")):
        return ResponseClass.API
    return ResponseClass.STATIC
